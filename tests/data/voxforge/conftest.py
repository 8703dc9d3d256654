"""An archive and a small VoxForge, made on the fly."""

from pathlib import Path

import pytest
from helpers.voxforge import README_FIELDS, STEM, Corpus, make_archive, noise


@pytest.fixture
def path(tmp_path) -> Path:
    """Where an archive may be made."""
    return tmp_path / f"{STEM}.tgz"


@pytest.fixture
def good(path) -> Path:
    """An archive without a fault."""
    recordings = {"a1": noise(1), "a2": noise(2)}
    return make_archive(path, recordings=recordings, readme=README_FIELDS)


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    """Ten users of French and of English, one of them in both, two anonymous submissions."""
    corpus = Corpus(tmp_path / "made")
    for language in ("en", "fr"):
        for number in range(9):
            gender = ("[male];", "Female")[number % 2]
            readme = {**README_FIELDS, "Gender": gender}
            stem = f"{language}user{number}-2008010{number}-abc"
            corpus.add(language, stem, readme=readme)
        corpus.add(language, "both-20090101-xyz", audio_folder="flac")
        corpus.add(language, "anonymous-20080101-aaa", readme=None)
        corpus.add(language, "anonymous-20080102-bbb", prompts=None)
    corpus.add("fr", "fruser1-20100101-new")
    return corpus
