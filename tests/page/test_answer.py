"""The HTML of an answer."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.identifier import identification

from langid.identification import Segment
from langid.page.answer import answer_html, headline, problem_html, progress_html
from langid.page.jobs import Step
from langid.page.waveform import PeakMeter


def step(answer=None, **options):
    peaks = PeakMeter()
    peaks.add(np.ones(16_000, dtype=np.float32))
    return Step(answer, peaks, **options)


def html_of(*shares, whole=None, duration_s=8.0, **options):
    answer = identification(shares, duration_s=duration_s, **options)
    return answer_html(answer, step(answer), whole)


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@pytest.mark.parametrize(
    ("shares", "text"),
    [
        ((0.92, 0.05, 0.02, 0.01), "English, 92 %"),
        ((0.69, 0.2, 0.1, 0.01), "probably English, 69 %"),
        ((0.7, 0.2, 0.1, 0.0), "English, 70 %"),
        ((0.1, 0.1, 0.6, 0.2), "probably another language, 60 %"),
        ((0.0, 0.0, 0.001, 0.999), "No speech, over 99 %"),
    ],
)
def test_the_headline_says_how_sure_it_is(shares, text):
    answer = identification(shares)
    assert headline(answer).replace("\u00a0", " ") == text
    shown = words(answer_html(answer, step(answer))).lower()
    assert shown.startswith(text.lower().replace(",", ""))


def test_no_speech_and_another_language_look_different_and_say_what_to_do():
    language, other, none = (
        html_of(0.9, 0.1, 0, 0),
        html_of(0.1, 0, 0.9, 0),
        html_of(0.1, 0, 0, 0.9),
    )
    assert 'class="verdict language"' in language and 'class="note"' not in language
    assert 'class="verdict other"' in other and "untick" in other
    assert 'class="verdict none"' in none and "record nearer" in none


def test_the_strip_says_how_its_details_are_seen():
    html = html_of(0.9, 0.05, 0.03, 0.02)
    assert "Point at the strip, or tap it" in html
    assert "{" not in html and "}" not in html  # a placeholder that nobody filled


def test_only_bars_that_matter_are_drawn():
    html = html_of(0.984, 0.008, 0.006, 0.002)
    assert html.count("<li") == 1 and "and three under 1\u00a0%" in html
    assert html_of(0.5, 0.5, 0, 0).count("<li") == 2
    assert "under 1\u00a0%" not in html_of(0.5, 0.5, 0, 0)


def test_candidates_keep_the_unrestricted_share_in_sight():
    whole = identification((0.2, 0.7, 0.1, 0.0))
    shown = words(html_of(1.0, 0.0, 0.0, 0.0, whole=whole))
    assert "Chosen only among English. Among all answers: French, 70 %." in shown
    assert "English 100 % (20 % among all)" in shown


def test_warnings_and_names_from_outside_are_escaped():
    html = html_of(0.9, 0.1, 0, 0, warnings=("'<img src=x>.wav' is **cut** off.",))
    assert "&lt;img src=x&gt;.wav" in html and "<img" not in html and "**cut**" in html
    assert "<b>" not in problem_html("'<b>a</b>' is not audio.")


def test_short_recordings_are_said_to_be_short():
    assert "five seconds or more are better" in html_of(0.9, 0.1, 0, 0, duration_s=1.5)
    assert "five seconds or more" not in html_of(0.0, 0.0, 0.1, 0.9, duration_s=1.5)


def test_segments_stand_where_they_are_in_time_and_name_three_answers():
    answer = identification((0.6, 0.3, 0.1, 0.0), [[0.6, 0.3, 0.1, 0.0]] * 4, duration_s=10)
    answer = replace(answer, segments=[Segment(0, 4, "en", 0.6), Segment(4, 10, "fr", 0.3)])
    html = answer_html(answer, step(answer)).replace("\u00a0", " ")
    assert re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", html) == [
        ("0.0000", "40.0000"),
        ("40.0000", "60.0000"),
    ]
    assert 'aria-label="0:00 – 0:04: English 60 %, French 30 %, Another language 10 %"' in html
    assert 'aria-label="0:04 – 0:10: French 30 %, English 60 %' in html  # its own answer first
    assert "2 segments as a table" in html and "0:04 – 0:10" in html


def test_an_answer_on_the_way_fills_only_what_it_covers():
    answer = identification((0.9, 0.1, 0, 0), duration_s=10)
    html = answer_html(answer, step(answer, fraction=0.25))
    assert 'data-duration="40.000"' in html
    assert re.search(r"left: 0.0000%; width: 25.0000%", html)


def test_progress_says_how_far_it_is():
    answer = identification((0.9, 0.1, 0, 0), duration_s=125)
    known = progress_html(step(answer, fraction=0.255, left_s=75.2)).replace("\u00a0", " ")
    assert "26 % of the recording, about 1 min 15 s left" in known and 'value="0.255"' in known
    assert "about 4 s left" in progress_html(step(answer, fraction=0.5, left_s=3.9))
    unknown = progress_html(step(answer))
    assert "2 min 5 s identified so far" in unknown and "value=" not in unknown
    assert "Waiting" in progress_html(step(is_waiting=True))
    assert known.count('class="cancel"') == 1
