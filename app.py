"""The Space: ``python app.py`` serves the page, the endpoint ``/predict``, ``/health`` and MCP.

``LANGID_MODEL`` and ``LANGID_REVISION`` choose the weights; ``GRADIO_SERVER_NAME`` and
``GRADIO_SERVER_PORT`` the address.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

import langid.page
from langid import LanguageIdentifier, WeightsError
from langid.languages import language_name
from langid.page.clients import ListenerMiddleware
from langid.page.disk import UploadMiddleware
from langid.page.files import claim_folder, keep_swept
from langid.page.head import HeadMiddleware
from langid.page.memory import keep_trimmed, limit_arenas
from langid.page.texts import ENGLISH
from langid.space.batches import Batches
from langid.space.candidates import candidates_box, kept_candidates
from langid.space.errors import MISTAKES, Page, refuse
from langid.space.handlers import Handlers
from langid.space.mcp_tool import SCHEMA_PATH, LanguageTool
from langid.space.sessions import CallMiddleware
from langid.space.translations import language_html, preview_html, script_texts, translate_layout

EXAMPLES = Path(__file__).parent / "examples"
# Clips; examples/README.md names their sources. The texts name them: page.example.….
EXAMPLE_CLIPS = ("english", "french", "german", "spanish", "italian", "dutch", "rain")
MAX_FILE_SIZE = "200mb"  # three hours of MP3
MAX_WAITING = 64  # requests in Gradio's queue; one more is told to come back
MAX_SESSIONS = 1_000  # that Gradio remembers, of 160 kB each: pages and clients that stay
MAX_THREADS = 160  # every job holds one, the waiting ones as well
QUIET = {"api_visibility": "private", "show_progress": "hidden"}
PAGE_FILES = Path(langid.page.__file__).parent
SCRIPTS = ("page.js", "toasts.js", "live.js", "batch.js")
STYLES = ("page.css", "live.css", "batch.css")

EMPTY_ANSWER = """
<p class="announcement" role="status" aria-live="polite"></p>
<p class="empty" data-text="script.empty"></p>
<div class="body"></div>
"""
SHOW_ANSWER = """
element.dataset.state = "empty";
window.langid.attach(element, { "cancel": trigger, "language": trigger });
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


def build(identifier: LanguageIdentifier, notice: str | None = None) -> gr.Blocks:
    """The page and its endpoint for one model; ``notice`` is shown on top."""
    gr.set_static_paths([EXAMPLES])  # else they are served from the cache, which is emptied
    handlers = Handlers(identifier)
    text = translate_layout(identifier)
    with Page(title=ENGLISH("page.title"), analytics_enabled=False) as page:
        page.handlers, page.i18n_instance = handlers, text
        gr.Markdown(text("page.head"), elem_id="title")
        if notice:
            gr.Markdown(f"⚠ {notice}", elem_id="notice")
        with gr.Tab(text("page.recording"), elem_id="tab-recording"):
            recording, answer, ticked = recording_tab(text, identifier.labels)
        with gr.Tab(text("page.live"), elem_id="tab-live"):
            handlers.live.layout(page, text)
        with gr.Tab(text("page.many"), elem_id="tab-many"):
            Batches(handlers).layout(page, text)
        gr.Markdown(text("page.figures"), elem_id="figures")
        with gr.Accordion(text("page.all_figures"), open=False):
            gr.Markdown(text("page.table"), elem_classes="table")
            gr.Markdown(text("page.advice"))
        gr.Markdown(text("page.keeping"), elem_id="weights")
        connect(page, handlers, recording, answer, ticked)
        endpoint(handlers, identifier.labels)
    return page.queue(max_size=MAX_WAITING, default_concurrency_limit=None, api_open=False)


def recording_tab(
    text: gr.I18n, labels: tuple[str, ...]
) -> tuple[gr.Audio, gr.HTML, gr.CheckboxGroup]:
    """What takes a recording, the answer, and the candidates that may be ticked off."""
    recording = recording_row(text)
    answer = gr.HTML(
        html_template=EMPTY_ANSWER,
        js_on_load=SHOW_ANSWER,
        elem_id="answer",
        elem_classes="answer",
        label=text("page.answer"),
        container=True,
        padding=True,
    )
    ticked = candidates_box(text, labels, "candidates")
    return recording, answer, ticked


def recording_row(text: gr.I18n) -> gr.Audio:
    """Recorder and player, the area for files, and the examples."""
    with gr.Row(equal_height=True, elem_id="sources"):
        recording = gr.Audio(
            sources=["microphone"],
            type="filepath",
            label=text("page.recording"),
            editable=False,
            buttons=["download"],
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            elem_id="recording",
        )
        drop = gr.File(label=text("page.drop"), height=150, elem_id="drop")
    gr.HTML('<p role="alert"></p>', elem_classes=["aside", "upload-problem"])
    gr.HTML('<p role="alert"></p>', elem_id="player-problem", elem_classes="aside")
    gr.HTML(
        '<p role="alert"></p>',
        js_on_load="window.langid.checkMicrophone()",
        elem_id="microphone-problem",
        elem_classes=["aside", "microphone-problem"],
    )
    # The player takes the file over, so that the area is free for the next one.
    drop.upload(None, drop, [recording, drop], js="(file) => [file, null]", **QUIET)
    with gr.Row(elem_id="examples"):
        gr.Markdown(text("page.examples"))
        for name in EXAMPLE_CLIPS:
            path = str(EXAMPLES / f"{name}.flac")
            gr.Button(text(f"page.example.{name}"), size="sm").click(
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
    language = gr.Textbox(visible=False)  # of the page: the script knows it
    asks = "window.langid.language()"
    restrict = {
        "fn": handlers.restrict,
        "inputs": [shown, ticked, language],
        "outputs": answer,
        "js": f"(shown, ticked) => [shown, window.langid.keep('candidates', ticked), {asks}]",
        **QUIET,
    }
    # Every change of the recording is at once a run of its own, which ends the one before.
    recording.change(
        handlers.show,
        [recording, ticket, ticked, language],
        [answer, shown],
        js=f"(audio, ticket, ticked) => [audio, window.langid.begin(audio), ticked, {asks}]",
        trigger_mode="multiple",
        **QUIET,
    ).then(**restrict, trigger_mode="multiple")
    ticked.change(**restrict, trigger_mode="always_last")
    answer.language(**restrict, trigger_mode="always_last")
    cancel = "() => [window.langid.ticket()]"
    answer.cancel(handlers.cancel, ticket, None, js=cancel, queue=False, **QUIET)
    # What was ticked on the last visit.
    kept = kept_candidates("candidates", handlers.identifier.labels)
    page.load(None, None, ticked, js=kept, **QUIET)
    page.unload(handlers.leave)


def endpoint(handlers: Handlers, labels: tuple[str, ...]) -> None:
    """``/predict``, for clients only, in English: the page does not show its inputs and outputs."""
    audio = gr.Audio(type="filepath", label="Recording", visible=False)
    candidates = gr.Dropdown(
        [(language_name(label), label) for label in labels],
        value=list(labels),
        multiselect=True,
        allow_custom_value=True,
        label="Candidates, as codes or English names",
        visible=False,
    )
    candidates.preprocess = lambda payload: payload  # the handler refuses in better words
    track = gr.Number(label="Audio track, from 1 on", visible=False)
    track.preprocess = lambda payload: payload
    bars = gr.Label(label="Probabilities by English name", visible=False)
    result = gr.JSON(label="The whole result", visible=False)
    inputs = [audio, candidates, track]
    gr.on([], handlers.predict, inputs, [bars, result], api_name="predict")


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
    tool = LanguageTool(handlers.scheduler)
    preview = preview_html(handlers.identifier.languages)
    script = "".join((PAGE_FILES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return page.launch(
        theme=theme,
        css_paths=[PAGE_FILES / name for name in STYLES],
        head=f"<script>{script_texts(page.i18n_instance)}\n{script}</script>",
        i18n=page.i18n_instance,
        max_file_size=MAX_FILE_SIZE,
        max_threads=MAX_THREADS,
        state_session_capacity=MAX_SESSIONS,
        footer_links=["api", "gradio", "settings"],
        mcp_server=True,
        ssr_mode=False,  # a Space may turn it on, and then Node.js makes another page
        app_kwargs={
            "lifespan": tool.lifespan(page),
            "middleware": [
                Middleware(CallMiddleware, page=page),
                Middleware(ListenerMiddleware, listeners=handlers.listeners),
                Middleware(UploadMiddleware, folder=Path(gr.utils.get_upload_folder())),
                Middleware(HeadMiddleware, html=language_html() + preview),
            ],
            "routes": [Route("/health", handlers.health), Route(SCHEMA_PATH, tool.schema)],
            "exception_handlers": dict.fromkeys(MISTAKES, refuse),
        },
        **options,
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    limit_arenas()
    # Gradio makes a table of the newest calls after each, 10,000 of them unless it is told.
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
    base = os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()
    try:
        folder, lock = claim_folder(Path(base) / "langid-page")
    except OSError as error:
        sys.exit(
            f"Recordings cannot be kept in {base}: {error.strerror}. Make room there, or set "
            "GRADIO_TEMP_DIR to another folder."
        )
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    keep_swept(folder)
    keep_trimmed()
    try:
        identifier, notice = load_identifier()
    except WeightsError as error:
        sys.exit(str(error))
    _log.info("Weights: %s, revision %s", identifier.source, identifier.revision)
    launch(build(identifier, notice))
    lock.release()


if __name__ == "__main__":
    main()
