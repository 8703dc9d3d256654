"""The folder of visitors' recordings: swept at start and while the page runs."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

from langid.page import files
from langid.page.files import LOCK, claim_folder, sweep

HOUR_S = 3600
HOLD = """
import sys, time
from pathlib import Path
from langid.page.files import claim_folder
folder, lock = claim_folder(Path(sys.argv[1]))
(folder / "speech.wav").write_bytes(b"voice")
print(folder, flush=True)
time.sleep(60)
"""


def hold(base):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(base)], stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def test_what_a_killed_process_left_is_deleted_at_the_next_start(tmp_path):
    base = tmp_path / "page"
    (killed, killed_folder), (alive, alive_folder) = hold(base), hold(base)
    try:
        killed.kill()
        killed.wait()
        folder, lock = claim_folder(base)
        assert not os.path.exists(killed_folder)
        assert os.path.exists(f"{alive_folder}/speech.wav")
        assert folder.is_dir() and str(folder) not in (killed_folder, alive_folder)
        lock.release()
    finally:
        alive.kill()
        alive.wait()


def write(path, n_bytes=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"v" * n_bytes)
    return path


def test_old_files_go_and_new_ones_stay(tmp_path):
    write(tmp_path / "a" / "old.wav")
    time.sleep(0.3)
    new = write(tmp_path / "b" / "new.wav")
    sweep(tmp_path, max_age_s=0.2)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [new]


def test_a_folder_that_is_too_large_loses_its_oldest_files(tmp_path):
    for name in "abcd":
        write(tmp_path / name / "speech.wav", n_bytes=100)
        time.sleep(0.02)
    sweep(tmp_path, max_age_s=HOUR_S, max_bytes=250)
    assert sorted(path.parent.name for path in tmp_path.rglob("*.wav")) == ["c", "d"]


def test_empty_folders_go_unless_they_were_just_made(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert new.is_dir() and not old.exists()


def test_a_file_that_nobody_sends_the_rest_of_goes(tmp_path):
    """Files directly in the folder are being sent."""
    left, growing = write(tmp_path / "tmp1"), write(tmp_path / "tmp2")
    whole, lock = write(tmp_path / "a" / "speech.wav"), write(tmp_path / LOCK)
    for path in (left, whole, lock):
        os.utime(path, (time.time() - 400, time.time() - 400))
    sweep(tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {growing, whole, lock}


def test_half_of_a_small_disk_is_the_limit(tmp_path, monkeypatch):
    usage = SimpleNamespace(total=500, used=300, free=200)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    for name in "abc":
        write(tmp_path / name / "speech.wav", n_bytes=100)
        time.sleep(0.02)
    sweep(tmp_path)
    assert sorted(path.parent.name for path in tmp_path.rglob("*.wav")) == ["b", "c"]
