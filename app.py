"""The Space: ``python app.py`` serves the page, the endpoint ``/predict`` and ``/health``.

``LANGID_MODEL`` and ``LANGID_REVISION`` choose the weights; ``GRADIO_SERVER_NAME`` and
``GRADIO_SERVER_PORT`` the address.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
from gradio.context import LocalContext
from gradio.route_utils import FnIndexInferError
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

import langid.page
from langid import (
    AudioError,
    Identification,
    IdentificationCancelled,
    LanguageIdentifier,
    WeightsError,
    __version__,
)
from langid.languages import choose_labels, language_name
from langid.page.answer import answer_html, headline, problem_html, progress_html
from langid.page.clients import ListenerMiddleware, Listeners, Visitors
from langid.page.figures import ADVICE, describe_figures, read_figures, summarise_figures
from langid.page.files import claim_folder, keep_swept
from langid.page.jobs import BusyError, Scheduler, Step
from langid.page.words import describe_weights, join_names

EXAMPLES = Path(__file__).parent / "examples"
# Name on the screen → clip; examples/make_examples.py makes them.
EXAMPLE_CLIPS = {
    "English": "english.flac",
    "French": "french.flac",
    "German": "german.flac",
    "Spanish": "spanish.flac",
    "Italian": "italian.flac",
    "Dutch (another language)": "dutch.flac",
    "Rain (no speech)": "rain.flac",
}
MAX_FILE_SIZE = "200mb"  # three hours of MP3
MAX_WAITING = 64  # requests in Gradio's queue; one more is told to come back
MAX_THREADS = 160  # every job holds one, the waiting ones as well
QUIET = {"api_visibility": "private", "show_progress": "hidden"}
PAGE_FILES = Path(langid.page.__file__).parent

KEEPING = "Recordings are deleted from the server after about an hour."
NO_AUDIO = "There is no recording yet: record one or choose a file, and wait until it is loaded."
GONE = "The recording is no longer on the server: load it again."
FAILED = "Something went wrong here, not with your recording: try again in a minute."
NOBODY = "Nobody waited for the answer, so the recording was not identified: ask again."
UNUSABLE = (
    "The recording could not be fetched: upload the file, or give a public http(s) address of it "
    'as {"path": "https://…", "meta": {"_type": "gradio.FileData"}}.'
)
UNKNOWN_CALL = (
    "There is no such endpoint or parameter: call /predict with audio and, if you like, candidates."
)
# What Gradio makes of such calls.
MISTAKES = (TypeError, LookupError, ValueError, AttributeError, FnIndexInferError)
EMPTY_ANSWER = """
<p class="announcement" role="status" aria-live="polite"></p>
<p class="empty">The answer comes here: the language, how sure it is, and when it is spoken.</p>
<div class="body"></div>
"""
SHOW_ANSWER = """
element.dataset.state = "empty";
window.langid.attach(element, (event) => trigger(event === "cancel" ? "cancel" : event));
watch("value", () => window.langid.show(props.value));
"""

_log = logging.getLogger("langid.app")


def load_identifier() -> tuple[LanguageIdentifier, str | None]:
    """The weights asked for; or the embedded ones, and a sentence for the page that says why.

    Raises
    ------
    WeightsError
        If the embedded weights themselves cannot be loaded.
    """
    wanted = os.environ.get("LANGID_MODEL")
    try:
        return LanguageIdentifier.from_pretrained(), None
    except WeightsError as error:
        if not wanted or wanted == "embedded":
            raise
        _log.warning("Serving the embedded weights instead of %s: %s", wanted, error)
    notice = (
        f"The weights “{wanted}” could not be loaded, so this page serves the embedded ones that "
        "come with it. The reason is in the server's log."
    )
    return LanguageIdentifier.from_pretrained("embedded"), notice


Shown = tuple[int, Identification, Step]  # a ticket, and what was found for it


class Handlers:
    """What the events of the page and its endpoint do, for one model."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self.identifier = identifier
        self.scheduler = Scheduler(identifier)
        self.listeners = Listeners()
        self.visitors = Visitors()
        self.start_s = time.monotonic()

    def show(
        self, audio: str | None, ticket: int, candidates: list[str], request: gr.Request
    ) -> Iterator[tuple[dict, Shown | None]]:
        """Values of the answer, and what `restrict` needs of it, as they become known."""
        session = request.session_hash or ""
        self.visitors.arrive(session, ticket)
        if audio is None:
            return
        steps = self._steps(audio, None, lambda: not self.visitors.want(session, ticket))
        step = None
        try:
            for step in steps:
                if step.is_last:
                    shown = (ticket, step.answer, step)
                    yield self.restrict(shown, candidates), shown
                else:
                    yield self._progress(ticket, step), gr.skip()
        except gr.Error as error:
            yield _view(ticket, "error", problem_html(error.message), error.message), None
        except IdentificationCancelled:
            if step and step.answer:
                shown = (ticket, step.answer, step)
                yield self.restrict(shown, candidates), shown
            else:
                yield _view(ticket, "error", problem_html("Cancelled."), "Cancelled."), None

    def restrict(self, shown: Shown | None, candidates: list[str]) -> dict:
        """The view of an answer among the candidates, by arithmetic alone."""
        if shown is None:
            return gr.skip()
        ticket, whole, step = shown
        try:
            kept = choose_labels(candidates, self.identifier.labels)
        except ValueError as error:
            return _view(ticket, "error", problem_html(str(error)), str(error))
        answer = whole.restricted(kept) if kept else whole
        html = answer_html(answer, step, unrestricted=whole if kept else None)
        return _view(ticket, "done", html, headline(answer))

    def cancel(self, ticket: int, request: gr.Request) -> None:
        """End the work on a recording; what is known of it stays on the page."""
        self.visitors.cancel(request.session_hash or "", ticket)

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page."""
        self.visitors.leave(request.session_hash or "")

    def predict(
        self, audio: str | None, candidates: list[str] | None = None
    ) -> tuple[dict[str, float], dict]:
        """Say which language is spoken in a recording: any audio or video file, from 0.3 s
        to four hours. `candidates` restricts the answer to some labels, given as codes or
        English names, for example ["en", "fr"]; by default all are possible. The first
        output holds the probability of each label by its English name, most probable first.
        The second is the whole result: `language` (a code, "other" or "none"), `confidence`,
        `probabilities` by code, the same for each of the overlapping `windows`, `segments` of
        one language, `duration_s`, `active_s` (seconds louder than its silence) and
        `warnings`.
        """
        if audio is None:
            raise gr.Error(NO_AUDIO, print_exception=False)
        try:
            kept = choose_labels(candidates, self.identifier.labels)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
        try:
            *_, step = self._steps(audio, kept, lambda: False)
        except IdentificationCancelled as error:
            raise gr.Error(NOBODY, print_exception=False) from error
        probabilities = step.answer.probabilities.items()
        return {language_name(k): share for k, share in probabilities}, step.answer.to_dict()

    async def health(self, _request: object) -> JSONResponse:
        """``/health``: what is served, since when, and how much there is to do."""
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "weights": self.identifier.source,
                "revision": self.identifier.revision,
                "uptime_s": round(time.monotonic() - self.start_s, 1),
                "queue": self.scheduler.counts(),
            }
        )

    def _steps(self, audio: str, kept: tuple[str, ...] | None, should_stop) -> Iterator[Step]:
        """Steps of an identification that somebody listens to; its errors become `gr.Error`."""
        event = LocalContext.event_id.get(None)  # None in a call without Gradio's queue
        keys = {event, getattr(LocalContext.request.get(None), "session_hash", None)} - {None}
        if event and not self.listeners.wait_for(*keys):
            raise IdentificationCancelled(NOBODY)
        try:
            yield from self.scheduler.identify(
                audio, kept, lambda: should_stop() or (event and not self.listeners.any_of(*keys))
            )
        except (AudioError, BusyError) as error:
            sentence = str(error) if Path(audio).exists() else GONE
            raise gr.Error(sentence, print_exception=False) from error
        except IdentificationCancelled:
            raise
        except Exception as error:
            _log.exception("The identification failed")
            raise gr.Error(FAILED, print_exception=False) from error

    def _progress(self, ticket: int, step: Step) -> dict:
        html = progress_html(step) + (answer_html(step.answer, step) if step.answer else "")
        return _view(ticket, "working", html, "")


def _view(ticket: int, state: str, html: str, words: str) -> dict:
    """Value of the answer's element: page.js drops it unless the ticket is the player's."""
    return {"ticket": ticket, "state": state, "html": html, "words": words}


class Page(gr.Blocks):
    """Blocks whose endpoint takes omitted values, and refuses wrong ones with a sentence."""

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        missing = [block.value for block in block_fn.inputs[len(inputs) :]]
        try:
            return await super().preprocess_data(
                block_fn, [*inputs, *missing], state, explicit_call
            )
        except gr.Error:
            raise
        except FileNotFoundError as error:
            raise gr.Error(GONE, print_exception=False) from error
        except Exception as error:
            _log.info("Input refused: %s", error)
            raise gr.Error(UNUSABLE, print_exception=False) from error


class Candidates(gr.Dropdown):
    """A dropdown that leaves it to the endpoint to refuse a value."""

    is_template = True

    def preprocess(self, payload):
        return payload


def build(identifier: LanguageIdentifier, notice: str | None = None) -> gr.Blocks:
    """The page and its endpoint for one model; ``notice`` is shown on top."""
    gr.set_static_paths([EXAMPLES])  # else they are served from the cache, which is emptied
    handlers = Handlers(identifier)
    choices = [(language_name(label), label) for label in identifier.labels]
    with Page(title="Which language is spoken?", analytics_enabled=False) as page:
        page.handlers = handlers
        gr.Markdown(
            "# Which language is spoken?\n"
            f"Record or drop speech: this page tells {join_names(identifier.languages)} apart, "
            "and says so when it is another language or nobody speaks.",
            elem_id="title",
        )
        if notice:
            gr.Markdown(f"⚠ {notice}", elem_id="notice")
        recording = recording_row()
        answer = gr.HTML(
            html_template=EMPTY_ANSWER,
            js_on_load=SHOW_ANSWER,
            elem_id="answer",
            label="Answer",
            container=True,
            padding=True,
        )
        with gr.Accordion("Candidates", open=False, elem_id="candidates"):
            ticked = gr.CheckboxGroup(
                choices,
                value=list(identifier.labels),
                show_label=False,
                info="Untick what it cannot be: the same probabilities are shared out anew.",
            )
        figures = read_figures(identifier.source, identifier.revision)
        gr.Markdown(f"### How sure can I be?\n{summarise_figures(figures)}")
        with gr.Accordion("All figures, and what no figure says", open=False):
            gr.Markdown(describe_figures(figures), elem_classes="table")
            gr.Markdown(ADVICE)
        gr.Markdown(
            f"{KEEPING} Weights: {describe_weights(identifier.source, identifier.revision)}.",
            elem_id="weights",
        )
        connect(page, handlers, recording, answer, ticked)
        endpoint(handlers, recording, choices)
    return page.queue(max_size=MAX_WAITING, default_concurrency_limit=None, api_open=False)


def recording_row() -> gr.Audio:
    """Recorder and player, the area for files, and the examples."""
    with gr.Row(equal_height=True):
        recording = gr.Audio(
            sources=["microphone"],
            type="filepath",
            label="Recording",
            editable=False,
            buttons=["download"],
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            elem_id="recording",
        )
        drop = gr.File(
            label="Drop audio or video here, or click to choose",
            height=150,
            elem_id="drop",
        )
    gr.HTML(
        '<p role="alert"></p>',
        js_on_load="window.langid.checkMicrophone()",
        elem_id="microphone-problem",
    )
    # The player takes the file over, so that the area is free for the next one.
    drop.upload(None, drop, [recording, drop], js="(file) => [file, null]", **QUIET)
    with gr.Row(elem_id="examples"):
        gr.HTML("<p>Examples (synthetic voices):</p>")
        for name, clip in EXAMPLE_CLIPS.items():
            path = str(EXAMPLES / clip)
            gr.Button(name, size="sm").click(
                None, None, recording, js=f"() => window.langid.example({path!r})", **QUIET
            )
    return recording


def connect(
    page: gr.Blocks,
    handlers: Handlers,
    recording: gr.Audio,
    answer: gr.HTML,
    ticked: gr.CheckboxGroup,
) -> None:
    """The page's events."""
    ticket, shown = gr.Number(visible=False, precision=0), gr.State()
    number = "window.langid.ticket()"
    # Every change of the recording is at once a run of its own, which ends the one before.
    recording.change(
        handlers.show,
        [recording, ticket, ticked],
        [answer, shown],
        js="(audio, ticket, ticked) => [audio, window.langid.begin(audio), ticked]",
        trigger_mode="multiple",
        **QUIET,
    ).then(handlers.restrict, [shown, ticked], answer, trigger_mode="multiple", **QUIET)
    ticked.change(handlers.restrict, [shown, ticked], answer, trigger_mode="always_last", **QUIET)
    answer.cancel(handlers.cancel, ticket, None, js=f"() => [{number}]", queue=False, **QUIET)
    page.unload(handlers.leave)


def endpoint(handlers: Handlers, recording: gr.Audio, choices: list[tuple[str, str]]) -> None:
    """``/predict``, for clients only: it has an input and outputs that the page does not show."""
    candidates = Candidates(
        choices,
        value=[label for _, label in choices],
        multiselect=True,
        allow_custom_value=True,
        label="Candidates, as codes or English names",
        visible=False,
    )
    bars = gr.Label(label="Probabilities by English name", visible=False)
    result = gr.JSON(label="The whole result", visible=False)
    gr.on([], handlers.predict, [recording, candidates], [bars, result], api_name="predict")


async def refuse(_request: object, error: Exception) -> JSONResponse:
    """A call that Gradio stumbles over: a sentence instead of "Internal Server Error"."""
    _log.info("Call refused: %r", error)
    return JSONResponse({"error": UNKNOWN_CALL}, status_code=400)


def launch(page: gr.Blocks, **options) -> tuple:
    """Serve the page; ``options`` are those of `gr.Blocks.launch`."""
    theme = gr.themes.Default(
        primary_hue="blue",
        font=["system-ui", "sans-serif"],  # a named font would be fetched from elsewhere
        font_mono=["ui-monospace", "monospace"],
    ).set(  # greys and a blue that can be read: contrast of 4.5 and more
        body_text_color_subdued="*neutral_600",
        block_info_text_color="*neutral_600",
        block_label_text_color="*neutral_600",
        block_title_text_color="*neutral_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )
    handlers = page.handlers
    script = (PAGE_FILES / "page.js").read_text(encoding="utf-8")
    return page.launch(
        theme=theme,
        css_paths=PAGE_FILES / "page.css",
        head=f"<script>{script}</script>",
        max_file_size=MAX_FILE_SIZE,
        max_threads=MAX_THREADS,
        footer_links=["api", "gradio", "settings"],
        app_kwargs={
            "middleware": [Middleware(ListenerMiddleware, listeners=handlers.listeners)],
            "routes": [Route("/health", handlers.health)],
            "exception_handlers": dict.fromkeys(MISTAKES, refuse),
        },
        **options,
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    folder, lock = claim_folder(Path(tempfile.gettempdir()) / "langid-page")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    keep_swept(folder)
    identifier, notice = load_identifier()
    _log.info("Weights: %s, revision %s", identifier.source, identifier.revision)
    launch(build(identifier, notice))
    lock.release()


if __name__ == "__main__":
    main()
