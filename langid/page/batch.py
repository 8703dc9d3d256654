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
from langid.page.answer import answer_words, work_html
from langid.page.jobs import Step
from langid.page.texts import ENGLISH, Texts
from langid.page.timeline import label_colours, stretches
from langid.page.times import clock
from langid.page.words import describe_share

MAX_FILES = 50
KINDS = ("CSV", "JSON")  # of the files with the results
MAX_NAME = 255  # characters of a file's name
MAX_STRETCHES = 24  # of the small strip in a row
HEADINGS = (
    "batch.file",
    "answer.language",
    "batch.confidence",
    "batch.seconds",
    "batch.segments",
    "batch.note",
)
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


def too_many(n_files: int, texts: Texts = ENGLISH) -> str:
    """A sentence for more files than `MAX_FILES`."""
    return texts("batch.too_many", n=n_files, n_most=MAX_FILES)


def summarise_rows(rows: Sequence[Row], texts: Texts = ENGLISH) -> str:
    """``"12 files: German 7, French 3, not identified 2"``, the most frequent language first."""
    answers = Counter(row.answer.language for row in rows if row.answer)
    parts = [f"{texts.name(label)} {n}" for label, n in answers.most_common()]
    if n_failed := sum(bool(row.error) for row in rows):
        parts.append(f"{texts('batch.failed')} {n_failed}")
    return texts("batch.summary", files=_files(len(rows), texts), counts=", ".join(parts))


def batch_progress_html(rows: Sequence[Row], step: Step | None, texts: Texts = ENGLISH) -> str:
    """How far the work on all rows is, with a button that ends it."""
    n_done = sum(row.is_done for row in rows)
    share = (n_done + (step.fraction or 0 if step else 0)) / len(rows)
    words = texts("batch.progress", n_done=n_done, files=_files(len(rows), texts))
    if step and step.is_waiting:
        words = texts("batch.waiting_all", progress=words)
    return work_html(words, share, texts)


def table_html(
    rows: Sequence[Row], step: Step | None = None, current: int = 0, texts: Texts = ENGLISH
) -> str:
    """All rows; ``step`` is how far the one with the index ``current`` is."""
    head = "".join(f'<th scope="col">{escape(texts(heading))}</th>' for heading in HEADINGS)
    body = "".join(_row(row, step if i == current else None, texts) for i, row in enumerate(rows))
    return (
        f'<div class="rows" role="region" aria-label="{escape(texts("batch.results"))}" '
        f'tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(row: Row, step: Step | None, texts: Texts) -> str:
    # <bdi>: a name that is written from right to left must not turn its neighbours around.
    name = f'<th scope="row" title="{escape(row.file)}"><bdi>{escape(row.file)}</bdi></th>'
    if row.answer:
        return f'<tr class="done">{name}{_cells(row.answer, texts)}</tr>'
    if row.error:
        error, language = texts.translate(row.error)
        return (
            f'<tr class="failed">{name}<td colspan="{len(HEADINGS) - 1}">'
            f"<i>{escape(texts('batch.failed'))}</i>"
            f'<p class="note" lang="{language}">{escape(error)}</p></td></tr>'
        )
    words = texts("batch.waiting")
    if step and not step.is_waiting:
        share = step.fraction
        words = (
            texts("batch.begun")
            if share is None
            else texts("batch.so_far", share=texts.share(share))
        )
    return f'<tr class="open">{name}<td colspan="{len(HEADINGS) - 1}">{escape(words)}</td></tr>'


def _cells(answer: Identification, texts: Texts) -> str:
    colours = label_colours(list(answer.probabilities))
    confidence = texts.probability(answer.confidence)
    if len(answer.languages) > 1:
        confidence = ""  # it is no longer the question which one it is
        spoken = [(part.language, describe_share(part, texts)) for part in answer.languages]
    else:
        spoken = [(answer.language, answer_words(answer, texts)[0].replace("*", ""))]
    languages = "".join(
        f'<p><i class="dot" style="--colour: {colours[code]}"></i>{escape(words)}</p>'
        for code, words in spoken
    )
    warnings = " ".join(
        f'<span lang="{language}">⚠ {escape(sentence)}</span>'
        for sentence, language in map(texts.translate, answer.warnings)
    )
    seconds = f"{answer.duration_s:.1f}".replace(".", texts("number.decimal"))
    return (
        f'<td class="language">{languages}</td>'
        f'<td class="number">{confidence}</td>'
        f'<td class="number">{seconds}</td>'
        f'<td class="segments">{_strip(answer, colours, texts)}</td>'
        f'<td class="note">{warnings}</td>'
    )


def _strip(answer: Identification, colours: dict[str, str], texts: Texts) -> str:
    """The number of segments, and when which language is spoken as a strip of colours."""
    parts = stretches(answer, MAX_STRETCHES)
    words = escape("; ".join(f"{clock(p.start_s)} {texts.name(p.language)}" for p in parts))
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


def _files(n: int, texts: Texts) -> str:
    return texts("batch.one_file") if n == 1 else texts("batch.files", n=n)
