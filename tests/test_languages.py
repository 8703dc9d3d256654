import pytest

from langid.languages import class_of, language_code, language_name, languages_of, parse_languages


def test_names_on_the_screen():
    assert language_name("fr") == "French"
    assert language_name("other") == "Another language"
    assert language_name("none") == "No speech"
    assert language_name("xx-YY") == "xx-YY"


@pytest.mark.parametrize("text", ["fr", "FR", "French", " french "])
def test_code_of_a_code_or_a_name(text):
    assert language_code(text) == "fr"


def test_lists_keep_their_order_and_drop_repeats():
    assert parse_languages("fr, English,fr") == ("fr", "en")


@pytest.mark.parametrize("text", ["", " , ", "fr,klingon"])
def test_what_is_no_language_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_languages(text)


def test_languages_among_the_labels():
    assert languages_of(("fr", "other", "nl", "none")) == ("fr", "nl")


def test_classes_of_a_corpus():
    known = ("en", "fr")
    assert class_of("fr", known) == "fr"
    assert class_of("it", known) == "other"
    assert class_of("noise", known) == class_of("music", known) == class_of("none", known) == "none"
