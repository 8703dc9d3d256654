"""An answer → the HTML that the page shows, with everything that comes from outside escaped."""

from html import escape

from langid.audio.duration import describe_duration
from langid.identification import Identification
from langid.languages import NONE, OTHER, language_name
from langid.page.jobs import Step
from langid.page.timeline import Stretch, label_colours, stretches, ticks
from langid.page.times import clock
from langid.page.waveform import waveform_svg
from langid.page.words import describe_shares, join_names

PROBABLY = 0.7  # below this confidence an answer is only probable
LEAST_SHARE = 0.01  # of a bar of its own
SHORT_S = 3.0
ADVICE = {
    NONE: "Nobody seems to speak in it. If somebody does: record nearer to the microphone, "
    "or cut out the part with speech.",
    OTHER: "It sounds like speech in a language that is not among those this page knows. "
    "If you know that it is one of them, open “Candidates” and untick “Another language”.",
}
HINT = "Point at the strip, or tap it, for the second and third answer there."
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def answer_html(
    answer: Identification, step: Step, unrestricted: Identification | None = None
) -> str:
    """The whole answer. ``unrestricted`` is the one over all labels, where candidates differ."""
    parts = [_verdict(answer), _notes(answer, unrestricted), _track(answer, step)]
    parts += [_bars(answer, unrestricted), _table(answer)]
    return f'<section class="result">{"".join(parts)}</section>'


def progress_html(step: Step) -> str:
    """How far the work is, with a button that ends it."""
    if step.is_waiting:
        words = "Waiting: other recordings are being identified."
    elif step.fraction is not None:
        words = f"{step.fraction:.0%} of the recording, about {_left(step.left_s or 0)} left"
    elif step.answer:
        words = f"{describe_duration(step.answer.duration_s)} identified so far"
    else:
        words = "Identifying …"
    value = f' value="{step.fraction:.3f}"' if step.fraction is not None else ""
    return (
        f'<div class="working"><progress max="1"{value} aria-label="Progress"></progress>'
        f'<span class="words">{escape(words)}</span>'
        '<button type="button" class="cancel">Cancel</button></div>'
    )


def problem_html(sentence: str) -> str:
    """A sentence about what went wrong."""
    return f'<p class="problem">{escape(sentence)}</p>'


def headline(answer: Identification) -> str:
    """The answer in a few words: ``"probably French, 64 %"``."""
    if shares := describe_shares(answer.languages):
        return f"Several languages: {shares}"
    name = language_name(answer.language)
    if answer.confidence < PROBABLY:
        name = f"probably {join_names([answer.language])}"
    return f"{name}, {_percent(answer.confidence)}"


def _verdict(answer: Identification) -> str:
    if shares := describe_shares(answer.languages):
        return f'<p class="verdict several">Several languages: <b>{escape(shares)}</b></p>'
    kind = answer.language if answer.language in (NONE, OTHER) else "language"
    name, probably = language_name(answer.language), ""
    if answer.confidence < PROBABLY:
        name, probably = join_names([answer.language]), '<span class="probably">probably</span> '
    return (
        f'<p class="verdict {kind}">{probably}<b>{escape(name)}</b> '
        f'<span class="confidence">{_percent(answer.confidence)}</span></p>'
    )


def _notes(answer: Identification, unrestricted: Identification | None) -> str:
    notes = [ADVICE[answer.language]] if answer.language in ADVICE else []
    if answer.duration_s < SHORT_S and answer.language != NONE:
        notes.append("So short a recording is easily mistaken: five seconds or more are better.")
    if unrestricted:
        chosen = [label for label, share in answer.probabilities.items() if share]
        notes.append(
            f"Chosen only among {join_names(chosen)}. Among all answers: {headline(unrestricted)}."
        )
    notes += [f"⚠ {warning}" for warning in answer.warnings]
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _track(answer: Identification, step: Step) -> str:
    """Waveform, strip of segments and time axis, all on one scale."""
    share = min(step.fraction or 1.0, 1.0)
    length_s = answer.duration_s / share
    colours = label_colours(list(answer.probabilities))
    segments = "".join(
        _segment(stretch, length_s, colours[stretch.language]) for stretch in stretches(answer)
    )
    axis = "".join(
        f'<span style="left: {time_s / length_s:.3%}">{clock(time_s)}</span>'
        for time_s in ticks(length_s)
    )
    return (
        f'<div class="track" data-duration="{length_s:.3f}">'
        f'<div class="lanes">{waveform_svg(step.peaks.bars(), share)}'
        f'<div class="strip" role="group" aria-label="Language over time">{segments}</div>'
        '<div class="playhead" hidden></div></div>'
        f'<div class="axis" aria-hidden="true">{axis}</div>'
        f'<p class="detail" aria-live="polite">{HINT}</p></div>'
    )


def _segment(stretch: Stretch, length_s: float, colour: str) -> str:
    left, width = stretch.start_s / length_s, (stretch.end_s - stretch.start_s) / length_s
    ranked = sorted(stretch.probabilities.items(), key=lambda item: -item[1])
    ranked.sort(key=lambda item: item[0] != stretch.language)
    answers = ", ".join(f"{language_name(code)} {_percent(share)}" for code, share in ranked[:3])
    words = escape(f"{clock(stretch.start_s)} – {clock(stretch.end_s)}: {answers}")
    return (
        f'<button type="button" class="segment" data-start="{stretch.start_s:.3f}" '
        f'aria-label="{words}" style="left: {left:.4%}; width: {width:.4%}; --colour: {colour}">'
        f"<span>{escape(language_name(stretch.language))}</span></button>"
    )


def _bars(answer: Identification, unrestricted: Identification | None) -> str:
    colours = label_colours(list(answer.probabilities))
    ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
    rows = []
    for label, share in ranked:
        if share < LEAST_SHARE:
            break
        before = (
            f" <small>({_percent(unrestricted.probabilities[label])} among all)</small>"
            if unrestricted
            else ""
        )
        rows.append(
            f'<li style="--colour: {colours[label]}; --share: {share:.4f}">'
            f"<span>{escape(language_name(label))}</span>"
            f'<span class="bar"></span><span>{_percent(share)}{before}</span></li>'
        )
    n_small = sum(0 < share < LEAST_SHARE for _, share in ranked)
    rest = f'<p class="rest">and {_count(n_small)} under 1 %</p>' if n_small else ""
    return f'<ul class="bars" aria-label="How probable each answer is">{"".join(rows)}</ul>{rest}'


def _table(answer: Identification) -> str:
    if len(answer.segments) < 2:
        return f'<p class="facts">{describe_duration(answer.duration_s)} of audio.</p>'
    rows = "".join(
        f"<tr><td>{clock(segment.start_s)} – {clock(segment.end_s)}</td>"
        f"<td>{escape(language_name(segment.language))}</td>"
        f"<td>{_percent(segment.confidence)}</td></tr>"
        for segment in answer.segments
    )
    return (
        f'<p class="facts">{describe_duration(answer.duration_s)} of audio.</p>'
        f'<details class="segments"><summary>{len(answer.segments)} segments as a table</summary>'
        "<table><thead><tr><th>From – to</th><th>Language</th><th>Confidence</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )


def _percent(share: float) -> str:
    """``0.9749`` → ``"97 %"``; certainty and impossibility are not claimed."""
    if 0.995 <= share < 1:
        return "over 99 %"
    return "under 1 %" if 0 < share < LEAST_SHARE else f"{100 * share:.0f} %"


def _count(n: int) -> str:
    return COUNTS[n] if n < len(COUNTS) else str(n)


def _left(seconds: float) -> str:
    return describe_duration(max(1.0, round(seconds))).replace(".0 s", " s")
