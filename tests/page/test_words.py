"""Times, names and weights in words."""

import pytest

from langid.audio.duration import describe_duration
from langid.checkpoint import EMBEDDED_NAME
from langid.identification import LanguageShare
from langid.page.times import clock
from langid.page.words import describe_shares, describe_weights, join_names


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


@pytest.mark.parametrize(
    ("seconds", "short", "precise"),
    [
        (0, "0:00", "0:00:00.0"),
        (6.96, "0:07", "0:00:07.0"),
        (59.97, "1:00", "0:01:00.0"),
        (750.04, "12:30", "0:12:30.0"),
        (3725.04, "1:02:05", "1:02:05.0"),
    ],
)
def test_one_clock_for_page_and_command_line(seconds, short, precise):
    assert clock(seconds) == short
    assert clock(seconds, precise=True) == precise


def test_several_languages_come_with_their_shares():
    german, english = LanguageShare("de", 0.636, 21.0), LanguageShare("en", 0.364, 12.0)
    assert describe_shares([german, english]) == "German\u00a064\u00a0%, English\u00a036\u00a0%"
    assert describe_shares([german]) == describe_shares([]) == ""


def test_names_are_joined():
    assert join_names(["it"]) == "Italian"
    assert join_names(["en", "fr", "none"], "or") == "English, French or no speech"


def test_the_weights_are_named():
    assert describe_weights(EMBEDDED_NAME, None).startswith("the embedded weights of version ")
    assert describe_weights("/somewhere/runs/five", None) == "those of the folder “five”"
    hub = describe_weights("someone/five", "0123abc")
    assert "[someone/five](https://huggingface.co/someone/five/tree/0123abc)" in hub
    assert "revision `0123abc`" in hub
