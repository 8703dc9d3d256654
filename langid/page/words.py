"""What the page says in words, apart from an answer."""

from collections.abc import Sequence
from pathlib import Path

from langid.checkpoint import EMBEDDED_NAME
from langid.identification import LanguageShare
from langid.languages import NONE, OTHER, language_name
from langid.version import VERSION


def describe_shares(languages: Sequence[LanguageShare]) -> str:
    """Shares of the speech, ``"German 64 %, English 36 %"``; of fewer than two languages ""."""
    if len(languages) < 2:
        return ""
    return ", ".join(
        f"{language_name(part.language)} {100 * part.share:.0f} %" for part in languages
    )


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
