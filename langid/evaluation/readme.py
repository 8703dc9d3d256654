"""README's figures, rendered from the report of the embedded weights.

    python -m langid.evaluation.readme

rewrites what stands between ``<!-- figures: NAME -->`` and ``<!-- end -->`` in README.md; a test
fails where it differs from ``langid/weights/metrics.json``.
"""

import re
import sys
import textwrap
from pathlib import Path

from langid.checkpoint import EMBEDDED
from langid.errors import DataError
from langid.evaluation import tables
from langid.evaluation.report import METRICS_FILE, Report, read_report
from langid.hub.markdown import percent

README = Path(__file__).parents[2] / "README.md"
WIDTH = 100
_BLOCK = re.compile(r"(?<=<!-- figures: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


def render(text: str, report: Report) -> str:
    """README's text with the figures of ``report``.

    Raises
    ------
    DataError
        If it has no place for figures, or one of an unknown name.
    """
    if not _BLOCK.search(text):
        raise DataError("README.md has no place for figures, such as <!-- figures: results -->.")
    return _BLOCK.sub(lambda m: f"{m[1]}{m[2]}{_section(m[1], report)}\n", text)


def update_readme(report: Report, path: Path) -> None:
    """Replace README's figures by those of ``report``.

    Raises
    ------
    DataError
        As `render`.
    """
    path.write_text(render(path.read_text(encoding="utf-8"), report), encoding="utf-8")


def _section(name: str, report: Report) -> str:
    sections = {"summary": _summary, "results": _results, "limits": _limits}
    if name not in sections:
        raise DataError(f"README.md asks for the figures {name!r}: there are {set(sections)}.")
    return sections[name](report)


def _summary(report: Report) -> str:
    bands = [
        f"{band} {percent(group.clip_accuracy, 0)}"
        for band, group in report.by_duration.items()
        if group.clip_accuracy is not None
    ]
    unseen = (
        f", {percent(report.wild.clip_accuracy, 0)} on sources of which nothing is in its training"
        if report.wild_is_unseen
        else ""
    )
    return _filled(
        f"On {report.n_clips_of(report.languages):,} recordings of held-back speakers it picks the "
        f"right one of its languages {percent(report.clip_accuracy, 0)} of the time{unseen} (clips "
        f"{', '.join(bands)}). It notices {percent(report.other_recall, 0)} of the clips in other "
        f"languages and {percent(report.none_recall, 0)} of those without speech, and takes "
        f"{percent(report.missed_speech_rate)} of speech for none."
        + (
            f" {report.n_parameters / 1e6:.1f} million parameters, "
            f"{report.weights_bytes / 1e6:.1f} MB."
            if report.n_parameters and report.weights_bytes
            else ""
        )
    )


def _results(report: Report) -> str:
    auroc = "–" if report.other_auroc is None else f"{report.other_auroc:.3f}"
    ece = "–" if report.ece is None else f"{report.ece:.3f}"
    parts = [
        _filled(
            f"Recall by class on {report.n_clips:,} recordings. “Among the languages” chooses one "
            "of the model's own; “all answers” may also say another language or no speech."
        ),
        tables.class_table(report),
        _filled(
            f"Per window of the recordings: {percent(report.window_accuracy)}. Other languages are "
            f"told from its own with an AUROC of {auroc}; the calibration error of the confidence "
            f"(ECE) is {ece}."
        ),
    ]
    if report.used_for_selection:
        parts.append(
            _filled(
                "The best step and the calibration were chosen on these recordings: expect "
                "somewhat less on yours."
            )
        )
    if report.peer:
        parts.append(tables.headline_table(report))
    parts.append(tables.condition_table(report))
    return "\n\n".join(part for part in parts if part)


def _limits(report: Report) -> str:
    return "\n".join(_filled(f"- {text}", "  ") for text in tables.weak_points(report))


def _filled(text: str, indent: str = "") -> str:
    """Lines of at most ``WIDTH`` columns, no figure torn from its unit."""
    text = re.sub(r"(?<=\d) (?=%|s\b)", "\u00a0", text)
    lines = textwrap.fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return lines.replace("\u00a0", " ")


def main() -> int:
    """Rewrite README.md; 2 and a sentence where that cannot be done."""
    try:
        update_readme(read_report(EMBEDDED / METRICS_FILE), README)
    except (DataError, OSError) as error:
        print(f"README.md is not updated: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
