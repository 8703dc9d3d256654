"""The Space: ``python app.py`` serves the page and the endpoint ``/predict``.

``LANGID_MODEL`` and ``LANGID_REVISION`` choose the weights; ``GRADIO_SERVER_NAME`` and
``GRADIO_SERVER_PORT`` the address.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pandas as pd

from langid import AudioError, Identification, LanguageIdentifier, WeightsError
from langid.languages import choose_labels, describe_rejection, language_name
from langid.page.figures import ADVICE, describe_figures, read_figures
from langid.page.timeline import label_colours, legend_html, plot_columns
from langid.page.words import describe_answer, describe_weights, join_names, segment_table

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
MAX_WAITING = 32  # requests in the queue; one more is told to come back
MAX_DURATION_S = 4 * 3600
# Recordings at a time, so that a long one does not hold up everybody.
LIMITS = {"concurrency_id": "identify", "concurrency_limit": 2}
CACHE_CHECK_S, CACHE_AGE_S = 600, 3600  # how long a visitor's recording stays on the server

KEEPING = "Recordings are deleted from the server after about an hour."
NO_AUDIO = (
    "There is no recording yet: record one or choose a file, wait until it is loaded, and press "
    "Identify again."
)
TOO_SHORT = "Too short for a plot over time: it was heard in one piece."
CSS = """
.gradio-container { max-width: 1100px !important; margin: 0 auto !important; }
#notice { border-left: 4px solid #d97706; padding: 8px 12px; background: #d9770622; }
#recording { --neutral-400: var(--body-text-color-subdued); }  /* Gradio's grey is too light */
#legend ul { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 0;
  padding: 0; font-size: 0.9em; }
#legend li::before { content: ""; display: inline-block; width: 0.8em; height: 0.8em;
  margin-right: 0.4em; border-radius: 2px; background: var(--colour); }
#segments table { width: 100%; }
.table * { border: 0 !important; }
.table td, .table th { padding: 2px 12px 2px 0 !important;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.table td:last-child, .table th:last-child, #segments td:first-child { white-space: nowrap; }
"""
# On a phone the answer stands below the fold; where it is in view, nothing moves.
SCROLL_TO_ANSWER = "() => document.getElementById('bars').scrollIntoView({block: 'nearest'})"
PROGRESS = gr.Progress()

Kept = tuple[str, ...] | None  # labels that the answer may be, None for all

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


def by_name(answer: Identification, kept: Kept = None) -> dict[str, float]:
    """Probabilities for `gr.Label`: of the labels ``kept``, by default all."""
    return {
        language_name(label): share
        for label, share in answer.probabilities.items()
        if kept is None or label in kept
    }


def plot_over_time(answer: Identification) -> gr.BarPlot:
    """Update of the timeline: stacked bars."""
    columns, step, unit = plot_columns(answer)
    end = max(columns["time"]) + step / 2
    return gr.BarPlot(pd.DataFrame(columns), x_bin=step, x_lim=[0, end], x_title=f"time in {unit}")


class Handlers:
    """What the events of the page and its endpoint do, for one model."""

    def __init__(self, identifier: LanguageIdentifier):
        self.identifier = identifier

    def show(
        self, audio: str | None, candidates: list[str], progress: gr.Progress = PROGRESS
    ) -> Iterator[tuple]:
        """Values of the outputs of `answer_column` for a recording, as they become known."""
        try:
            kept = self._check(audio, candidates)
        except gr.Error as error:  # what the page shows stays
            gr.Warning(error.message)
            yield (gr.skip(),) * len(blank())
            return
        yield blank()
        try:
            answer = self._identify(audio, kept, progress)
        except gr.Error as error:  # the sentence outlasts the pop-up
            yield blank(f"⚠ {error.message}")
            raise
        yield describe(answer, kept)

    def predict(
        self,
        audio: str | None,
        candidates: list[str] | None = None,
        progress: gr.Progress = PROGRESS,
    ) -> tuple[dict[str, float], dict]:
        """Say which language is spoken in a recording: any audio or video file, from 0.3 s
        to some hours. `candidates` restricts the answer to some labels, given as codes or
        English names, for example ["en", "fr"]; by default all are possible. The first
        output holds the probability of each label by its English name, most probable first.
        The second is the whole result: `language` (a code, "other" or "none"), `confidence`,
        `probabilities` by code, the same for each of the overlapping `windows`, `segments` of
        one language, `duration_s`, `active_s` (seconds louder than its silence), `warnings`, and
        `languages`: those that hold stretches of their own, longest first, each with `language`,
        its `share` of the speech and its `seconds`.
        """
        answer = self._identify(audio, self._check(audio, candidates), progress)
        return by_name(answer), answer.to_dict()

    def _check(self, audio: str | None, candidates: list[str] | None) -> Kept:
        """The candidates' labels, None for all; `gr.Error` without audio or with bad candidates."""
        if audio is None:
            raise gr.Error(NO_AUDIO, print_exception=False)
        try:
            return choose_labels(candidates, self.identifier.labels)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def _identify(self, audio: str, kept: Kept, progress: gr.Progress) -> Identification:
        """Identify a file; an `AudioError` becomes a `gr.Error` with its sentence."""
        try:
            return self.identifier.identify(
                audio,
                languages=kept,
                progress=lambda done_s: progress((round(done_s), None), unit="s heard"),
                max_duration_s=MAX_DURATION_S,
            )
        except AudioError as error:
            raise gr.Error(str(error), print_exception=False) from error


def blank(sentence: str = "") -> tuple:
    """Values of the outputs of `answer_column` without an answer."""
    return None, sentence, gr.Column(visible=False), gr.skip(), gr.Markdown(visible=False)


def describe(answer: Identification, kept: Kept) -> tuple:
    """Values of the outputs of `answer_column`."""
    bars, summary, timeline, plot, segments = blank(describe_answer(answer, kept))
    bars = by_name(answer, kept)
    if len(answer.windows) == 1:
        summary += f"\n\n{TOO_SHORT}"
    else:
        timeline, plot = gr.Column(visible=True), plot_over_time(answer)
    if len(answer.segments) > 1:
        segments = gr.Markdown(segment_table(answer.segments), visible=True)
    return bars, summary, timeline, plot, segments


def build(identifier: LanguageIdentifier, notice: str | None = None) -> gr.Blocks:
    """The page and its endpoint for one model; ``notice`` is shown on top."""
    gr.set_static_paths([EXAMPLES])  # else they are served from the cache, which is emptied
    handlers = Handlers(identifier)
    choices = [(language_name(label), label) for label in identifier.labels]
    with gr.Blocks(
        title="Which language is spoken?",
        analytics_enabled=False,
        delete_cache=(CACHE_CHECK_S, CACHE_AGE_S),
    ) as page:
        gr.Markdown(
            "# Which language is spoken?\n"
            f"Record or upload speech: this page tells {join_names(identifier.languages)} apart. "
            f"{describe_rejection(identifier.labels)}"
        )
        if notice:
            gr.Markdown(f"⚠ {notice}", elem_id="notice")
        with gr.Row():
            with gr.Column():
                audio, ticked, button, examples = recording_column(choices)
            with gr.Column():
                outputs = answer_column(identifier.labels)
        gr.Markdown("### How sure can I be?")
        with gr.Row():
            with gr.Column():
                figures = read_figures(identifier.source, identifier.revision)
                gr.Markdown(describe_figures(figures), elem_classes="table")
            with gr.Column():
                gr.Markdown(f"{ADVICE}\n\n{KEEPING}")
        gr.Markdown(
            f"Weights: {describe_weights(identifier.source, identifier.revision)}.",
            elem_id="weights",
        )
        endpoint(handlers, audio, choices)
        quiet = {"api_visibility": "private", "show_progress_on": outputs[0]}
        new_audio = gr.on(
            [audio.upload, audio.stop_recording, button.click],
            handlers.show,
            [audio, ticked],
            outputs,
            trigger_mode="always_last",
            **quiet,
            **LIMITS,
        )
        new_example = examples.load_input_event.then(
            handlers.show, [audio, ticked], outputs, **quiet, **LIMITS
        )
        for shown in (new_audio, new_example):
            shown.success(None, js=SCROLL_TO_ANSWER, api_visibility="private")
        audio.clear(blank, None, outputs, cancels=[new_audio, new_example], **quiet)
    return page.queue(max_size=MAX_WAITING)


def recording_column(
    choices: list[tuple[str, str]],
) -> tuple[gr.Audio, gr.CheckboxGroup, gr.Button, gr.Examples]:
    """The recorder, the candidates, the button and the examples."""
    audio = gr.Audio(
        sources=["microphone", "upload"],
        type="filepath",
        label="Recording",
        editable=False,
        buttons=["download"],
        elem_id="recording",
    )
    ticked = gr.CheckboxGroup(
        choices,
        value=[label for _, label in choices],
        label="Candidates",
        info="Untick what it cannot be.",
        elem_id="candidates",
    )
    button = gr.Button("Identify", variant="primary", elem_id="identify")
    examples = gr.Examples(
        [[str(EXAMPLES / clip)] for clip in EXAMPLE_CLIPS.values()],
        inputs=[audio],
        example_labels=list(EXAMPLE_CLIPS),
        label="Examples (synthetic voices)",
        # Identifying one is as fast as reading a cache, which would outlive the weights.
        cache_examples=False,
    )
    return audio, ticked, button, examples


def answer_column(labels: tuple[str, ...]) -> list:
    """The outputs of an answer: bars, summary, the column of the plot, the plot, the segments."""
    bars = gr.Label(label="Language", elem_id="bars")
    summary = gr.Markdown(elem_id="summary")
    with gr.Column(visible=False) as timeline:
        plot = gr.BarPlot(
            x="time",
            y="probability",
            color="language",
            color_map={language_name(k): c for k, c in label_colours(labels).items()},
            colors_in_legend=[],  # cut off on a phone: it has a legend of its own
            y_lim=[0, 1],
            y_aggregate="mean",
            y_axis_format="%",
            x_axis_format="~g",
            height=220,
            show_label=False,  # it would push the axis out of the box
            elem_id="timeline",
        )
        gr.HTML(legend_html(labels), elem_id="legend")
    with gr.Column(elem_classes="table"):
        segments = gr.Markdown(visible=False, max_height=300, elem_id="segments")
    return [bars, summary, timeline, plot, segments]


def endpoint(handlers: Handlers, audio: gr.Audio, choices: list[tuple[str, str]]) -> None:
    """``/predict``, for clients only: it has an input and outputs that the page does not show."""
    candidates = gr.Dropdown(
        choices,
        value=[label for _, label in choices],
        multiselect=True,
        allow_custom_value=True,
        label="Candidates, as codes or English names",
        visible=False,
    )
    bars = gr.Label(label="Probabilities by English name", visible=False)
    result = gr.JSON(label="The whole result", visible=False)
    gr.on([], handlers.predict, [audio, candidates], [bars, result], api_name="predict", **LIMITS)


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
    links = ["api", "gradio", "settings"]
    return page.launch(
        theme=theme, css=CSS, max_file_size=MAX_FILE_SIZE, footer_links=links, **options
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    identifier, notice = load_identifier()
    _log.info("Weights: %s, revision %s", identifier.source, identifier.revision)
    launch(build(identifier, notice))


if __name__ == "__main__":
    main()
