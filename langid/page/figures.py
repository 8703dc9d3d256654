"""The measured figures that travel with the weights (``metrics.json``), in words for people."""

import json
import logging
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.languages import NONE, OTHER, language_name

METRICS_FILE = "metrics.json"
UNKNOWN = "No measured figures came with these weights, so how often they err is not known here."
# What no figure says.
ADVICE = (
    "Ten seconds of one person talking near the microphone are heard best. Music under the voice, "
    "singing, echo, a telephone line, a strong accent or a child's voice make mistakes more "
    "likely, and related languages are taken for one another: look at the second bar too.\n\n"
    "The answer is a guess from the sound alone: do not decide anything about a person by it."
)

_log = logging.getLogger(__name__)


def read_figures(source: str, revision: str | None = None) -> dict | None:
    """Figures of the weights that ``LanguageIdentifier.source`` and ``.revision`` name.

    They are the JSON of ``python -m langid evaluate``; None where there are none.
    """
    if source == EMBEDDED_NAME:
        path = EMBEDDED / METRICS_FILE
    elif Path(source).is_dir():
        path = Path(source) / METRICS_FILE
    else:
        try:
            path = Path(hf_hub_download(source, METRICS_FILE, revision=revision))
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            _log.info("No %s for %s: %s", METRICS_FILE, source, error)
            return None
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        return figures if isinstance(figures, dict) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read: %s", path, error)
        return None


def describe_figures(figures: dict | None) -> str:
    """The figures as a Markdown table and a sentence; those that are missing are left out."""
    if _number(figures, "clip_accuracy") is None:
        return UNKNOWN
    classes = figures.get("per_language")
    shares = {"The right one of its languages": _number(figures, "clip_accuracy")}
    for code in classes if isinstance(classes, dict) else ():
        if code not in (OTHER, NONE):
            shares[f"– {language_name(code)}"] = _number(classes, code, "recall")
    by_duration = figures.get("by_duration")
    for length in by_duration if isinstance(by_duration, dict) else ():
        shares[f"– recordings of {length}"] = _number(by_duration, length, "clip_accuracy")
    shares |= {
        "– sources that are not in its training": _number(figures, "wild", "clip_accuracy"),
        "The right one of all its answers": _number(figures, "clip_accuracy_open"),
        "– another language, noticed": _number(classes, OTHER, "recall_open"),
        "– no speech, noticed": _number(figures, "none_recall"),
    }
    n_clips, ece = _number(figures, "n_clips"), _number(figures, "ece")
    heading = f"On {f'{n_clips:,} ' if n_clips else ''}recordings that are not in its training"
    rows = [f"| {name} | {share:.0%} |" for name, share in shares.items() if share is not None]
    lines = [f"| {heading} | Correct |", "|:--|--:|", *rows]
    if ece is not None:
        lines += ["", f"The percentages of the bars were {100 * ece:.0f} points off, on average."]
    if "training" in figures:  # written by train.py, which chose the weights by these very clips
        lines += ["", "The weights were chosen on these recordings: expect a little less on yours."]
    return "\n".join(lines)


def _number(value: object, *keys: str) -> float | None:
    """The number at a path of keys, None where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) else None
