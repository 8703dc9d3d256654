"""Faults around the Space: after each it answers, says in a sentence why not, or comes back."""

import contextlib
import signal
import subprocess
import time
from concurrent.futures import CancelledError
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from gradio_client import handle_file
from helpers.app_process import ROOT, AppProcess
from helpers.hub import local_hub
from helpers.hub_server import TOKEN, USER

from langid.checkpoint import EMBEDDED, EMBEDDED_NAME, WEIGHTS_FILE
from langid.hub.publish import push_folder
from langid.hub.space import assemble
from langid.page.disk import DISK_FULL
from langid.page.files import sweep
from langid.training.outputs import RUN

FRENCH = ROOT / "examples" / "french.flac"
CLOSED = "http://127.0.0.1:9"  # the discard port, where nobody listens
PATIENCE_S = 60.0
pytestmark = pytest.mark.slow  # each starts app.py at least once


def wait_until(is_true) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def damage(path: Path) -> None:
    """Cut off the second half."""
    content = path.read_bytes()
    path.unlink()  # in the Hub's cache it may be a link
    path.write_bytes(content[: len(content) // 2])


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount(8) on this system")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    path = disk / "filler"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return path


def test_without_the_hub_it_starts_and_after_a_kill_it_comes_back(tmp_path):
    app = AppProcess(
        tmp_path, HF_ENDPOINT=CLOSED, LANGID_MODEL="nobody/langid-five", LANGID_REVISION="v1"
    )
    hour = tmp_path / "hour.flac"
    speech, rate = soundfile.read(FRENCH, dtype="int16")
    soundfile.write(hour, np.tile(speech, 3600 * rate // len(speech)), rate)
    with app:
        assert "The weights “nobody/langid-five” could not be loaded" in app.get("/config")
        assert f"Weights: the {EMBEDDED_NAME}" in app.get("/config")
        assert "Serving the embedded weights instead of nobody/langid-five" in app.text
        assert app.identify(FRENCH) == "fr"
        job = app.client().submit(handle_file(hour), api_name="/predict")
        wait_until(lambda: '"jobs":1' in app.get("/health"))
        sent = app.sent
        assert len(sent) == 2
        app.stop(signal.SIGKILL)
        with pytest.raises((httpx.TransportError, CancelledError)):  # the client waits no longer
            job.result(timeout=PATIENCE_S)
        with app:
            assert not any(path.exists() for path in sent)
            assert app.identify(FRENCH) == "fr"


def test_once_loaded_it_needs_no_hub_and_damaged_weights_are_replaced(tmp_path, monkeypatch):
    repo = f"{USER}/langid-five"
    with local_hub(tmp_path, monkeypatch) as hub:
        commit = push_folder(EMBEDDED, repo, RUN).rsplit("/", 1)[1]
        app = AppProcess(tmp_path, HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN, LANGID_MODEL=repo)
        with app:
            assert commit in app.get("/health")
            hub.stop()
            assert app.identify(FRENCH) == "fr"
        with app:  # its copy is on this machine
            assert commit in app.get("/health")
            assert app.identify(FRENCH) == "fr"
        for path in (tmp_path / "hf").rglob(f"snapshots/*/{WEIGHTS_FILE}"):
            damage(path)
        with app:
            assert f"The weights “{repo}” could not be loaded" in app.get("/config")
            assert "is not a safetensors file" in app.text
            assert app.identify(FRENCH) == "fr"


def test_damaged_embedded_weights_are_one_sentence(tmp_path):
    root = tmp_path / "space"
    assemble(ROOT, root)
    damage(root / "langid" / "weights" / WEIGHTS_FILE)
    app = AppProcess(tmp_path, root)
    app.launch()
    assert app.wait() == 1
    assert app.text.endswith(f"{WEIGHTS_FILE} is not a safetensors file.\n")
    assert "Traceback" not in app.text


def test_a_full_disk_refuses_with_a_sentence_until_there_is_room(small_disk, tmp_path):
    clip = FRENCH.read_bytes()
    with AppProcess(tmp_path, TMPDIR=str(small_disk)) as app:
        assert app.identify(FRENCH) == "fr"
        assert app.upload(clip * 100) == (507, DISK_FULL)  # 12 MB
        assert app.identify(FRENCH) == "fr"
        filler = fill(small_disk)
        assert app.upload(clip) == (507, DISK_FULL)
        filler.unlink()
        assert app.identify(FRENCH) == "fr"
        # Without a length, the disk fills up meanwhile; what arrived is swept away.
        assert app.upload(clip * 100, in_chunks=True) == (507, DISK_FULL)
        for folder in (small_disk / "langid-page").iterdir():
            sweep(folder)
        assert app.identify(FRENCH) == "fr"
        assert "Traceback" not in app.text


def test_a_folder_that_cannot_be_had_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("a file")
    app = AppProcess(tmp_path, GRADIO_TEMP_DIR=str(tmp_path / "taken"))
    app.launch()
    assert app.wait() == 1
    assert f"Recordings cannot be kept in {tmp_path / 'taken'}: Not a directory." in app.text
    assert "Traceback" not in app.text


def test_a_client_that_sends_half_a_file_leaves_nothing_for_long(tmp_path, monkeypatch):
    with AppProcess(tmp_path) as app:
        app.upload_half(b"v" * 3_000_000)
        wait_until(lambda: len(app.sent) == 1 and app.sent[0].stat().st_size >= 1_000_000)
        assert app.identify(FRENCH) == "fr"
        assert app.upload(FRENCH.read_bytes())[0] == 200
        assert "Traceback" not in app.text
        half = next(path for path in app.sent if path.suffix == "")
        folder = half.parent
        sweep(folder)
        assert half.exists()  # it may still be growing
        monkeypatch.setattr("langid.page.files.MAX_UNFINISHED_S", 0.0)
        sweep(folder)
        assert not half.exists() and len(app.sent) == 2
        assert app.identify(FRENCH) == "fr"
