"""What candidates mean, for the page, the API and the command line."""

import pytest

from langid import languages
from langid.languages import choose_labels

LABELS = ("en", "fr", "de", "other", "none")


@pytest.mark.parametrize(
    ("candidates", "labels"),
    [
        (["fr", "en"], ("en", "fr")),
        (["German", "NO SPEECH"], ("de", "none")),
        ((" Another language ", "other"), ("other",)),
        (["en-US", "fr_CA", "deu"], ("en", "fr", "de")),
        ({"Deutsch": 1}, ("de",)),
        ("en", ("en",)),
        ("fr, english,none", ("en", "fr", "none")),
        (None, None),
        (["none", "other", "de", "fr", "English"], None),
    ],
)
def test_candidates_become_labels(candidates, labels):
    assert choose_labels(candidates, LABELS) == labels


def test_a_label_that_is_no_language_code_is_chosen_as_it_stands():
    assert choose_labels("rm-vallader", ("en", "rm-vallader", "Yoruba")) == ("rm-vallader",)
    assert choose_labels(["yoruba"], ("en", "rm-vallader", "Yoruba")) == ("Yoruba",)


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ([], "No candidate is chosen: give at least one language"),
        (" , ", "No candidate is chosen: give at least one language"),
        (["en", "klingon"], "The model cannot answer 'klingon': choose among en (English), "),
        (["it"], "The model cannot answer 'it'"),
        (["noise"], "The model cannot answer 'noise'"),
        (5, "5 names no language: choose among en (English), fr (French), "),
        (["en", None], "['en', None] names no language: choose among en (English), "),
        (b"en", "b'en' names no language: choose among en (English), "),
    ],
)
def test_bad_candidates_give_a_sentence(candidates, sentence):
    with pytest.raises(ValueError) as caught:
        choose_labels(candidates, LABELS)
    assert str(caught.value).startswith(sentence)


def test_long_texts_are_not_looked_up_and_not_repeated(monkeypatch):
    """The time that it takes would grow with the square of their length."""
    monkeypatch.setattr(languages, "_parse_tag", lambda text: pytest.fail("looked up"))
    monkeypatch.setattr(languages, "_find_name", lambda text: pytest.fail("looked up"))
    for candidates in ("x" * 5_000, ["en", "x" * 5_000], 999 * ["en"], [5] * 5_000, b"x" * 5_000):
        with pytest.raises(ValueError, match="choose among en") as caught:
            choose_labels(candidates, LABELS)
        assert len(str(caught.value)) < 400


def test_what_strangers_write_is_not_kept_for_ever():
    assert languages._known_code.cache_info().maxsize is not None
