"""What the events of the live tab do, without a server."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from langid.page import live as listening
from langid.space import live
from langid.space.live import Live

EXAMPLES = Path(__file__).parents[2] / "examples"
SKIPPED = {"__type__": "update"}


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


def visitor(name: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=name)


def chunks(folder: Path, name: str = "french") -> list[str]:
    """Files of a second each of an example."""
    speech, rate = soundfile.read(EXAMPLES / f"{name}.flac", dtype="float32")
    paths = []
    for i in range(len(speech) // rate):
        paths.append(folder / f"{name}{i}.wav")
        soundfile.write(paths[-1], speech[i * rate : (i + 1) * rate], rate)
    return [str(path) for path in paths]


def test_each_visitor_has_an_answer_of_their_own_and_nothing_is_kept(identifier, uploads):
    tab = Live(identifier)
    pairs = zip(chunks(uploads, "french")[:7], chunks(uploads, "german")[:7], strict=True)
    for french, german in pairs:
        shown = tab.listen(french, 1, visitor("a")), tab.listen(german, 7, visitor("b"))
    assert [view["words"] for view in shown] == ["French", "German"]
    assert [view["run"] for view in shown] == [1, 7]
    assert {view["state"] for view in shown} == {"listening"}
    assert "French" in shown[0]["html"] and "Listening, 0:0" in shown[0]["status"]
    assert {path.stem for path in uploads.iterdir()} == {"french7"}  # not sent
    assert tab.n_listeners() == 2
    tab.leave(visitor("a"))
    tab.stop(7, visitor("b"))
    assert tab.n_listeners() == 0


def test_a_new_press_of_record_begins_anew_and_late_chunks_are_dropped(identifier, uploads):
    tab, a = Live(identifier), visitor("a")
    first, second, third, fourth, *_ = chunks(uploads, "french")
    assert "0:01" in tab.listen(first, 1, a)["status"]
    assert "0:01" in tab.listen(second, 2, a)["status"]  # not 0:02
    assert tab.listen(third, 1, a) == SKIPPED
    broken = uploads / "broken.wav"
    broken.write_text("no sound")
    assert tab.listen(str(broken), 1, a)["run"] == 1
    tab.stop(1, a)  # Stop was pressed before Record, and comes after it
    assert tab.n_listeners() == 1
    assert "0:02" in tab.listen(fourth, 2, a)["status"]
    tab.stop(2, a)
    assert tab.listen(chunks(uploads, "german")[0], 2, a) == SKIPPED
    assert tab.n_listeners() == 0


def test_it_ends_by_itself_and_stays_ended(identifier, uploads, monkeypatch):
    monkeypatch.setattr(listening, "MAX_LISTENING_S", 2.5)
    tab, a = Live(identifier), visitor("a")
    views = [tab.listen(chunk, 1, a) for chunk in chunks(uploads)[:5]]
    assert [view.get("state") for view in views[:3]] == ["listening", "listening", "stopped"]
    assert "press Record to go on" in views[2]["status"] and "verdict" in views[2]["html"]
    assert views[3:] == [SKIPPED, SKIPPED]
    assert tab.n_listeners() == 0


def test_too_many_listeners_and_abandoned_ones(identifier, uploads, monkeypatch):
    monkeypatch.setattr(live, "MAX_LISTENERS", 2)
    tab = Live(identifier)
    paths = iter(chunks(uploads) + chunks(uploads, "german"))
    for name in ("a", "b"):
        assert tab.listen(next(paths), 1, visitor(name))["state"] == "listening"
    refused = tab.listen(next(paths), 1, visitor("c"))
    assert refused["state"] == "stopped" and "try again in a minute" in refused["status"]
    assert tab.listen(next(paths), 1, visitor("a"))["state"] == "listening"
    monkeypatch.setattr(live, "ABANDONED_S", -1.0)  # all have been silent for longer
    assert tab.listen(next(paths), 1, visitor("c"))["state"] == "listening"
    assert tab.n_listeners() == 1


def test_errors_are_sentences_and_end_the_listening(identifier, uploads, monkeypatch, caplog):
    tab, a = Live(identifier), visitor("a")
    broken = uploads / "broken.wav"
    broken.write_text("no sound")
    view = tab.listen(str(broken), 1, a)
    assert view["state"] == "stopped" and "reload the page" in view["status"]
    damaged = uploads / "nan.wav"
    soundfile.write(damaged, np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    view = tab.listen(str(damaged), 2, a)
    assert view["state"] == "stopped" and "NaN" in view["status"]
    monkeypatch.setattr(listening.LiveListener, "add", lambda *_: 1 / 0)
    view = tab.listen(chunks(uploads)[0], 3, a)
    assert view["status"].count(live.FAILED) == 1
    assert "ZeroDivisionError" in caplog.text
    assert tab.n_listeners() == 0


def test_a_chunk_that_is_gone_or_missing_changes_nothing(identifier, uploads):
    """Of two visitors in digital silence the chunks are one file."""
    tab, a = Live(identifier), visitor("a")
    assert tab.listen(str(uploads / "gone.wav"), 1, a) == SKIPPED
    assert tab.listen(None, 1, a) == SKIPPED
    assert tab.listen(chunks(uploads)[0], 1, a)["state"] == "listening"


def test_it_says_when_sound_is_lost(identifier, uploads, monkeypatch):
    tab, a = Live(identifier), visitor("a")
    first, second, *_ = chunks(uploads)
    assert "lost" not in tab.listen(first, 1, a)["status"]
    late = live.time.monotonic() + 10
    monkeypatch.setattr(live.time, "monotonic", lambda: late)
    assert "parts of the speech are lost" in tab.listen(second, 1, a)["status"]


def test_only_uploads_are_deleted(identifier, uploads, tmp_path):
    """A client may name a file that the page offers, as the examples."""
    offered = tmp_path / "french.flac"
    shutil.copy(EXAMPLES / "french.flac", offered)
    Live(identifier).listen(str(offered), 1, visitor("a"))
    Live(identifier).listen(str(uploads / ".." / "french.flac"), 1, visitor("a"))
    assert offered.exists()
