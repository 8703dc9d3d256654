"""Fixtures that several test modules use."""

import pytest

from langid.data import store


@pytest.fixture
def small_shards(monkeypatch):
    """A dataset's files end after a few made-up clips."""
    monkeypatch.setattr(store, "ROW_GROUP_BYTES", 1000)
    monkeypatch.setattr(store, "SHARD_BYTES", 3000)
