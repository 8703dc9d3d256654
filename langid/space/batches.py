"""The tab "Many files": its layout, and what its events do, one recording after the other."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr
from gradio.data_classes import ListFiles
from gradio.utils import get_upload_folder

from langid.errors import IdentificationCancelled
from langid.languages import choose_labels
from langid.page.answer import problem_html
from langid.page.batch import (
    KINDS,
    MAX_FILES,
    Row,
    batch_progress_html,
    displayed_name,
    summarise_rows,
    table_html,
    to_csv,
    to_json,
    too_many,
)
from langid.page.clients import Visitors
from langid.page.jobs import POLL_S, BusyError, Step, short_first
from langid.page.texts import ENGLISH, Texts, texts_in
from langid.page.waveform import PeakMeter
from langid.space.candidates import candidates_box, kept_candidates
from langid.space.handlers import Handlers, view

CANCELLED = ENGLISH("batch.cancelled")
TOO_LARGE = ENGLISH("batch.too_large")
NO_ROOM = ENGLISH("batch.no_room")
STATE_S = 3600  # how long the answers are kept, for other candidates

EMPTY = """
<p class="announcement" role="status" aria-live="polite"></p>
<p class="empty" data-text="script.batch_empty"></p>
<div class="body"></div>
"""
SHOW = f"""
window.langid.batch.attach(element, {MAX_FILES}, {{
  cancel: () => trigger("cancel"),
  start: () => trigger("start"),
}});
watch("value", () => window.langid.batch.show(props.value));
window.langid.batch.show(props.value);
"""

_log = logging.getLogger("langid.app")

Done = tuple[int, list[Row]]  # a ticket, and what was found for it among all labels
Update = tuple[dict, object, object, object]  # of the table, the buttons for CSV and JSON, `Done`


class Batches:
    """Identifies many recordings for each visitor, with a table that fills."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.labels = handlers.identifier.labels
        self.visitors = Visitors()

    def layout(self, page: gr.Blocks, text: gr.I18n) -> None:
        """The contents of the tab, with their events."""
        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        drop = gr.File(
            label=text("page.many_drop"),
            file_count="multiple",
            height=150,
            elem_id="batch-drop",
        )
        drop.preprocess = lambda payload: payload  # with the names that the visitor gave them
        gr.HTML('<p role="alert"></p>', elem_classes=["aside", "upload-problem"])
        table = gr.HTML(
            html_template=EMPTY,
            js_on_load=SHOW,
            elem_id="batch",
            elem_classes="answer",
            label=text("page.table_of_files"),
            container=True,
            padding=True,
        )
        with gr.Row(elem_id="batch-downloads"):
            buttons = [
                gr.DownloadButton(
                    text(f"page.download_{kind}"), size="md", min_width=120, visible=False
                )
                for kind in KINDS
            ]
        ticked = candidates_box(text, self.labels, "batch-candidates")
        page.load(None, None, ticked, js=kept_candidates("batch-candidates", self.labels), **quiet)
        ticket, left_out = gr.Number(visible=False, precision=0), gr.JSON(visible=False)
        done = gr.State(time_to_live=STATE_S)
        language = gr.Textbox(visible=False)  # of the page
        # batch.js takes the files over, so that the area is free for the next ones, and starts.
        drop.upload(None, drop, drop, js="(files) => window.langid.batch.start(files)", **quiet)
        restrict = {
            "fn": self.restrict,
            "inputs": [done, ticked, language],
            "outputs": [table, *buttons],
            "js": "(done, ticked) => [done, window.langid.keep('batch-candidates', ticked), "
            "window.langid.language()]",
            **quiet,
        }
        table.start(
            self.run,
            [drop, ticket, left_out, language, ticked],
            [table, *buttons, done],
            js="(drop, ticket, leftOut, language, ticked) => "
            "[...window.langid.batch.begin(), window.langid.language(), ticked]",
            trigger_mode="multiple",
            **quiet,
        ).then(**restrict, trigger_mode="multiple")  # what was ticked meanwhile
        ticked.change(**restrict, trigger_mode="always_last")
        number = "() => [window.langid.batch.ticket()]"
        table.cancel(self.cancel, ticket, None, js=number, queue=False, **quiet)
        page.unload(self.leave)

    def run(
        self,
        files: ListFiles | None,
        ticket: int,
        left_out: list[str] | None,
        request: gr.Request,
        language: str = "en",
        candidates: list[str] | None = None,
    ) -> Iterator[Update]:
        """Values of the table as its rows become known, at last with the files to download.

        ``left_out`` are names of files that are too large, which the page did not upload.
        """
        session, texts = request.session_hash or "", texts_in(language)
        self.visitors.arrive(session, ticket)
        if self.visitors.has_newer(session, ticket):
            return  # it was overtaken on its way
        hidden = gr.update(visible=False)
        files = list(files) if files else []
        left_out = [str(name) for name in left_out] if isinstance(left_out, list) else []
        if len(files) + len(left_out) > MAX_FILES:
            sentence = too_many(len(files) + len(left_out), texts)
            html = problem_html(sentence, texts.language)
            yield view(ticket, "error", html, sentence), hidden, hidden, None
            return
        rows = [Row(displayed_name(file.orig_name or Path(file.path).name)) for file in files]
        rows += [Row(displayed_name(name), error=TOO_LARGE) for name in left_out]
        if not rows:
            return
        try:
            kept = choose_labels(candidates, self.labels)
        except ValueError:
            kept = None  # told at the end: what is found holds for any choice
        yield _working(texts, ticket, rows, kept), hidden, hidden, None
        try:
            for i in short_first([file.path for file in files]):
                path, is_unwanted = files[i].path, lambda: not self.visitors.want(session, ticket)
                for step in self._steps(path, is_unwanted):
                    if isinstance(step, str):
                        rows[i] = replace(rows[i], error=step)
                    elif step.is_last:
                        rows[i] = replace(rows[i], answer=step.answer)
                    working = _working(texts, ticket, rows, kept, step, i)
                    yield working, gr.skip(), gr.skip(), gr.skip()
        except IdentificationCancelled:
            if not self.visitors.is_newest(session, ticket):
                return
            rows = [row if row.is_done else replace(row, error=CANCELLED) for row in rows]
        update = self._update(texts, ticket, rows, candidates)
        if self.visitors.has_newer(session, ticket):
            return  # table, files and rows are those of another batch by now
        yield *update, (ticket, rows)

    def restrict(
        self,
        done: Done | None,
        candidates: list[str] | None,
        request: gr.Request,
        language: str = "en",
    ) -> tuple[dict, object, object]:
        """Table and files of a batch among the candidates, by arithmetic alone."""
        unchanged = gr.skip(), gr.skip(), gr.skip()
        if done is None:
            return unchanged
        ticket, rows = done
        update = self._update(texts_in(language), ticket, rows, candidates)
        # A batch that came meanwhile has hidden the files of this one.
        is_old = self.visitors.has_newer(request.session_hash or "", ticket)
        return unchanged if is_old else update

    def cancel(self, ticket: int, request: gr.Request) -> None:
        """End the work on a batch; the rows that are known stay and can be downloaded."""
        self.visitors.cancel(request.session_hash or "", ticket)

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page."""
        self.visitors.leave(request.session_hash or "")

    def _update(
        self, texts: Texts, ticket: int, rows: list[Row], candidates: list[str] | None
    ) -> tuple[dict, object, object]:
        """Table and files among the candidates, or the sentence that refuses them."""
        try:
            return _finished(texts, ticket, rows, choose_labels(candidates, self.labels))
        except ValueError as error:
            sentence, language = texts.translate(str(error))
            hidden = gr.update(visible=False)
            html = problem_html(sentence, language)
            return view(ticket, "error", html, sentence), hidden, hidden

    def _steps(self, path: str, should_stop: Callable[[], bool]) -> Iterator[Step | str]:
        """The steps of one recording, the last of them perhaps a sentence: its error.

        A batch is patient: where a single recording is told that too many are being identified,
        it waits.
        """
        while True:
            try:
                yield from self.handlers.steps(path, None, should_stop, is_batch=True)
                return
            except gr.Error as error:
                if not isinstance(error.__cause__, BusyError):
                    yield error.message
                    return
            if should_stop():
                raise IdentificationCancelled("The batch was stopped while it waited.")
            yield Step(None, PeakMeter(), is_waiting=True)
            time.sleep(POLL_S)


def _restricted(rows: list[Row], kept: tuple[str, ...] | None) -> list[Row]:
    """The rows among the labels ``kept``, None for all."""
    if kept is None:
        return rows
    return [replace(row, answer=row.answer.restricted(kept)) if row.answer else row for row in rows]


def _working(
    texts: Texts,
    ticket: int,
    rows: list[Row],
    kept: tuple[str, ...] | None,
    step: Step | str | None = None,
    current: int = 0,
) -> dict:
    step = step if isinstance(step, Step) and not step.is_last else None
    table = table_html(_restricted(rows, kept), step, current, texts)
    return view(ticket, "working", batch_progress_html(rows, step, texts) + table, "")


def _finished(
    texts: Texts, ticket: int, rows: list[Row], kept: tuple[str, ...] | None
) -> tuple[dict, object, object]:
    rows = _restricted(rows, kept)
    summary = summarise_rows(rows, texts)
    html = f'<p class="summary">{summary}</p>'
    if kept:
        chosen = texts("batch.chosen", names=texts.join(kept))
        html += f'<p class="chosen">{escape(chosen)}</p>'
    html += table_html(rows, texts=texts)
    try:
        base = Path(get_upload_folder())  # swept with the recordings
        base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=base))
        buttons = []
        for name, data in (("languages.csv", to_csv(rows)), ("languages.json", to_json(rows))):
            (folder / name).write_bytes(data)
            buttons.append(gr.update(value=str(folder / name), visible=True))
    except OSError as error:
        _log.warning("The results of a batch cannot be written: %s", error)
        html = problem_html(*texts.translate(NO_ROOM)) + html
        return view(ticket, "done", html, summary), gr.skip(), gr.skip()
    return view(ticket, "done", html, summary), *buttons
