"""A small dataset, and a cache of its own for what is computed of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.training import build_corpus, cache_in, write_voxforge


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_voxforge(tmp_path_factory.mktemp("voxforge") / "data")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Iterator[Path]:
    """Melodies of several languages, and a cache for all tests of a module."""
    with cache_in(tmp_path_factory.mktemp("cache")):
        yield build_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def cache(tmp_path) -> Iterator[Path]:
    with cache_in(tmp_path / "cache"):
        yield tmp_path / "cache"
