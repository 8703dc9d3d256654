"""Fixtures that several test modules use."""

import pytest

from langid.data import shards


@pytest.fixture
def small_shards(monkeypatch):
    """A dataset's files end after a few made-up clips."""
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 1000)
    monkeypatch.setattr(shards, "SHARD_BYTES", 3000)
