"""Rows of many recordings: as a table, as CSV and as JSON."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from helpers.identifier import identification

from langid.identification import LanguageShare, Segment
from langid.page import batch
from langid.page.batch import (
    CSV_COLUMNS,
    Row,
    batch_progress_html,
    displayed_name,
    summarise_rows,
    table_html,
    to_csv,
    to_json,
    too_many,
)
from langid.page.jobs import Step
from langid.page.waveform import PeakMeter

ENGLISH = identification((0.9, 0.05, 0.03, 0.02), duration_s=8.58)
UNSURE = identification((0.3, 0.5, 0.1, 0.1), warnings=("It is quiet.",))
NAMES = [
    "talk.wav",
    "talk.wav",  # twice: from two folders
    "=cmd|' /C calc'!A0.wav",
    "+1.wav",
    "-1.wav",
    "@SUM(A1).wav",
    " =1.wav",
    "\t=1.wav",
    "＝1.wav",
    'a,"b";c.wav',
    "two\nlines.wav",
    "_it_ **is** <img src=x onerror=alert(1)>&amp;.wav",
    "Grüße – 日本語.wav",
]


def several():
    """English, then French: two segments of 30 s and 10 s."""
    rows = [(0.97, 0.01, 0.01, 0.01)] * 14 + [(0.01, 0.97, 0.01, 0.01)] * 6
    answer = identification((0.73, 0.25, 0.01, 0.01), rows, duration_s=40.0)
    answer.segments[:] = [Segment(0.0, 30.0, "en", 0.97), Segment(30.0, 40.0, "fr", 0.97)]
    answer.languages[:] = [LanguageShare("en", 0.75, 30.0), LanguageShare("fr", 0.25, 10.0)]
    return answer


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


class Cells(HTMLParser):
    """Texts of the cells, row by row, and all tags with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.rows, self.tags = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_csv_has_a_row_for_each_file_in_their_order():
    rows = [Row("a.wav", ENGLISH), Row("b.wav", error="It is broken."), Row("c.wav", several())]
    found = read_csv(to_csv(rows))
    assert tuple(found[0]) == CSV_COLUMNS
    assert [row["file"] for row in found] == ["a.wav", "b.wav", "c.wav"]
    first, failed, mixed = found
    assert (first["language"], first["language_name"]) == ("en", "English")
    assert (float(first["confidence"]), float(first["duration_s"])) == (0.9, 8.58)
    assert first["n_segments"] == "1" and first["error"] == ""
    assert failed["error"] == "It is broken." and failed["language"] == failed["confidence"] == ""
    assert mixed["n_segments"] == "2" and mixed["languages"] == "en 0.750; fr 0.250"
    assert read_csv(to_csv([Row("d.wav", UNSURE)]))[0]["warnings"] == "It is quiet."


def test_no_cell_of_the_csv_is_a_formula_and_every_name_can_be_told():
    data = to_csv([Row(name, error="=It + is @ broken.") for name in NAMES])
    assert data.startswith(b"\xef\xbb\xbf")  # or Excel takes it for Latin-1
    for row, name in zip(read_csv(data), NAMES, strict=True):
        assert row["file"].removeprefix("'") == name
        for cell in row.values():
            # Spreadsheets skip spaces; a tab or a line break may hide the sign.
            assert not cell.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    # Where a semicolon separates, as in a German Excel, a text in quotes stays in one piece.
    assert b'"a,""b"";c.wav"' in data
    safe = read_csv(data)[0]["file"], read_csv(data)[9]["file"]
    assert safe == ("talk.wav", 'a,"b";c.wav')  # ordinary names are as they were


def test_json_is_what_the_command_line_prints_with_the_failed_ones():
    rows = [Row(name, ENGLISH) for name in NAMES] + [Row("b.wav", error="It is broken.")]
    *found, failed = json.loads(to_json(rows))
    assert [each.pop("file") for each in found] == NAMES
    assert found == [ENGLISH.to_dict()] * len(NAMES)
    assert failed == {"file": "b.wav", "error": "It is broken."}
    assert "日本語" in to_json(rows).decode()


def test_the_table_shows_names_and_sentences_as_they_are():
    rows = [Row(name, error=f"{name} <b>is</b> no *audio*") for name in NAMES]
    cells = Cells(table_html(rows))
    assert [row[0] for row in cells.rows[1:]] == NAMES
    assert [row[-1] for row in cells.rows[1:]] == ["not identified" + row.error for row in rows]
    assert {tag for tag, _ in cells.tags}.isdisjoint({"img", "b", "em", "strong"})
    titles = [attrs["title"] for tag, attrs in cells.tags if "title" in attrs]
    assert titles == NAMES


def test_the_table_tells_language_confidence_seconds_and_segments():
    rows = [Row("a.wav", ENGLISH), Row("b.wav", UNSURE), Row("c.wav", several())]
    _, first, second, third = Cells(table_html(rows)).rows
    assert first == ["a.wav", "English", "90\u00a0%", "8.6", "1", ""]
    assert second == ["b.wav", "probably French", "50\u00a0%", "4.0", "1", "⚠ It is quiet."]
    assert third[1:3] == ["English\u00a075\u00a0%French\u00a025\u00a0%", ""] and third[4] == "2"
    strips = [attrs for _, attrs in Cells(table_html(rows)).tags if attrs.get("class") == "strip"]
    assert "0.0% 75.0%" in strips[2]["style"] and "75.0% 100.0%" in strips[2]["style"]
    assert strips[2]["aria-label"] == "0:00 English; 0:30 French"


def test_a_row_of_a_thousand_segments_is_still_small():
    rows = [(0.97, 0.01, 0.01, 0.01), (0.01, 0.97, 0.01, 0.01)] * 1000
    answer = identification((0.5, 0.48, 0.01, 0.01), rows, duration_s=4002.0)
    answer.segments[:] = [
        Segment(2.0 * i, 2.0 * i + 2.0, ("en", "fr")[i % 2], 0.9) for i in range(2000)
    ]
    assert len(table_html([Row("a.wav", answer)])) < 10_000


def test_rows_that_wait_say_so_and_the_current_one_how_far_it_is():
    rows = [Row("a.wav", ENGLISH), Row("b.wav"), Row("c.wav")]
    step = Step(ENGLISH, PeakMeter(), fraction=0.5)
    assert [row[1] for row in Cells(table_html(rows, step, 1)).rows[1:]] == [
        "English",
        "identified to 50\u00a0%",
        "waiting",
    ]
    html = batch_progress_html(rows, step)
    assert 'value="0.500"' in html and "1 of 3 files" in html and 'class="cancel"' in html
    waiting = Step(None, PeakMeter(), is_waiting=True)
    assert "other recordings" in batch_progress_html(rows, waiting)
    assert [row[1] for row in Cells(table_html(rows, waiting, 1)).rows[2:]] == ["waiting"] * 2
    assert 'value="0.333"' in batch_progress_html(rows, None)


def test_the_summary_counts_answers():
    rows = [Row("a", ENGLISH), Row("b", UNSURE), Row("c", ENGLISH), Row("d", error="broken")]
    assert summarise_rows(rows) == "4 files: English 2, French 1, not identified 1"
    assert summarise_rows(rows[:1]) == "1 file: English 1"


def test_too_many_files_are_told_how_many_are_taken():
    assert "61 files" in too_many(61) and f"at most {batch.MAX_FILES} " in too_many(61)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("talk.wav", "talk.wav"),
        ("\ud800talk.wav", "?talk.wav"),  # no text that could be sent
        ("x" * 300, "x" * 254 + "…"),
    ],
)
def test_names_are_texts_of_some_length(name, shown):
    assert displayed_name(name) == shown
