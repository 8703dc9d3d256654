"""The live tab: its layout, and what its events do for one model."""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from langid.errors import AudioError
from langid.identifier import LanguageIdentifier
from langid.page.answer import problem_html
from langid.page.live import LiveListener, read_chunk
from langid.page.live_answer import live_html, status_html
from langid.page.texts import ENGLISH, Texts, texts_in

MAX_LISTENERS = 16  # at once: a second of each is about 25 ms of work
ABANDONED_S = 30.0  # without a chunk
MAX_BEHIND_S = (
    3.0  # of sound that did not arrive: Gradio drops the chunks that it cannot keep up with
)
BUSY = ENGLISH("live.busy")
FAILED = ENGLISH("live.failed")
EMPTY = """
<p class="announcement" role="status" aria-live="polite"></p>
<div class="status"></div>
<p class="empty" data-text="script.live_empty"></p>
<div class="body"></div>
"""
SHOW = """
element.dataset.state = "empty";
window.langid.live.attach(element);
watch("value", () => window.langid.live.show(props.value));
"""

_log = logging.getLogger("langid.app")


@dataclass
class _Run:
    """From one press of Record to its end; ``listener`` is None once that has come."""

    number: int
    listener: LiveListener | None
    begun_s: float  # by the monotonic clock, as the next
    heard_s: float


class Live:
    """Who is listening now, at most `MAX_LISTENERS`, each with a state of constant size."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self.identifier = identifier
        self._runs: dict[str, _Run] = {}  # by session
        self._lock = threading.Lock()
        self._processor = threading.Lock()  # the seconds of all take turns

    def layout(self, page: gr.Blocks, text: gr.I18n) -> None:
        """The contents of the tab, with their events."""
        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        gr.Markdown(text("page.live_how"))
        microphone = gr.Audio(
            sources=["microphone"],
            streaming=True,
            type="filepath",
            label=text("page.microphone"),
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            elem_id="live-microphone",
        )
        gr.HTML(
            '<p role="alert"></p>',
            elem_id="live-microphone-problem",
            elem_classes=["aside", "microphone-problem"],
        )
        answer = gr.HTML(
            html_template=EMPTY,
            js_on_load=SHOW,
            elem_id="live-answer",
            elem_classes="answer",
            label=text("page.running_answer"),
            container=True,
            padding=True,
        )
        run = gr.Number(visible="hidden", precision=0)
        language = gr.Textbox(visible="hidden")  # of the page
        begin = "() => [window.langid.live.begin(), window.langid.language()]"
        microphone.start_recording(None, None, [run, language], js=begin, **quiet)
        # Not kept back by what else waits: a chunk that the next one overtakes is lost.
        microphone.stream(
            self.listen,
            [microphone, run, language],
            answer,
            stream_every=1.0,
            concurrency_limit=None,
            **quiet,
        )
        end = "() => [window.langid.live.end()]"
        microphone.stop_recording(self.stop, run, js=end, **quiet)
        page.unload(self.leave)

    def listen(
        self,
        chunk: str | None,
        number: int | None,
        request: gr.Request,
        language: str | None = "en",
    ) -> dict:
        """The view after another chunk of the microphone, a file that is deleted here."""
        texts = texts_in(language)
        if chunk is None or number is None:
            return gr.skip()
        try:
            samples, rate_hz = read_chunk(chunk)
        except FileNotFoundError:  # digital silence: another's file had the same content
            return gr.skip()
        except AudioError as error:
            return self._problem(request, number, error.args[0], texts)
        finally:
            _delete(chunk)
        run = self._run(request.session_hash or "", number)
        if run is None:
            return _view(number, "stopped", status=problem_html(*texts.translate(BUSY)))
        listener = run.listener  # Stop may come at any time
        if listener is None or run.number != number:
            return gr.skip()
        try:
            with self._processor:
                answer = listener.add(samples, rate_hz)
        except AudioError as error:
            return self._problem(request, number, error.args[0], texts)
        except Exception:
            _log.exception("Listening failed")
            return self._problem(request, number, FAILED, texts)
        if answer is None:
            return gr.skip()
        state = "listening"
        if answer.ending:
            run.listener, state = None, "stopped"
        name = texts.name(answer.now.language)
        is_behind = run.heard_s - run.begun_s - answer.end_s > MAX_BEHIND_S
        status = status_html(answer, is_behind, texts)
        return _view(number, state, status, live_html(answer, texts), name)

    def stop(self, number: int, request: gr.Request) -> None:
        """The visitor has pressed Stop; Record may have been pressed again since."""
        run = self._runs.get(request.session_hash or "")
        if run and run.number == number:
            run.listener = None

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page."""
        self._runs.pop(request.session_hash or "", None)

    def n_listeners(self) -> int:
        """How many are listening."""
        return sum(run.listener is not None for run in list(self._runs.values()))

    def counts(self) -> dict[str, int]:
        """Who is listening, and how many may."""
        return {"listeners": self.n_listeners(), "max_listeners": MAX_LISTENERS}

    def _run(self, session: str, number: int) -> _Run | None:
        """The session's run, a new one where the number is; None if too many are listening."""
        now_s = time.monotonic()
        with self._lock:
            for key, run in list(self._runs.items()):
                if run.heard_s < now_s - ABANDONED_S:
                    del self._runs[key]
            run = self._runs.get(session)
            if run is None or run.number < number:
                if run:
                    run.listener = None
                if self.n_listeners() >= MAX_LISTENERS:
                    return None
                run = self._runs[session] = _Run(
                    number, LiveListener(self.identifier), now_s, now_s
                )
            run.heard_s = now_s
            return run

    def _problem(self, request: gr.Request, number: int, sentence: str, texts: Texts) -> dict:
        self.stop(number, request)
        return _view(number, "stopped", problem_html(*texts.translate(sentence)))


def _delete(chunk: str) -> None:
    """Delete an upload, and nothing else that a client may name, as an example."""
    path = Path(chunk).resolve()
    with suppress(OSError):
        if path.is_relative_to(Path(get_upload_folder()).resolve()):
            path.unlink()


def _view(number: int, state: str, status: str, html: str | None = None, words: str = "") -> dict:
    """Value of the answer's element: live.js drops it unless its run is the microphone's."""
    return {"run": number, "state": state, "status": status, "html": html, "words": words}
