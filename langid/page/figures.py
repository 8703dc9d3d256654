"""The measured figures that travel with the weights (``metrics.json``), in words for people."""

import logging
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.errors import DataError
from langid.evaluation.report import METRICS_FILE, Report, read_report
from langid.page.texts import ENGLISH, Texts

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


def summarise_figures(report: Report | None, texts: Texts = ENGLISH) -> str:
    """The figures that matter most, as at most three points in Markdown."""
    if report is None or report.clip_accuracy is None:
        return texts("figures.unknown")
    lines = [texts("figures.accuracy", share=texts.share(report.clip_accuracy))]
    lengths = [
        f"{_length(length, texts)} {texts.share(group.clip_accuracy)}"
        for length, group in report.by_duration.items()
        if group.clip_accuracy is not None
    ]
    if lengths:
        lines.append(texts("figures.by_length", shares=", ".join(lengths)))
    noticed = [
        texts(f"figures.notices_{label}", share=texts.share(share))
        for share, label in ((report.other_recall, "other"), (report.none_recall, "none"))
        if share is not None
    ]
    if len(noticed) == 2:
        noticed = [texts("list.and", first=noticed[0], last=noticed[1])]
    if noticed:
        lines.append(texts("figures.notices", shares=noticed[0]))
    return "\n".join(f"- {line}" for line in lines)


def describe_figures(report: Report | None, texts: Texts = ENGLISH) -> str:
    """The figures as a Markdown table and sentences; those that are not known are left out."""
    if report is None or report.clip_accuracy is None:
        return texts("figures.unknown")
    shares = {texts("figures.closed"): report.clip_accuracy}
    for code in report.languages:
        shares[f"– {texts.name(code)}"] = report.per_language[code].recall
    for length, group in report.by_duration.items():
        recordings = texts("figures.length", length=_length(length, texts))
        shares[f"– {recordings}"] = group.clip_accuracy
    if report.wild:
        sources = texts("figures.unseen" if report.wild_is_unseen else "figures.wild")
        shares[f"– {sources}"] = report.wild.clip_accuracy
    shares |= {
        texts("figures.open"): report.clip_accuracy_open,
        f"– {texts('figures.other')}": report.other_recall,
        f"– {texts('figures.none')}": report.none_recall,
    }
    rows = [
        f"| {name} | {texts.share(share)} |" for name, share in shares.items() if share is not None
    ]
    heading = texts("figures.heading", n=texts.number(report.n_clips))
    lines = [f"| {heading} | {texts('figures.correct')} |", "|:--|--:|", *rows]
    if report.ece is not None:
        lines += ["", texts("figures.calibration", points=f"{100 * report.ece:.0f}")]
    if report.used_for_selection:
        lines += ["", texts("figures.selection")]
    return "\n".join(lines)


def _length(length: str, texts: Texts) -> str:
    """A range of durations as the report names it: ``"under 3 s"``, ``"3-6 s"``."""
    word, _, duration = length.partition(" ")
    key = {"under": "figures.under", "over": "figures.over"}.get(word)
    return texts(key, length=duration) if key else length
