"""Many recordings: a row for each, as a table on the page and as CSV and JSON to keep."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from langid.identification import Identification
from langid.languages import language_name
from langid.page.answer import headline
from langid.page.jobs import Step
from langid.page.timeline import label_colours, stretches
from langid.page.times import clock

MAX_FILES = 50
MAX_NAME = 255  # characters of a file's name
MAX_STRETCHES = 24  # of the small strip in a row
HEADINGS = ("File", "Language", "Confidence", "Seconds", "Segments", "Error or warning")
CSV_COLUMNS = (
    "file",
    "language",
    "language_name",
    "confidence",
    "duration_s",
    "n_segments",
    "languages",
    "warnings",
    "error",
)
# With these a spreadsheet takes a cell for a formula, also in their full-width forms.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Row:
    """A file and what became of it: an ``answer`` or an ``error``, and neither until then."""

    file: str
    answer: Identification | None = None
    error: str = ""

    @property
    def is_done(self) -> bool:
        return bool(self.answer or self.error)


def displayed_name(name: str) -> str:
    """A file's name as the visitor's computer calls it, in text that can be encoded."""
    name = name.encode("utf-8", "replace").decode()
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def too_many(n_files: int) -> str:
    """A sentence for more files than `MAX_FILES`."""
    return (
        f"These are {n_files} files, and at most {MAX_FILES} are taken at a time: drop them in "
        "several parts, or use the command line."
    )


def summarise_rows(rows: Sequence[Row]) -> str:
    """``"12 files: German 7, French 3, not identified 2"``, the most frequent language first."""
    answers = Counter(language_name(row.answer.language) for row in rows if row.answer)
    parts = [f"{name} {n}" for name, n in answers.most_common()]
    if n_failed := sum(bool(row.error) for row in rows):
        parts.append(f"not identified {n_failed}")
    return f"{_files(len(rows))}: {', '.join(parts)}"


def batch_progress_html(rows: Sequence[Row], step: Step | None) -> str:
    """How far the work on all rows is, with a button that ends it."""
    n_done = sum(row.is_done for row in rows)
    share = (n_done + (step.fraction or 0 if step else 0)) / len(rows)
    words = f"{n_done} of {_files(len(rows))}"
    if step and step.is_waiting:
        words += ", waiting: other recordings are being identified"
    return (
        f'<div class="working"><progress max="1" value="{share:.3f}" aria-label="Progress">'
        f'</progress><span class="words">{words}</span>'
        '<button type="button" class="cancel">Cancel</button></div>'
    )


def table_html(rows: Sequence[Row], step: Step | None = None, current: int = 0) -> str:
    """All rows; ``step`` is how far the one with the index ``current`` is."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
    body = "".join(_row(row, step if i == current else None) for i, row in enumerate(rows))
    return (
        '<div class="rows" role="region" aria-label="Results, a row for each file" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Row, step: Step | None) -> str:
    # <bdi>: a name that is written from right to left must not turn its neighbours around.
    name = f'<th scope="row" title="{escape(row.file)}"><bdi>{escape(row.file)}</bdi></th>'
    if row.answer:
        return f'<tr class="done">{name}{_cells(row.answer)}</tr>'
    if row.error:
        nothing = '<td class="language">not identified</td><td></td><td></td><td></td>'
        return f'<tr class="failed">{name}{nothing}<td class="note">{escape(row.error)}</td></tr>'
    words = "waiting"
    if step and not step.is_waiting:
        share = step.fraction
        words = "identifying …" if share is None else f"identified to {100 * share:.0f} %"
    return f'<tr class="open">{name}<td colspan="{len(HEADINGS) - 1}">{words}</td></tr>'


def _cells(answer: Identification) -> str:
    colours = label_colours(list(answer.probabilities))
    if len(answer.languages) > 1:
        confidence = ""  # it is no longer the question which one it is
        spoken = [
            (part.language, f"{language_name(part.language)} {100 * part.share:.0f} %")
            for part in answer.languages
        ]
    else:
        name, confidence = headline(answer).rsplit(", ", 1)
        spoken = [(answer.language, name)]
    languages = "".join(
        f'<p><i class="dot" style="--colour: {colours[code]}"></i>{escape(words)}</p>'
        for code, words in spoken
    )
    warnings = " ".join(f"⚠ {warning}" for warning in answer.warnings)
    return (
        f'<td class="language">{languages}</td>'
        f'<td class="number">{confidence}</td>'
        f'<td class="number">{answer.duration_s:.1f}</td>'
        f'<td class="segments">{_strip(answer, colours)}</td>'
        f'<td class="note">{escape(warnings)}</td>'
    )


def _strip(answer: Identification, colours: dict[str, str]) -> str:
    """The number of segments, and when which language is spoken as a strip of colours."""
    parts = stretches(answer, MAX_STRETCHES)
    words = escape("; ".join(f"{clock(p.start_s)} {language_name(p.language)}" for p in parts))
    stops = ", ".join(
        f"{colours[part.language]} {part.start_s / answer.duration_s:.1%} "
        f"{part.end_s / answer.duration_s:.1%}"
        for part in parts
    )
    return (
        f"<span>{len(answer.segments)}</span>"
        f'<span class="strip" role="img" aria-label="{words}" title="{words}" '
        f'style="background: linear-gradient(to right, {stops})"></span>'
    )


def to_csv(rows: Sequence[Row]) -> bytes:
    """The rows as CSV (RFC 4180), in UTF-8 with the mark by which Excel knows it.

    Texts are always quoted, and what a spreadsheet would take for a formula begins with an
    apostrophe: file names come from strangers.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow([_safe_cell(cell) for cell in _csv_cells(row)])
    return text.getvalue().encode("utf-8-sig")


def _csv_cells(row: Row) -> list[str | float]:
    answer = row.answer
    if answer is None:
        return [row.file, *[""] * (len(CSV_COLUMNS) - 2), row.error]
    shares = "; ".join(f"{part.language} {part.share:.3f}" for part in answer.languages)
    return [
        row.file,
        answer.language,
        language_name(answer.language),
        round(answer.confidence, 4),
        round(answer.duration_s, 3),
        len(answer.segments),
        shares,
        " ".join(answer.warnings),
        row.error,
    ]


def _safe_cell(cell: str | float) -> str | float:
    if not isinstance(cell, str):
        return cell
    is_formula = cell.lstrip().startswith(FORMULA_STARTS) or cell.startswith(("\t", "\r", "\n"))
    return f"'{cell}" if is_formula else cell


def to_json(rows: Sequence[Row]) -> bytes:
    """The rows as a JSON array, an object a line: ``file``, and ``error`` or the whole answer.

    That is what ``python -m langid --json`` prints, with the failed ones in it.
    """
    lines = [
        json.dumps(
            {"file": row.file, **(row.answer.to_dict() if row.answer else {"error": row.error})},
            ensure_ascii=False,
        )
        for row in rows
    ]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"
