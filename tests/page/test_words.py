"""Sentences about an answer."""

import dataclasses

import pytest

from langid.checkpoint import EMBEDDED_NAME
from langid.identification import Identification, LanguageShare, Segment
from langid.page.words import (
    describe_answer,
    describe_duration,
    describe_shares,
    describe_weights,
    join_names,
    segment_table,
)


def answer(duration_s: float = 8.24, warnings: tuple[str, ...] = (), **shares: float):
    language = max(shares, key=shares.get)
    return Identification(
        language, shares[language], shares, [], [], duration_s, duration_s, list(warnings)
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.34, "0.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (3 * 3600 + 125, "3 h 2 min"),
    ],
)
def test_durations_read_well(seconds, text):
    assert describe_duration(seconds) == text


def test_a_sure_answer_is_one_sentence():
    assert describe_answer(answer(fr=0.9, en=0.1)) == "8.2 s of audio: **French**."


def test_a_close_second_is_named():
    text = describe_answer(answer(fr=0.4, en=0.25, none=0.35))
    assert text == ("8.2 s of audio: **French**. Not sure: it may be no speech as well (35%).")


def test_the_other_answers_are_no_languages():
    assert "**no speech**" in describe_answer(answer(none=0.8, en=0.2))
    assert "**speech in another language**" in describe_answer(answer(other=0.8, en=0.2))


def test_short_recordings_candidates_and_warnings_are_mentioned():
    text = describe_answer(answer(1.5, ("It ends early.",), de=0.7, en=0.3), ("en", "de"))
    assert "So short a recording is easily misheard" in text
    assert text.endswith("Chosen only among English and German.\n\n⚠ It ends early.")
    assert "short" not in describe_answer(answer(1.5, none=0.7, en=0.3))


def test_several_languages_come_with_their_shares():
    german, english = LanguageShare("de", 0.636, 21.0), LanguageShare("en", 0.364, 12.0)
    assert describe_shares([german, english]) == "German 64 %, English 36 %"
    assert describe_shares([german]) == describe_shares([]) == ""
    both = dataclasses.replace(
        answer(33.0, de=0.58, en=0.33, none=0.09), languages=[german, english]
    )
    assert describe_answer(both) == "33.0 s of audio: **German 64 %, English 36 %**."


def test_segments_become_a_table():
    table = segment_table([Segment(0, 6.9, "en", 0.913), Segment(6.9, 3725, "none", 0.5)])
    assert table.splitlines()[2:] == [
        "| 0:00 – 0:07 | English | 91% |",
        "| 0:07 – 1:02:05 | No speech | 50% |",
    ]


def test_names_are_joined():
    assert join_names(["it"]) == "Italian"
    assert join_names(["en", "fr", "none"]) == "English, French and no speech"


def test_the_weights_are_named():
    assert describe_weights(EMBEDDED_NAME, None).startswith("the embedded weights of version ")
    assert describe_weights("/somewhere/runs/five", None) == "those of the folder “five”"
    hub = describe_weights("someone/five", "0123abc")
    assert "[someone/five](https://huggingface.co/someone/five/tree/0123abc)" in hub
    assert "revision `0123abc`" in hub
