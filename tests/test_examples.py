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
    "rain": "none",
}


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.mark.parametrize("name", ANSWERS)
def test_examples_are_understood(identifier, name):
    result = identifier.identify(EXAMPLES / f"{name}.flac")
    assert result.language == ANSWERS[name], result.probabilities


def test_dutch_is_less_of_a_language_than_the_languages_are(identifier):
    """Nearest to German and English, so not surely rejected; but never with their certainty."""
    dutch = identifier.identify(EXAMPLES / "dutch.flac").probabilities["other"]
    for name, language in ANSWERS.items():
        if language != "none":
            clip = identifier.identify(EXAMPLES / f"{name}.flac")
            assert dutch > clip.probabilities["other"], name


def test_every_clip_of_the_folder_is_tested():
    names = {path.stem for path in EXAMPLES.glob("*.flac")}
    assert names == {*ANSWERS, "dutch"}
