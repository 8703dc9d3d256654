"""An answer → the HTML that the page shows, with everything that comes from outside escaped."""

from html import escape

from langid.identification import Identification
from langid.languages import NONE, OTHER
from langid.page.jobs import Step
from langid.page.texts import ENGLISH, LEAST_SHARE, Texts
from langid.page.timeline import Stretch, label_colours, stretches, ticks
from langid.page.times import clock
from langid.page.waveform import waveform_svg
from langid.page.words import describe_shares

PROBABLY = 0.7  # below this confidence an answer is only probable
SHORT_S = 3.0


def answer_html(
    answer: Identification,
    step: Step,
    unrestricted: Identification | None = None,
    texts: Texts = ENGLISH,
) -> str:
    """The whole answer. ``unrestricted`` is the one over all labels, where candidates differ."""
    parts = [verdict_html(answer, texts), _notes(answer, unrestricted, texts)]
    parts += [_track(answer, step, texts), bars_html(answer, unrestricted, texts)]
    parts += [_table(answer, texts)]
    return f'<section class="result" tabindex="-1">{"".join(parts)}</section>'


def progress_html(step: Step, texts: Texts = ENGLISH) -> str:
    """How far the work is, with a button that ends it."""
    if step.is_waiting:
        words = texts("work.waiting")
    elif step.fraction is not None:
        left = texts.time_left(step.left_s or 0)
        words = texts("work.fraction", share=texts.share(step.fraction), left=left)
    elif step.answer:
        words = texts("work.so_far", duration=texts.duration(step.answer.duration_s))
    else:
        words = texts("work.begun")
    return work_html(words, step.fraction, texts)


def work_html(words: str, share: float | None, texts: Texts = ENGLISH) -> str:
    """A bar of progress, ``words`` beside it, and a button that ends the work."""
    value = f' value="{share:.3f}"' if share is not None else ""
    return (
        f'<div class="working"><progress max="1"{value} '
        f'aria-label="{escape(texts("work.progress"))}"></progress>'
        f'<span class="words">{escape(words)}</span>'
        f'<button type="button" class="cancel">{escape(texts("work.cancel"))}</button></div>'
    )


def problem_html(sentence: str, language: str = "en") -> str:
    """A sentence about what went wrong, and the language it is in."""
    return f'<p class="problem" lang="{language}" tabindex="-1">{escape(sentence)}</p>'


def headline(answer: Identification, texts: Texts = ENGLISH) -> str:
    """The answer in a few words: ``"probably French, 64 %"``."""
    words, kind = answer_words(answer, texts)
    plain = words.replace("*", "")
    return plain if kind == "several" else f"{plain}, {texts.probability(answer.confidence)}"


def answer_words(answer: Identification, texts: Texts) -> tuple[str, str]:
    """What is said, with asterisks around what is bold, and its class."""
    if shares := describe_shares(answer.languages, texts):
        return texts("answer.several", shares=shares), "several"
    label = answer.language
    kind = label if label in (NONE, OTHER) else "language"
    if answer.confidence >= PROBABLY:
        return f"*{texts.name(label)}*", kind
    if kind == "language":
        return texts("answer.probably", name=texts.phrase(label)), kind
    return texts(f"answer.probably_{kind}"), kind


def verdict_html(answer: Identification, texts: Texts = ENGLISH) -> str:
    """The answer in large type, with how sure it is."""
    words, kind = answer_words(answer, texts)
    before, bold, _ = escape(words).split("*")
    share = texts.probability(answer.confidence)
    end = "" if kind == "several" else f' <span class="confidence">{share}</span>'
    if before and kind != "several":
        before = f'<span class="probably">{before.strip()}</span> '
    return f'<p class="verdict {kind}">{before}<b>{bold}</b>{end}</p>'


def _notes(answer: Identification, unrestricted: Identification | None, texts: Texts) -> str:
    notes = []
    if answer.language in (NONE, OTHER):
        notes.append(texts(f"answer.advice_{answer.language}"))
    if answer.duration_s < SHORT_S and answer.language != NONE:
        notes.append(texts("answer.short"))
    if unrestricted:
        names = texts.join([label for label, share in answer.probabilities.items() if share])
        among_all = headline(unrestricted, texts)
        notes.append(texts("answer.chosen", names=names, headline=among_all))
    html = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    for warning in answer.warnings:
        sentence, language = texts.translate(warning)
        html += f'<p class="note" lang="{language}">⚠ {escape(sentence)}</p>'
    return html


def _track(answer: Identification, step: Step, texts: Texts) -> str:
    """Waveform, strip of segments and time axis, all on one scale."""
    share = min(step.fraction or 1.0, 1.0)
    length_s = answer.duration_s / share
    colours = label_colours(list(answer.probabilities))
    segments = "".join(
        _segment(stretch, length_s, colours[stretch.language], texts)
        for stretch in stretches(answer)
    )
    axis = "".join(
        f'<span style="left: {time_s / length_s:.3%}">{clock(time_s)}</span>'
        for time_s in ticks(length_s)
    )
    return (
        f'<div class="track" data-duration="{length_s:.3f}">'
        f'<div class="lanes">{waveform_svg(step.peaks.bars(), share)}'
        f'<div class="strip" role="toolbar" aria-label="{escape(texts("answer.strip"))}">'
        f"{segments}</div>"
        '<div class="playhead" hidden></div></div>'
        f'<div class="axis" aria-hidden="true">{axis}</div>'
        f'<p class="detail">{escape(texts("answer.hint"))}</p></div>'
    )


def _segment(stretch: Stretch, length_s: float, colour: str, texts: Texts) -> str:
    left, width = stretch.start_s / length_s, (stretch.end_s - stretch.start_s) / length_s
    ranked = sorted(stretch.probabilities.items(), key=lambda item: -item[1])
    ranked.sort(key=lambda item: item[0] != stretch.language)
    answers = ", ".join(
        f"{texts.name(label)} {texts.probability(share)}" for label, share in ranked[:3]
    )
    words = escape(f"{clock(stretch.start_s)} – {clock(stretch.end_s)}: {answers}")
    return (
        f'<button type="button" class="segment" data-start="{stretch.start_s:.3f}" '
        f'aria-label="{words}" style="left: {left:.4%}; width: {width:.4%}; --colour: {colour}">'
        f"<span>{escape(texts.name(stretch.language))}</span></button>"
    )


def bars_html(
    answer: Identification, unrestricted: Identification | None = None, texts: Texts = ENGLISH
) -> str:
    """The probabilities worth a bar, most probable first; the rest in words."""
    colours = label_colours(list(answer.probabilities))
    ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
    rows = []
    for label, share in ranked:
        if share < LEAST_SHARE:
            break
        before = ""
        if unrestricted:
            among_all = texts.probability(unrestricted.probabilities[label])
            before = f" <small>({escape(texts('answer.among_all', share=among_all))})</small>"
        rows.append(
            f'<li style="--colour: {colours[label]}; --share: {share:.4f}">'
            f"<span>{escape(texts.name(label))}</span>"
            f'<span class="bar"></span><span>{texts.probability(share)}{before}</span></li>'
        )
    n_small = sum(0 < share < LEAST_SHARE for _, share in ranked)
    rest = escape(texts("answer.rest", count=texts.count(n_small)))
    return f'<ul class="bars" aria-label="{escape(texts("answer.bars"))}">{"".join(rows)}</ul>' + (
        f'<p class="rest">{rest}</p>' if n_small else ""
    )


def _table(answer: Identification, texts: Texts) -> str:
    duration = escape(texts("answer.duration", duration=texts.duration(answer.duration_s)))
    facts = f'<p class="facts">{duration}</p>'
    if len(answer.segments) < 2:
        return facts
    rows = "".join(
        f"<tr><td>{clock(segment.start_s)} – {clock(segment.end_s)}</td>"
        f"<td>{escape(texts.name(segment.language))}</td>"
        f"<td>{texts.probability(segment.confidence)}</td></tr>"
        for segment in answer.segments
    )
    heads = ("answer.from_to", "answer.language", "answer.confidence")
    head = "".join(f"<th>{escape(texts(key))}</th>" for key in heads)
    summary = escape(texts("answer.segments", n=len(answer.segments)))
    return (
        f'{facts}<details class="segments"><summary>{summary}</summary>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
    )
