"""The measured figures that travel with the weights (``metrics.json``), in words for people."""

import logging
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.errors import DataError
from langid.evaluation.report import METRICS_FILE, Report, read_report
from langid.languages import language_name

UNKNOWN = "No measured figures came with these weights, so how often they err is not known here."
# What no figure says.
ADVICE = (
    "Ten seconds of one person talking near the microphone are identified best. Music under the "
    "voice, singing, echo, a telephone line, a strong accent or a child's voice make mistakes more "
    "likely, and related languages are taken for one another: look at the second bar too.\n\n"
    "The answer is a guess from the sound alone: do not decide anything about a person by it."
)

_log = logging.getLogger(__name__)


def read_figures(source: str, revision: str | None = None) -> Report | None:
    """Figures of the weights that ``LanguageIdentifier.source`` and ``.revision`` name.

    They are the report of ``python -m langid evaluate``; None where there is none that this
    version reads.
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
    if not path.exists():
        return None
    try:
        return read_report(path)
    except DataError as error:
        _log.warning("The page shows no figures: %s", error)
        return None


def summarise_figures(report: Report | None) -> str:
    """The figures that matter most, as at most three points in Markdown."""
    if report is None or report.clip_accuracy is None:
        return UNKNOWN
    lines = [
        f"Of recordings in its languages that are not in its training, it gets "
        f"**{report.clip_accuracy:.0%}** right."
    ]
    lengths = [
        f"{length} {group.clip_accuracy:.0%}"
        for length, group in report.by_duration.items()
        if group.clip_accuracy is not None
    ]
    if lengths:
        lines.append(f"By their length: {', '.join(lengths)}.")
    noticed = [
        f"{share:.0%} of {what}"
        for share, what in (
            (report.other_recall, "recordings in other languages"),
            (report.none_recall, "those without speech"),
        )
        if share is not None
    ]
    if noticed:
        lines.append(f"It notices {' and '.join(noticed)}.")
    return "\n".join(f"- {line}" for line in lines)


def describe_figures(report: Report | None) -> str:
    """The figures as a Markdown table and sentences; those that are not known are left out."""
    if report is None or report.clip_accuracy is None:
        return UNKNOWN
    shares = {"The right one of its languages": report.clip_accuracy}
    for code in report.languages:
        shares[f"– {language_name(code)}"] = report.per_language[code].recall
    for length, group in report.by_duration.items():
        shares[f"– recordings of {length}"] = group.clip_accuracy
    if report.wild:
        unseen = "sources that are not in its training"
        shares[f"– {unseen if report.wild_is_unseen else 'other sources'}"] = (
            report.wild.clip_accuracy
        )
    shares |= {
        "The right one of all its answers": report.clip_accuracy_open,
        "– another language, noticed": report.other_recall,
        "– no speech, noticed": report.none_recall,
    }
    rows = [f"| {name} | {share:.0%} |" for name, share in shares.items() if share is not None]
    heading = f"On {report.n_clips:,} recordings that are not in its training"
    lines = [f"| {heading} | Correct |", "|:--|--:|", *rows]
    if report.ece is not None:
        lines += [
            "",
            f"The percentages of the bars were {100 * report.ece:.0f} points off, on average.",
        ]
    if report.used_for_selection:
        lines += ["", "The weights were chosen on these recordings: expect a little less on yours."]
    return "\n".join(lines)
