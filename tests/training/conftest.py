"""A small dataset, and a cache of its own for what is computed of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.training import cache_in, write_voxforge


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_voxforge(tmp_path_factory.mktemp("voxforge") / "data")


@pytest.fixture
def cache(tmp_path) -> Iterator[Path]:
    with cache_in(tmp_path / "cache"):
        yield tmp_path / "cache"
