"""The tab "Many files": its layout, and what its events do, one recording after the other."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
from gradio.data_classes import ListFiles
from gradio.utils import get_upload_folder

from langid.errors import IdentificationCancelled
from langid.page.answer import problem_html
from langid.page.batch import (
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
from langid.page.waveform import PeakMeter
from langid.space.handlers import Handlers

CANCELLED = "Cancelled before it was identified."
TOO_LARGE = "The file is larger than this page takes: cut it into parts, or use the command line."
NO_ROOM = "The results cannot be downloaded: the server has no room for them. Try again later."

EMPTY = """
<p class="announcement" role="status" aria-live="polite"></p>
<p class="empty">The table comes here: a row for each file, filled as they are identified.</p>
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

Update = tuple[dict, object, object]  # of the table and of the buttons for CSV and JSON


class Batches:
    """Identifies many recordings for each visitor, with a table that fills."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.visitors = Visitors()

    def layout(self, page: gr.Blocks) -> None:
        """The contents of the tab, with their events."""
        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        drop = gr.File(
            label=f"Drop up to {MAX_FILES} files here, or click to choose",
            file_count="multiple",
            height=150,
            elem_id="batch-drop",
        )
        drop.preprocess = lambda payload: payload  # with the names that the visitor gave them
        table = gr.HTML(
            html_template=EMPTY,
            js_on_load=SHOW,
            elem_id="batch",
            elem_classes="answer",
            label="Table",
            container=True,
            padding=True,
        )
        with gr.Row(elem_id="batch-downloads"):
            kinds = ("CSV", "JSON")
            buttons = [
                gr.DownloadButton(f"Download {kind}", size="md", min_width=120, visible=False)
                for kind in kinds
            ]
        ticket, left_out = gr.Number(visible=False, precision=0), gr.JSON(visible=False)
        # batch.js takes the files over, so that the area is free for the next ones, and starts.
        drop.upload(None, drop, drop, js="(files) => window.langid.batch.start(files)", **quiet)
        table.start(
            self.run,
            [drop, ticket, left_out],
            [table, *buttons],
            js="() => window.langid.batch.begin()",
            trigger_mode="multiple",
            **quiet,
        )
        number = "() => [window.langid.batch.ticket()]"
        table.cancel(self.cancel, ticket, None, js=number, queue=False, **quiet)
        page.unload(self.leave)

    def run(
        self, files: ListFiles | None, ticket: int, left_out: list[str] | None, request: gr.Request
    ) -> Iterator[Update]:
        """Values of the table as its rows become known, at last with the files to download.

        ``left_out`` are names of files that are too large, which the page did not upload.
        """
        session = request.session_hash or ""
        self.visitors.arrive(session, ticket)
        hidden = gr.update(visible=False)
        files = list(files) if files else []
        left_out = [str(name) for name in left_out] if isinstance(left_out, list) else []
        if len(files) + len(left_out) > MAX_FILES:
            sentence = too_many(len(files) + len(left_out))
            yield _view(ticket, "error", problem_html(sentence), sentence), hidden, hidden
            return
        rows = [Row(displayed_name(file.orig_name or Path(file.path).name)) for file in files]
        rows += [Row(displayed_name(name), error=TOO_LARGE) for name in left_out]
        if not rows:
            return
        yield _working(ticket, rows), hidden, hidden

        def is_unwanted() -> bool:
            return not self.visitors.want(session, ticket)

        try:
            for i in short_first([file.path for file in files]):
                for step in self._steps(files[i].path, is_unwanted):
                    if isinstance(step, str):
                        rows[i] = replace(rows[i], error=step)
                    elif step.is_last:
                        rows[i] = replace(rows[i], answer=step.answer)
                    yield _working(ticket, rows, step, i), gr.skip(), gr.skip()
        except IdentificationCancelled:
            if not self.visitors.is_newest(session, ticket):
                return  # the table is that of another batch by now
            rows = [row if row.is_done else replace(row, error=CANCELLED) for row in rows]
        yield from _finished(ticket, rows)

    def cancel(self, ticket: int, request: gr.Request) -> None:
        """End the work on a batch; the rows that are known stay and can be downloaded."""
        self.visitors.cancel(request.session_hash or "", ticket)

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page."""
        self.visitors.leave(request.session_hash or "")

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


def _working(
    ticket: int, rows: list[Row], step: Step | str | None = None, current: int = 0
) -> dict:
    step = step if isinstance(step, Step) and not step.is_last else None
    html = batch_progress_html(rows, step) + table_html(rows, step, current)
    return _view(ticket, "working", html, "")


def _finished(ticket: int, rows: list[Row]) -> Iterator[Update]:
    summary = summarise_rows(rows)
    html = f'<p class="summary">{summary}</p>{table_html(rows)}'
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
        yield _view(ticket, "done", problem_html(NO_ROOM) + html, summary), gr.skip(), gr.skip()
        return
    yield _view(ticket, "done", html, summary), *buttons


def _view(ticket: int, state: str, html: str, words: str) -> dict:
    """Value of the table's element: batch.js drops it unless the ticket is the newest."""
    return {"ticket": ticket, "state": state, "html": html, "words": words}
