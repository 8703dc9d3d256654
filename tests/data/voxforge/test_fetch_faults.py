"""From a server to a folder of archives: what goes wrong on the way, and how a run ends."""

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock
from helpers.fetch import (
    ALL,
    ONE_MINUTE,
    RATES,
    archive_keys,
    content,
    downloads,
    impatient,
    stand_in_survey,
    tree,
)
from helpers.fetch import fetch as run
from helpers.voxforge_server import VoxForgeServer, archive_path

from langid.data.utterance import ReasonCounts
from langid.data.voxforge import archives as archive_folder
from langid.data.voxforge import fetch, http
from langid.data.voxforge.fetch import LOCK_NAME, fetch_archives
from langid.data.voxforge.http import Stop, polite_session
from langid.data.voxforge.index import list_archives
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.selection import Planner
from langid.errors import DataError

PREPARE_DATA = Path(__file__).parents[3] / "prepare_data.py"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    impatient(monkeypatch, n_retries=1)


@pytest.fixture(autouse=True)
def surveys_without_audio(monkeypatch):
    monkeypatch.setattr(archive_folder, "survey_archive", stand_in_survey)


def test_corrupt_archives_count_nothing_and_others_take_their_place(tmp_path):
    paths = tree(12)
    for path in list(paths)[:6]:
        paths[path] = b"" if path < "s3" else b"<corrupt>"
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path, ONE_MINUTE, n_workers=1)) == 3
        server.requests.clear()
        run(server, tmp_path, ONE_MINUTE, n_workers=1)
    assert downloads(server) == []  # a corrupt one that came whole is not fetched again


def test_a_resumed_download_that_is_corrupt_comes_afresh_once(tmp_path):
    part = tmp_path / "de/16kHz_16bit/s0-0-x.tgz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"another file's beginning")
    with VoxForgeServer(tree(1)) as server:
        assert run(server, tmp_path) == ["de/16kHz_16bit/s0-0-x.tgz"]
    assert [asked for path, asked in server.requests if path.endswith("tgz")] == ["bytes=24-", None]
    assert (tmp_path / "de/16kHz_16bit/s0-0-x.tgz").read_bytes() == content()


def test_a_resumed_download_that_stays_corrupt_is_not_fetched_for_ever(tmp_path):
    paths = {archive_path("de", "s0-0-x.tgz"): b"<corrupt>" + content()}
    with VoxForgeServer(paths) as server:
        server.fault(archive_path("de", "s0-0-x.tgz"), cut_after=10, times=1)
        assert run(server, tmp_path) == []
    assert [asked for path, asked in server.requests if path.endswith("tgz")] == [
        None,
        "bytes=10-",
        None,
    ]


def test_archives_that_fail_are_counted_named_and_tried_again_next_time(tmp_path, capsys):
    paths = tree(8)
    excluded = ReasonCounts()
    with VoxForgeServer(paths) as server:
        server.fault(archive_path("de", "s3-0-x.tgz"), status=404, times=1)
        server.fault(archive_path("de", "s5-0-x.tgz"), status=500, times=2)
        assert len(run(server, tmp_path, excluded=excluded)) == 6
        assert excluded.names == {
            "download failed: HTTP status 404": ["de/16kHz_16bit/s3-0-x.tgz"],
            "download failed: HTTP status 500": ["de/16kHz_16bit/s5-0-x.tgz"],
        }
        assert "de/16kHz_16bit/s3-0-x.tgz: HTTP status 404" in capsys.readouterr().err
        server.requests.clear()
        assert len(run(server, tmp_path)) == 8
        assert downloads(server) == ["s3-0-x.tgz", "s5-0-x.tgz"]


def test_an_archive_that_fails_is_replaced_by_others(tmp_path):
    paths = tree(12)
    with VoxForgeServer(paths) as server:
        for path in list(paths)[:9]:
            server.fault(path, status=404)
        assert len(run(server, tmp_path, ONE_MINUTE)) == 3


def test_a_host_that_goes_down_ends_the_run_and_the_next_goes_on(tmp_path):
    paths = tree(30)
    with VoxForgeServer(paths) as server:
        for path in list(paths)[4:]:  # in any order, more than five of them without a good one
            server.fault(path, status=503)
        with pytest.raises(DataError, match=r"^127.0.0.1 gives nothing any more \(HTTP status 503"):
            run(server, tmp_path)
    n_kept = len(list(tmp_path.rglob("*.tgz")))
    assert n_kept <= 4
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path)) == 30
    assert len(downloads(server)) == 30 - n_kept


def test_a_host_that_vanishes(tmp_path):
    with VoxForgeServer(tree(30)) as server:
        stop = Stop()
        with polite_session(2, stop) as session:
            listed = list_archives(session, server.base_url, "de", RATES)
            planners = [Planner("de", listed, ALL, ReasonCounts())]
            server.stop()
            with pytest.raises(DataError, match=r"\(no connection\): what is downloaded is kept"):
                fetch_archives(
                    session,
                    stop,
                    planners,
                    tmp_path,
                    Manifest(tmp_path),
                    ReasonCounts(),
                    n_workers=2,
                )


def test_missing_archives_are_no_sign_of_a_host_that_is_down(tmp_path):
    paths = tree(30)
    with VoxForgeServer(paths) as server:
        for path in list(paths)[:20]:
            server.fault(path, status=404)
        assert len(run(server, tmp_path)) == 10


def test_a_full_disk_ends_the_run_and_the_next_goes_on(tmp_path, monkeypatch):
    n_synced = 0

    def full(descriptor):
        nonlocal n_synced
        n_synced += 1
        if n_synced > 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    with VoxForgeServer(tree(10)) as server:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(DataError, match="is full: free some space"):
                run(server, tmp_path)
        kept = archive_keys(tmp_path)
        assert len(kept) == 4
        server.requests.clear()
        assert len(run(server, tmp_path)) == 10
    lacking = {key.rpartition("/")[2] for key in archive_keys(tmp_path) if key not in kept}
    assert downloads(server) == sorted(lacking)
    assert all((tmp_path / key).read_bytes() == content() for key in archive_keys(tmp_path))


def test_a_folder_that_cannot_be_written(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("")
    with VoxForgeServer(tree(1)) as server, pytest.raises(DataError, match=r"^Cannot write to "):
        run(server, folder)


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    with (
        VoxForgeServer(tree(1)) as server,
        FileLock(tmp_path / LOCK_NAME),
        pytest.raises(DataError, match="Another run is downloading to"),
    ):
        run(server, tmp_path)


def interrupt_when_stalled(server):
    """Ctrl-C as soon as an answer has stalled."""
    main = threading.main_thread().ident
    server.on_stall = lambda: signal.pthread_kill(main, signal.SIGINT)


@pytest.fixture
def ctrl_c():
    """Python's own handling of it, whatever runs the tests."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def test_ctrl_c_keeps_what_is_there_and_the_next_run_goes_on(tmp_path, ctrl_c, monkeypatch):
    paths = tree(6)
    stalled = archive_path("de", "s3-0-x.tgz")
    n_received = 0
    has_stalled = threading.Event()
    with VoxForgeServer(paths) as server:

        def interrupt_when_all_has_arrived():
            n_complete = len(downloads(server)) - 1
            if has_stalled.is_set() and n_received == n_complete * len(content()) + 5000:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        def add(bar, n_bytes):
            nonlocal n_received
            n_received += n_bytes
            interrupt_when_all_has_arrived()

        monkeypatch.setattr(fetch.Bar, "add", add)
        server.on_stall = lambda: (has_stalled.set(), interrupt_when_all_has_arrived())
        server.fault(stalled, stall_after=5000)
        with pytest.raises(KeyboardInterrupt):
            run(server, tmp_path, n_workers=1)
    n_complete = len(list(tmp_path.rglob("*.tgz")))
    assert (tmp_path / "de/16kHz_16bit/s3-0-x.tgz.part").read_bytes() == content()[:5000]
    has_stalled.clear()
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path)) == 6
    assert len(downloads(server)) == 6 - n_complete
    assert (stalled, "bytes=5000-") in server.requests


def test_ctrl_c_during_a_long_wait(tmp_path, ctrl_c):
    with VoxForgeServer(tree(3)) as server:
        interrupt_when_stalled(server)
        server.fault(archive_path("de", "s0-0-x.tgz"), status=503, retry_after="250")
        server.fault(archive_path("de", "s1-0-x.tgz"), stall_after=0)
        server.fault(archive_path("de", "s2-0-x.tgz"), status=503, retry_after="250")
        with pytest.raises(KeyboardInterrupt):
            run(server, tmp_path, n_workers=3)


def test_ctrl_c_while_the_host_says_nothing(tmp_path, ctrl_c, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_S", None)  # as if for ever
    monkeypatch.setattr(fetch, "STOPPING_S", 0.1)
    paths = tree(3)
    mute = archive_path("de", "s1-0-x.tgz")
    with VoxForgeServer(paths) as server:
        interrupt_when_stalled(server)
        server.fault(mute, is_mute=True)
        with pytest.raises(KeyboardInterrupt):
            run(server, tmp_path, n_workers=1)
    with VoxForgeServer(paths) as server:  # nobody holds the folder
        assert len(run(server, tmp_path)) == 3


def test_ctrl_c_twice_ends_the_program_without_a_traceback(tmp_path):
    """Within less than the host is waited for, 30 s."""
    paths = tree(3)
    with VoxForgeServer(paths) as server:
        for path in paths:
            server.fault(path, is_mute=True)
        has_stalled = threading.Event()
        server.on_stall = has_stalled.set
        command = ["voxforge", "--languages", "de", "--base-url", server.base_url]
        process = subprocess.Popen(
            [sys.executable, PREPARE_DATA, *command, "--output", tmp_path / "out"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert has_stalled.wait(60)
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):  # while the threads are waited for
                process.wait(0.5)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=15)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Interrupted" in errors and "Traceback" not in errors, errors
