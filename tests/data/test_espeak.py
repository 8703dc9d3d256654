import shutil

import pytest

from langid.data.espeak import espeak_voice, parse_ipa, transcript_to_phones

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


def test_marks_are_dropped_and_nasality_is_kept():
    assert parse_ipa("bɔ̃ʒˈuːʁ lə- (en)wiːk(fr)") == [
        "b",
        "ɔ̃",
        "ʒ",
        "u",
        "ʁ",
        "l",
        "ə",
        "w",
        "i",
        "k",
    ]
    assert parse_ipa("") == []
    assert parse_ipa("\u0303") == []


def test_one_letter_g_of_two_is_used():
    assert parse_ipa("g") == parse_ipa("ɡ") == ["ɡ"]


@needs_espeak
def test_the_same_letters_sound_different():
    assert transcript_to_phones("chat", "fr") == ["ʃ", "a"]
    assert transcript_to_phones("chat", "en")[0] == "t"


@needs_espeak
def test_voices_of_locales():
    assert espeak_voice("ga-IE") == "ga"
    assert espeak_voice("pa-IN") == "pa"
    assert espeak_voice("zh-CN") is None
    assert espeak_voice("xx") is None
    assert transcript_to_phones("whatever", "xx") == []


@needs_espeak
def test_a_transcript_is_never_an_option():
    assert transcript_to_phones("--version", "en") != []
