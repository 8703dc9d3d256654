"""The Space: ``python app.py`` serves the page, the endpoint ``/predict``, ``/health`` and MCP.

``LANGID_MODEL`` and ``LANGID_REVISION`` choose the weights; ``GRADIO_SERVER_NAME`` and
``GRADIO_SERVER_PORT`` the address.
"""

import logging
import os
import tempfile
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

import langid.page
from langid import LanguageIdentifier, WeightsError
from langid.languages import describe_rejection, language_name
from langid.page.clients import ListenerMiddleware
from langid.page.figures import ADVICE, describe_figures, read_figures, summarise_figures
from langid.page.files import claim_folder, keep_swept
from langid.page.words import describe_weights, join_names
from langid.space.batches import Batches
from langid.space.errors import MISTAKES, Page, refuse
from langid.space.handlers import Handlers
from langid.space.mcp_tool import SCHEMA_PATH, LanguageTool

EXAMPLES = Path(__file__).parent / "examples"
# Name on the screen → clip; examples/README.md names their sources.
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
SCRIPTS = ("page.js", "batch.js")
STYLES = ("page.css", "batch.css")

KEEPING = "Recordings are deleted from the server after about an hour."
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


def build(identifier: LanguageIdentifier, notice: str | None = None) -> gr.Blocks:
    """The page and its endpoint for one model; ``notice`` is shown on top."""
    gr.set_static_paths([EXAMPLES])  # else they are served from the cache, which is emptied
    handlers = Handlers(identifier)
    choices = [(language_name(label), label) for label in identifier.labels]
    with Page(title="Which language is spoken?", analytics_enabled=False) as page:
        page.handlers = handlers
        gr.Markdown(
            "# Which language is spoken?\n"
            f"Record or drop speech: this page tells {join_names(identifier.languages)} apart. "
            f"{describe_rejection(identifier.labels)}",
            elem_id="title",
        )
        if notice:
            gr.Markdown(f"⚠ {notice}", elem_id="notice")
        with gr.Tab("Recording"):
            recording, answer, ticked = recording_tab(choices)
        with gr.Tab("Many files"):
            Batches(handlers).layout(page)
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


def recording_tab(choices: list[tuple[str, str]]) -> tuple[gr.Audio, gr.HTML, gr.CheckboxGroup]:
    """What takes a recording, the answer, and the candidates that may be ticked off."""
    recording = recording_row()
    answer = gr.HTML(
        html_template=EMPTY_ANSWER,
        js_on_load=SHOW_ANSWER,
        elem_id="answer",
        elem_classes="answer",
        label="Answer",
        container=True,
        padding=True,
    )
    with gr.Accordion("Candidates", open=False, elem_id="candidates"):
        ticked = gr.CheckboxGroup(
            choices,
            value=[label for _, label in choices],
            show_label=False,
            info="Untick what it cannot be: the same probabilities are shared out anew.",
        )
    return recording, answer, ticked


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
        gr.HTML("<p>Examples (voices of public corpora):</p>")
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
    candidates = gr.Dropdown(
        choices,
        value=[label for _, label in choices],
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
    inputs = [recording, candidates, track]
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
    script = "".join((PAGE_FILES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return page.launch(
        theme=theme,
        css_paths=[PAGE_FILES / name for name in STYLES],
        head=f"<script>{script}</script>",
        max_file_size=MAX_FILE_SIZE,
        max_threads=MAX_THREADS,
        footer_links=["api", "gradio", "settings"],
        mcp_server=True,
        app_kwargs={
            "lifespan": tool.lifespan(page),
            "middleware": [Middleware(ListenerMiddleware, listeners=handlers.listeners)],
            "routes": [Route("/health", handlers.health), Route(SCHEMA_PATH, tool.schema)],
            "exception_handlers": dict.fromkeys(MISTAKES, refuse),
        },
        **options,
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    base = os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()
    folder, lock = claim_folder(Path(base) / "langid-page")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    keep_swept(folder)
    identifier, notice = load_identifier()
    _log.info("Weights: %s, revision %s", identifier.source, identifier.revision)
    launch(build(identifier, notice))
    lock.release()


if __name__ == "__main__":
    main()
