"""Candidates, as codes or English names."""

import pytest

from langid.languages import choose_labels

LABELS = ("en", "fr", "de", "other", "none")


@pytest.mark.parametrize(
    ("candidates", "labels"),
    [
        (["fr", "en"], ("en", "fr")),
        (["German", "NO SPEECH"], ("de", "none")),
        ((" Another language ", "other"), ("other",)),
        (None, None),
        (["none", "other", "de", "fr", "English"], None),
    ],
)
def test_candidates_become_labels(candidates, labels):
    assert choose_labels(candidates, LABELS) == labels


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ([], "No candidate is chosen: give at least one language"),
        (["en", "klingon"], "The model cannot answer 'klingon': choose among en (English), "),
        (["it"], "The model cannot answer 'it'"),
    ],
)
def test_bad_candidates_give_a_sentence(candidates, sentence):
    with pytest.raises(ValueError) as caught:
        choose_labels(candidates, LABELS)
    assert str(caught.value).startswith(sentence)
