"""An archive of one speaker, made on the fly."""

from pathlib import Path

import pytest
from helpers.voxforge import README_FIELDS, STEM, make_archive, noise


@pytest.fixture
def path(tmp_path) -> Path:
    """Where an archive may be made."""
    return tmp_path / f"{STEM}.tgz"


@pytest.fixture
def good(path) -> Path:
    """An archive without a fault."""
    recordings = {"a1": noise(1), "a2": noise(2)}
    return make_archive(path, recordings=recordings, readme=README_FIELDS)
