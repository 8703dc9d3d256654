"""An answer, or the weights it comes from → sentences for people, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

from langid.audio.duration import describe_duration
from langid.checkpoint import EMBEDDED_NAME
from langid.identification import Identification, LanguageShare, Segment
from langid.languages import NONE, OTHER, language_name
from langid.page.times import clock
from langid.version import VERSION

NOT_SURE = 0.6  # below this confidence the runner-up is named as well
SHORT_S = 3.0


def describe_answer(answer: Identification, candidates: Sequence[str] | None = None) -> str:
    """How long it was, what was heard, how sure that is, and the warnings.

    ``candidates`` are the labels that the answer was restricted to, None if it was not.
    """
    heard = {NONE: "no speech", OTHER: "speech in another language"}.get(
        answer.language, language_name(answer.language)
    )
    shares = describe_shares(answer.languages)
    lines = [f"{describe_duration(answer.duration_s)} of audio: **{shares or heard}**."]
    if answer.confidence < NOT_SURE and not shares:
        second, share = sorted(answer.probabilities.items(), key=lambda item: -item[1])[1]
        lines[0] += f" Not sure: it may be {_phrase(second)} as well ({share:.0%})."
    if answer.duration_s < SHORT_S and answer.language != NONE:
        lines[0] += " So short a recording is easily misheard: five seconds or more are better."
    if candidates is not None:
        lines.append(f"Chosen only among {join_names(candidates)}.")
    lines += [f"⚠ {warning}" for warning in answer.warnings]
    return "\n\n".join(lines)


def describe_shares(languages: Sequence[LanguageShare]) -> str:
    """Shares of the speech, ``"German 64 %, English 36 %"``; of fewer than two languages ""."""
    if len(languages) < 2:
        return ""
    return ", ".join(
        f"{language_name(part.language)} {100 * part.share:.0f} %" for part in languages
    )


def segment_table(segments: Sequence[Segment]) -> str:
    """Who wins when, as a Markdown table."""
    rows = [
        f"| {clock(segment.start_s)} – {clock(segment.end_s)} "
        f"| {language_name(segment.language)} | {segment.confidence:.0%} |"
        for segment in segments
    ]
    return "\n".join(["| From – to | Heard | Confidence |", "|:--|:--|--:|", *rows])


def describe_weights(source: str, revision: str | None) -> str:
    """Which weights answer: the embedded ones, a folder, or a commit on the Hub."""
    if source == EMBEDDED_NAME:
        return f"the {EMBEDDED_NAME} of version {VERSION}"
    if revision is None:
        return f"those of the folder “{Path(source).name}”"
    url = f"https://huggingface.co/{source}/tree/{revision}"
    return f"[{source}]({url}) from the Hub, revision `{revision}`"


def join_names(labels: Sequence[str], last: str = "and") -> str:
    """``"English, French and no speech"``."""
    phrases = [_phrase(label) for label in labels]
    return f" {last} ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))


def _phrase(label: str) -> str:
    """The label's name within a sentence: languages keep their capital."""
    return {NONE: "no speech", OTHER: "another language"}.get(label, language_name(label))
