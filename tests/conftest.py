"""Fixtures that several test modules use."""

import os
import tempfile

import pytest

from langid.data import store


def pytest_configure(config):
    """What gradio and its client download goes with the run, instead of staying in /tmp/gradio."""
    folder = tempfile.TemporaryDirectory(prefix="gradio-", ignore_cleanup_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = folder.name  # read where gradio_client is imported
    config.add_cleanup(folder.cleanup)


@pytest.fixture
def small_shards(monkeypatch):
    """A dataset's files end after a few made-up clips."""
    monkeypatch.setattr(store, "ROW_GROUP_BYTES", 1000)
    monkeypatch.setattr(store, "SHARD_BYTES", 3000)
