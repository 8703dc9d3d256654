import subprocess
import sys
from pathlib import Path

import pytest

from langid.languages import (
    class_of,
    code_or_text,
    is_language,
    language_code,
    language_name,
    languages_of,
    parse_languages,
)

ROOT = Path(__file__).parents[1]


def test_names_on_the_screen():
    assert language_name("fr") == "French"
    assert language_name("kab") == "Kabyle"
    assert language_name("other") == "Another language"
    assert language_name("none") == "No speech"
    assert language_name("xx-YY") == "xx-YY"
    assert language_name("noise") == "noise"


@pytest.mark.parametrize(
    "text", ["fr", "FR", "French", " french ", "fr_FR", "fr-CA", "fra", "fre", "français"]
)
def test_code_of_a_tag_or_a_name(text):
    assert language_code(text) == "fr"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((code, code) for code in ("bn", "ur", "is", "gl", "hy", "ms", "kab", "cnh")),
        *(("pt-BR", "pt"), ("zh-CN", "zh"), ("zh-Hant-HK", "zh"), ("cmn", "zh"), ("nn-NO", "nn")),
        *(("Bengali", "bn"), ("Farsi", "fa"), ("Flemish", "nl"), ("Brazilian Portuguese", "pt")),
        *(("中文", "zh"), ("Deutsch", "de"), ("iw", "he"), ("rm-sursilv", "rm")),
    ],
)
def test_languages_as_people_write_them(text, code):
    assert language_code(text) == code
    assert is_language(code)


@pytest.mark.parametrize(
    "text", ["noise", "music", "other", "none", "und", "mul", "xx", "xx-YY", "polished", "a/b", ""]
)
def test_what_is_no_language_stays_as_it_is(text):
    assert code_or_text(text) == text
    assert not is_language(text)
    with pytest.raises(ValueError, match=r"is not a known language: give .*\.$"):
        language_code(text)


def test_lists_keep_their_order_and_drop_repeats():
    assert parse_languages("fr, English,fr_CA,ur") == ("fr", "en", "ur")


@pytest.mark.parametrize("text", ["", " , ", "fr,klingonese"])
def test_a_list_with_something_else_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_languages(text)


def test_languages_among_the_labels():
    assert languages_of(("fr", "other", "nl", "none")) == ("fr", "nl")


def test_classes_of_a_corpus():
    known = ("en", "fr")
    assert class_of("fr", known) == "fr"
    assert class_of("it", known) == "other"
    assert class_of("noise", known) == class_of("music", known) == class_of("none", known) == "none"
    assert class_of("en-GB", known) == class_of("en_us", known) == "en"
    assert class_of("en-GB", ("en", "en-GB")) == "en-GB"
    assert class_of("Yoruba", known) == class_of("xx-YY", known) == "other"


def test_nothing_of_langcodes_is_loaded_before_a_language_is_named():
    code = "import sys, langid.languages; print({'langcodes', 'language_data'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "set()\n", done.stderr
