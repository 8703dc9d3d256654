"""GET /health."""

import shutil
from types import SimpleNamespace

from helpers.app import FRENCH, health

from langid.checkpoint import EMBEDDED_NAME


def test_health_tells_what_is_served(url):
    told = health(url)
    assert told["status"] == "ok" and told["weights"] == EMBEDDED_NAME
    assert told["revision"] is None and told["version"]
    assert told["uptime_s"] > 0 and told["queue"]["jobs"] == 0
    assert health(url)["uptime_s"] >= told["uptime_s"]


def test_health_counts_who_is_listened_to(server, tmp_path):
    url, page = server
    visitor, live = SimpleNamespace(session_hash="visitor"), page.handlers.live
    live.listen(shutil.copy(FRENCH, tmp_path / "chunk.flac"), 1, visitor)
    assert health(url)["queue"]["listeners"] == 1
    live.leave(visitor)
    assert health(url)["queue"]["listeners"] == 0
