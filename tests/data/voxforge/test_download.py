"""Downloads from a server with every fault that VoxForge's shows."""

import errno
import gzip
import os
import threading

import pytest
from helpers.fetch import impatient
from helpers.voxforge_server import VoxForgeServer

from langid.data.voxforge import http
from langid.data.voxforge.http import (
    DownloadFailed,
    Stop,
    Stopped,
    download,
    part_path,
    polite_session,
)
from langid.errors import DataError

PATH = "/downloads/a.tgz"
DATA = bytes(range(256)) * 1200  # 307,200 bytes: several chunks
WHOLE, RESUMED = True, False  # whether what arrived is surely one whole file


@pytest.fixture
def server(monkeypatch):
    impatient(monkeypatch)
    with VoxForgeServer({PATH: DATA}) as server:
        yield server


@pytest.fixture
def target(tmp_path):
    return tmp_path / "de" / "16kHz_16bit" / "a.tgz"


def get(server, target, path=PATH, stop=None, on_bytes=lambda n: None):
    stop = stop or Stop()
    with polite_session(1, stop) as session:
        return download(session, server.url + path, target, on_bytes, stop)


def ranges(server):
    return [asked for _, asked in server.requests]


def leave_part(target, data):
    target.parent.mkdir(parents=True)
    part_path(target).write_bytes(data)


def test_a_file_arrives_under_its_name_when_it_is_complete(server, target):
    seen = []
    transfer = get(server, target, on_bytes=lambda n: seen.append((n, target.exists())))
    assert transfer is WHOLE
    assert target.read_bytes() == DATA
    assert os.listdir(target.parent) == ["a.tgz"]
    assert sum(n for n, _ in seen) == len(DATA)
    assert not any(was_there for _, was_there in seen)


def test_an_empty_file(server, target):
    server.tree[PATH] = b""
    assert get(server, target) is WHOLE
    assert target.read_bytes() == b""


def test_the_bytes_of_the_archive_are_kept_although_apache_calls_them_an_encoding(server, target):
    server.tree[PATH] = gzip.compress(DATA)
    server.fault(PATH, headers={"Content-Encoding": "x-gzip"})
    get(server, target)
    assert target.read_bytes() == gzip.compress(DATA)


def test_a_transfer_that_breaks_off_goes_on_from_there(server, target):
    server.fault(PATH, cut_after=100_000, times=1)
    server.fault(PATH, cut_after=50_000, times=1)
    seen = []
    assert get(server, target, on_bytes=seen.append) is RESUMED
    assert target.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=100000-", "bytes=150000-"]
    assert sum(seen) == len(DATA)  # nothing came twice


def test_it_may_break_off_often_if_it_goes_on_at_all(server, target, monkeypatch):
    impatient(monkeypatch, n_retries=1)
    server.fault(PATH, cut_after=70_000)
    assert get(server, target) is RESUMED
    assert target.read_bytes() == DATA
    assert len(server.requests) == 5


def test_one_that_never_gets_on_is_given_up_and_its_part_kept(server, target):
    server.fault(PATH, cut_after=1000)
    with pytest.raises(DownloadFailed, match="the connection broke off") as failure:
        get(server, target)
    assert failure.value.is_host_fault
    assert part_path(target).read_bytes() == DATA[:4000]
    assert not target.exists()


def test_a_server_without_ranges_starts_again_and_is_given_up_in_the_end(server, target):
    server.fault(PATH, cut_after=100_000, no_ranges=True, times=2)
    server.fault(PATH, no_ranges=True, times=1)
    assert get(server, target) is WHOLE
    assert target.read_bytes() == DATA
    server.fault(PATH, cut_after=100_000, no_ranges=True)
    with pytest.raises(DownloadFailed):
        get(server, target.with_name("b.tgz"))


def test_what_an_earlier_run_left_is_resumed(server, target):
    leave_part(target, DATA[:1000])
    seen = []
    assert get(server, target, on_bytes=seen.append) is RESUMED
    assert target.read_bytes() == DATA
    assert (ranges(server), sum(seen)) == (["bytes=1000-"], len(DATA) - 1000)


def test_what_an_earlier_run_left_is_dropped_where_the_server_cannot_go_on(server, target):
    leave_part(target, b"x" * 1000)
    server.fault(PATH, no_ranges=True)
    assert get(server, target) is WHOLE
    assert target.read_bytes() == DATA


def test_a_part_that_was_complete_is_only_renamed(server, target):
    leave_part(target, DATA)
    seen = []
    assert get(server, target, on_bytes=seen.append) is RESUMED
    assert target.read_bytes() == DATA
    assert seen == []


def test_a_part_longer_than_the_file_is_dropped(server, target):
    leave_part(target, DATA + b"more")
    assert get(server, target) is WHOLE
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("content_range", ["", "bytes 0-1/2", "bytes */*", "bytes 999-307199/*"])
def test_an_answer_with_another_range_than_asked_for(server, target, content_range):
    leave_part(target, DATA[:1000])
    server.fault(PATH, content_range=content_range)
    assert get(server, target) is WHOLE
    assert target.read_bytes() == DATA


def test_a_range_of_a_file_of_another_size(server, target):
    leave_part(target, DATA[:1000])
    server.fault(PATH, content_range=f"bytes 1000-{len(DATA) - 1}/{len(DATA) - 1}")
    assert get(server, target) is WHOLE
    assert target.read_bytes() == DATA


def test_a_length_that_promises_too_much_is_no_complete_file(server, target):
    server.fault(PATH, content_length=len(DATA) + 10, no_ranges=True)
    with pytest.raises(DownloadFailed, match="the connection broke off"):
        get(server, target)
    assert not target.exists()


def test_a_length_that_promises_too_much_may_be_set_right_by_a_range(server, target):
    server.fault(PATH, content_length=len(DATA) + 10, times=1)
    assert get(server, target) is RESUMED
    assert target.read_bytes() == DATA
    assert ranges(server) == [None, f"bytes={len(DATA)}-"]


def test_without_a_length_nothing_says_that_it_is_whole(server, target):
    server.fault(PATH, no_length=True)
    assert get(server, target) is not WHOLE
    assert target.read_bytes() == DATA


@pytest.mark.parametrize(
    ("status", "n_requests", "is_host_fault"),
    [(404, 1, False), (410, 1, False), (403, 1, True), (503, 4, True), (429, 4, True)],
)
def test_a_server_that_does_not_give_the_file(server, target, status, n_requests, is_host_fault):
    server.fault(PATH, status=status)
    with pytest.raises(DownloadFailed, match=f"^HTTP status {status}$") as failure:
        get(server, target)
    assert failure.value.is_host_fault is is_host_fault
    assert server.n_requests(PATH) == n_requests
    assert not target.exists() and not part_path(target).exists()


def test_a_web_page_is_not_stored_as_an_archive(server, target):
    server.fault(PATH, status=200, body=b"<html>Please log in to this hotel</html>")
    with pytest.raises(DownloadFailed, match="a web page instead of an archive"):
        get(server, target)
    assert not target.exists() and not part_path(target).exists()


def test_a_server_that_falls_silent(server, target, monkeypatch):
    impatient(monkeypatch, n_retries=1)
    monkeypatch.setattr(http, "TIMEOUT_S", (5.0, 0.3))
    server.fault(PATH, stall_after=1000, times=1)
    assert get(server, target) is RESUMED
    assert target.read_bytes() == DATA
    server.fault(PATH, stall_after=0)
    with pytest.raises(DownloadFailed, match=r"^no answer in time$"):
        get(server, target.with_name("b.tgz"))


def test_stopping_between_two_chunks_keeps_the_part(server, target):
    stop = Stop()
    with pytest.raises(Stopped):
        get(server, target, stop=stop, on_bytes=lambda n: stop.set())
    kept = part_path(target).read_bytes()
    assert 0 < len(kept) < len(DATA) and DATA.startswith(kept)
    assert get(server, target) is RESUMED
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("no_length", [False, True])
def test_stopping_does_not_wait_for_a_silent_server(server, target, no_length):
    stop = Stop()
    server.fault(PATH, stall_after=8000, no_length=no_length)
    received = threading.Event()
    n_bytes = 0

    def on_bytes(n):
        nonlocal n_bytes
        n_bytes += n
        if n_bytes == 8000:
            received.set()

    threading.Thread(target=lambda: (received.wait(), stop.set()), daemon=True).start()
    with pytest.raises(Stopped):
        get(server, target, stop=stop, on_bytes=on_bytes)
    assert part_path(target).read_bytes() == DATA[:8000]
    assert not target.exists()


def test_after_a_stop_nothing_is_begun(server, target):
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        get(server, target, stop=stop)
    assert server.requests == []


def test_a_full_disk_is_one_sentence_and_the_part_is_kept(server, target, monkeypatch):
    leave_part(target, DATA[:1000])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=f"^The disk of {target.parent} is full: free some"):
            get(server, target)
    assert not target.exists()
    assert get(server, target) is RESUMED
    assert target.read_bytes() == DATA


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_is_really_full(server, target):
    target.parent.mkdir(parents=True)
    part_path(target).symlink_to("/dev/full")
    with pytest.raises(DataError, match="is full"):
        get(server, target)


def test_a_place_that_cannot_be_written(server, target):
    target.parent.parent.mkdir()
    target.parent.write_bytes(b"a file where the folder should be")
    with pytest.raises(DataError, match=f"^Cannot write {target}: "):
        get(server, target)


def test_connections_are_kept_open(server, tmp_path):
    stop = Stop()
    server.fault("/downloads/missing.tgz", status=404)
    with polite_session(1, stop) as session:
        for number in range(5):
            download(session, server.url + PATH, tmp_path / f"{number}.tgz", len_of, stop)
            with pytest.raises(DownloadFailed):
                url = server.url + "/downloads/missing.tgz"
                download(session, url, tmp_path / "missing.tgz", len_of, stop)
    assert len(server.requests) == 10
    assert server.n_connections == 1


def len_of(n_bytes):
    assert n_bytes > 0
