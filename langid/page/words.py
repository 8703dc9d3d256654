"""What the page says in words, apart from an answer."""

from collections.abc import Sequence
from pathlib import Path

from langid.checkpoint import EMBEDDED_NAME
from langid.identification import LanguageShare
from langid.page.texts import ENGLISH, Texts
from langid.version import VERSION


def describe_shares(languages: Sequence[LanguageShare], texts: Texts = ENGLISH) -> str:
    """Shares of the speech, ``"German 64 %, English 36 %"``; of fewer than two languages ""."""
    if len(languages) < 2:
        return ""
    return ", ".join(describe_share(part, texts) for part in languages)


def describe_share(part: LanguageShare, texts: Texts = ENGLISH) -> str:
    r"""``"German\u00a064\u00a0%"``: a line that ends within it is hard to read."""
    return f"{texts.phrase(part.language)}\u00a0{texts.share(part.share)}"


def describe_weights(source: str, revision: str | None, texts: Texts = ENGLISH) -> str:
    """Which weights answer: the embedded ones, a folder, or a commit on the Hub."""
    if source == EMBEDDED_NAME:
        return texts("weights.embedded", version=VERSION)
    if revision is None:
        return texts("weights.folder", name=Path(source).name)
    url = f"https://huggingface.co/{source}/tree/{revision}"
    return texts("weights.hub", link=f"[{source}]({url})", revision=f"`{revision}`")


def join_names(labels: Sequence[str], last: str = "and") -> str:
    """``"English, French and no speech"``, in English, as clients are addressed."""
    *first, end = [ENGLISH.phrase(label) for label in labels]
    return f"{', '.join(first)} {last} {end}" if first else end
