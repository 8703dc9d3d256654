"""A running answer → the HTML that the live tab shows."""

import math
from html import escape

from langid.languages import NONE, language_name
from langid.page.answer import bars_html, verdict_html
from langid.page.live import PEAK_S, Heard, LiveAnswer
from langid.page.timeline import label_colours, ticks
from langid.page.times import clock
from langid.page.waveform import waveform_svg

SPANS_S = (30.0, 60.0, 120.0)  # of the strip: the first that the history fits into
N_LISTED = 6  # stretches in words, the newest ones
QUIET_PEAK = 0.02  # no louder, and the waveform stays flat: noise is not to look like speech
SHORT_S = 3.0  # of one language: too little to be sure
NO_SPEECH = "Nobody speaks now, or the microphone does not hear it."
BEHIND = ". The server or the connection is too slow just now: parts of the speech are lost."
SHORT = "A few words more make it surer."


def live_html(answer: LiveAnswer) -> str:
    """Verdict of the moment, its probabilities, and what was heard before."""
    note = ""
    if answer.now.language == NONE:
        note = NO_SPEECH
    elif answer.end_s - answer.history[-1].start_s < SHORT_S:
        note = SHORT
    parts = [verdict_html(answer.now), f'<p class="note">{note}</p>', _track(answer)]
    parts += ['<div class="columns"><div>', bars_html(answer.now), "</div>"]
    parts += [_list(answer.history), "</div>"]
    return f'<section class="result">{"".join(parts)}</section>'


def status_html(answer: LiveAnswer, is_behind: bool = False) -> str:
    """That it listens, and to how much by now, or that much is lost; or why it has ended."""
    words = answer.ending or f"Listening, {clock(answer.end_s)}{BEHIND if is_behind else ''}"
    return f'<p class="{"problem" if answer.ending else "listening"}">{escape(words)}</p>'


def _track(answer: LiveAnswer) -> str:
    """Waveform, strip and time axis of the history, all on one scale."""
    start_s = answer.history[0].start_s
    length_s = next((s for s in SPANS_S if answer.end_s - start_s <= s), SPANS_S[-1])
    colours = label_colours(list(answer.now.probabilities))
    strip = "".join(
        f'<div class="segment" style="left: {(heard.start_s - start_s) / length_s:.3%}; '
        f"width: {(heard.end_s - heard.start_s) / length_s:.3%}; "
        f'--colour: {colours[heard.language]}"><span>{_name(heard)}</span></div>'
        for heard in answer.history
    )
    step_s = ticks(length_s).step
    first = math.ceil(start_s / step_s) * step_s
    axis = "".join(
        f'<span style="left: {(time_s - start_s) / length_s:.3%}">{clock(time_s)}</span>'
        for time_s in range(first, math.ceil(start_s + 0.95 * length_s), step_s)
    )
    n_peaks = round((answer.end_s - start_s) / PEAK_S)
    peaks = answer.peaks[-n_peaks:]
    peaks = peaks / max(float(peaks.max(initial=0.0)), QUIET_PEAK)
    drawing = waveform_svg(peaks, (answer.end_s - start_s) / length_s)
    return (
        f'<div class="track" aria-hidden="true"><div class="lanes">{drawing}'
        f'<div class="strip">{strip}</div></div><div class="axis">{axis}</div></div>'
    )


def _list(history: tuple[Heard, ...]) -> str:
    """The newest stretches in words, the newest first."""
    rows = "".join(
        f"<li>{clock(heard.start_s)} – {clock(heard.end_s)} <b>{_name(heard)}</b></li>"
        for heard in history[: -N_LISTED - 1 : -1]
    )
    return f'<ol class="heard" aria-label="What was heard, the newest first">{rows}</ol>'


def _name(heard: Heard) -> str:
    return escape(language_name(heard.language))
