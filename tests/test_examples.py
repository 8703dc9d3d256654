"""The embedded weights on the examples that the page offers."""

from pathlib import Path

import pytest

from langid import LanguageIdentifier

EXAMPLES = Path(__file__).parents[1] / "examples"
ANSWERS = {
    "english": "en",
    "french": "fr",
    "german": "de",
    "spanish": "es",
    "italian": "it",
    "dutch": "other",
    "rain": "none",
}


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.mark.parametrize("name", ANSWERS)
def test_examples_are_understood(identifier, name):
    result = identifier.identify(EXAMPLES / f"{name}.flac")
    assert result.language == ANSWERS[name], result.probabilities


def test_every_clip_of_the_folder_is_tested_and_says_where_it_is_from():
    names = {path.stem for path in EXAMPLES.glob("*.flac")}
    assert names == set(ANSWERS)
    sources = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name}.flac |" in sources for name in names)
