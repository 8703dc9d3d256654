"""From a server to a folder of archives: what is downloaded, and what goes wrong on the way."""

import errno
import io
import json
import math
import signal
import threading

import pytest
from filelock import FileLock
from voxforge_server import VoxForgeServer, archive_path

from langid import archive_folder, fetch, http_session
from langid import download as download_module
from langid.archive_folder import find_archives
from langid.clips import DataError
from langid.drops import Drops
from langid.fetch import LOCK_NAME, Caps, fetch_archives, fetch_voxforge
from langid.http_session import Stop, polite_session
from langid.manifest import MANIFEST_NAME, Manifest
from langid.voxforge import Survey
from langid.voxforge_index import list_archives

ALL = Caps(math.inf, math.inf)
ONE_MINUTE = Caps(1 / 60, math.inf)
RATES = ("16kHz_16bit",)
PAD = b"." * 20_000


@pytest.fixture(autouse=True)
def surveyed(monkeypatch):
    """Files that were surveyed: "20 s…" lasts 20 s, anything else is corrupt."""
    names = []

    def survey(path):
        names.append(path.name)
        number, unit, _ = path.read_bytes().partition(b" s")
        if unit and number.isdigit():
            return Survey(1, float(number), None, None, 1000, None)
        return Survey(0, 0.0, None, None, 0, "truncated")

    monkeypatch.setattr(archive_folder, "survey_archive", survey)
    return names


def content(seconds=20):
    return f"{seconds} s".encode() + PAD


def tree(n_speakers, n_each=1, language="de", seconds=20):
    return {
        archive_path(language, f"s{speaker}-{number}-x.tgz"): content(seconds)
        for speaker in range(n_speakers)
        for number in range(n_each)
    }


def run(server, folder, caps=ALL, languages=("de",), drops=None, n_workers=2, **session_options):
    """Fetch without waits between attempts; the keys of the usable archives in the folder."""
    stop = Stop()
    drops = Drops() if drops is None else drops
    manifest = Manifest(folder)
    options = {"n_retries": 1, "backoff_s": 0, **session_options}
    with polite_session(n_workers, stop, **options) as session:
        remote = {
            language: list_archives(session, server.base_url, language, RATES)
            for language in languages
        }
        fetch_archives(session, stop, remote, folder, manifest, drops, caps, n_workers=n_workers)
    return archive_keys(folder, languages)


def archive_keys(folder, languages=("de",)):
    archives = find_archives(folder, languages, Manifest(folder), Drops())
    return [archive.key for archive in archives]


def downloads(server):
    return sorted(path.rpartition("/")[2] for path, _ in server.requests if path.endswith(".tgz"))


def test_everything_is_brought_surveyed_and_kept_in_the_manifest(tmp_path, surveyed):
    with VoxForgeServer(tree(5, 2)) as server:
        keys = run(server, tmp_path)
    assert keys == [f"de/16kHz_16bit/s{s}-{n}-x.tgz" for s in range(5) for n in range(2)]
    assert all((tmp_path / key).read_bytes() == content() for key in keys)
    assert len(surveyed) == 10  # each once, although the folder was read again
    records = [json.loads(line) for line in (tmp_path / MANIFEST_NAME).read_text().splitlines()]
    assert sorted(record["key"] for record in records) == keys
    assert all(record["url"].startswith(server.base_url) for record in records)
    assert not list(tmp_path.rglob("*.part"))


def test_a_second_run_downloads_nothing_and_surveys_nothing(tmp_path, surveyed):
    with VoxForgeServer(tree(12, 2)) as server:
        first = run(server, tmp_path, ONE_MINUTE)
        assert 3 <= len(first) <= 4  # 60 s, and what was in flight
        server.requests.clear()
        surveyed.clear()
        assert run(server, tmp_path, ONE_MINUTE) == first
    assert (downloads(server), surveyed) == ([], [])


def test_more_hours_later_bring_only_what_lacks(tmp_path):
    with VoxForgeServer(tree(12)) as server:
        first = run(server, tmp_path, ONE_MINUTE)
        server.requests.clear()
        second = run(server, tmp_path, Caps(2 / 60, math.inf))
    assert set(first) < set(second)
    assert len(downloads(server)) == len(second) - len(first)


def test_no_more_of_a_speaker_than_asked_for(tmp_path):
    with VoxForgeServer(tree(2, 9)) as server:
        keys = run(server, tmp_path, Caps(math.inf, 0.5), n_workers=1)
    assert keys == [f"de/16kHz_16bit/s{s}-{n}-x.tgz" for s in (0, 1) for n in (0, 1)]


def test_all_languages_advance_alike(tmp_path):
    languages = ("de", "fr", "it")
    paths = {k: v for language in languages for k, v in tree(20, language=language).items()}
    with VoxForgeServer(paths) as server:
        run(server, tmp_path, Caps(2 / 60, math.inf), languages, n_workers=1)
    of_language = [path.split("/")[2] for path, _ in server.requests if path.endswith(".tgz")]
    assert of_language == list(languages) * 6


def test_no_more_connections_than_workers(tmp_path):
    with VoxForgeServer(tree(30)) as server:
        run(server, tmp_path, n_workers=3)
    assert len(downloads(server)) == 30
    assert server.n_connections <= 3


def test_a_file_copied_by_hand_is_surveyed_and_not_downloaded(tmp_path, surveyed):
    target = tmp_path / "de/16kHz_16bit/s0-0-x.tgz"
    target.parent.mkdir(parents=True)
    target.write_bytes(content())
    with VoxForgeServer(tree(2)) as server:
        assert len(run(server, tmp_path)) == 2
    assert downloads(server) == ["s1-0-x.tgz"]
    assert sorted(surveyed) == ["s0-0-x.tgz", "s1-0-x.tgz"]


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
    paths = {archive_path("de", "s0-0-x.tgz"): b"<corrupt>" + PAD}
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
    drops = Drops()
    with VoxForgeServer(paths) as server:
        server.fault(archive_path("de", "s3-0-x.tgz"), status=404, times=1)
        server.fault(archive_path("de", "s5-0-x.tgz"), status=500, times=2)
        assert len(run(server, tmp_path, drops=drops)) == 6
        assert drops.names == {
            "download failed: HTTP status 404": ["de/16kHz_16bit/s3-0-x.tgz"],
            "download failed: HTTP status 500": ["de/16kHz_16bit/s5-0-x.tgz"],
        }
        assert "de/16kHz_16bit/s3-0-x.tgz: HTTP status 404" in capsys.readouterr().err
        assert Manifest(tmp_path).failure("de/16kHz_16bit/s5-0-x.tgz") == "HTTP status 500"
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
        for path in list(paths)[10:]:
            server.fault(path, status=503)
        with pytest.raises(DataError, match=r"^127.0.0.1 gives nothing any more \(HTTP status 503"):
            run(server, tmp_path)
    n_kept = len(list(tmp_path.rglob("*.tgz")))
    assert n_kept < 10
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path)) == 30
    assert len(downloads(server)) == 30 - n_kept


def test_a_host_that_vanishes(tmp_path):
    with VoxForgeServer(tree(30)) as server:
        stop = Stop()
        with polite_session(2, stop, n_retries=1, backoff_s=0) as session:
            remote = {"de": list_archives(session, server.base_url, "de", RATES)}
            server.stop()
            with pytest.raises(DataError, match=r"\(no connection\): what is downloaded is kept"):
                fetch_archives(
                    session, stop, remote, tmp_path, Manifest(tmp_path), Drops(), ALL, n_workers=2
                )


def test_missing_archives_are_no_sign_of_a_host_that_is_down(tmp_path):
    paths = tree(30)
    with VoxForgeServer(paths) as server:
        for path in list(paths)[:20]:
            server.fault(path, status=404)
        assert len(run(server, tmp_path)) == 10


def test_who_does_not_speak_the_language_is_not_even_downloaded(tmp_path):
    paths = tree(2, language="it")
    paths[archive_path("it", "Vistaus-20080718-mrm.tgz")] = content()
    drops = Drops()
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path, languages=("it",), drops=drops)) == 2
    key = "it/16kHz_16bit/Vistaus-20080718-mrm.tgz"
    assert drops.names == {"speaker does not speak the language": [key]}


def test_a_full_disk_ends_the_run_and_the_next_goes_on(tmp_path, monkeypatch):
    n_synced = 0

    def full(descriptor):
        nonlocal n_synced
        n_synced += 1
        if n_synced > 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    with VoxForgeServer(tree(10)) as server:
        monkeypatch.setattr(download_module.os, "fsync", full)
        with pytest.raises(DataError, match="is full: free some space"):
            run(server, tmp_path)
        assert len(archive_keys(tmp_path)) == 4
        monkeypatch.undo()


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

        monkeypatch.setattr(fetch._Bar, "add", add)
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


def test_the_bar_shows_bytes_and_about_how_many_archives_are_left(tmp_path, monkeypatch):
    bars = []

    class Recorded(fetch.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **{**options, "disable": False, "file": io.StringIO()})
            self.left = []
            bars.append(self)

        def set_postfix_str(self, text):
            self.left.append((text, self.n, self.total))
            super().set_postfix_str(text)

    monkeypatch.setattr(fetch, "tqdm", Recorded)
    with VoxForgeServer(tree(40, seconds=10)) as server:
        run(server, tmp_path, ONE_MINUTE, n_workers=1)
    (bar,) = bars
    texts = [text for text, _, _ in bar.left]
    # 50 s each are assumed first, then 10 s each are known.
    expected = ["2 archives left"] + [f"{n} archives left" for n in (5, 4, 3, 2, 1, 0)]
    assert texts == expected
    _, n_bytes, total = bar.left[-1]
    assert n_bytes == total == 6 * len(content(10))


def test_the_whole_way_by_address(tmp_path, capsys):
    paths = tree(3) | tree(3, language="SpeechCorpus")
    drops = Drops()
    with VoxForgeServer(paths, style="pre") as server:
        fetch_voxforge(
            tmp_path,
            Manifest(tmp_path),
            drops,
            ALL,
            languages=("en", "de"),
            base_url=server.base_url,
        )
    assert len(archive_keys(tmp_path, ("en", "de"))) == 6
    assert drops.counts == {}
    assert "Retrying" not in capsys.readouterr().err


def test_a_language_that_is_not_there_ends_the_run_before_anything_is_downloaded(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(http_session, "BACKOFF_S", 0)
    with VoxForgeServer(tree(3)) as server, pytest.raises(DataError, match="no 'fi'"):
        fetch_voxforge(
            tmp_path / "new",
            Manifest(tmp_path / "new"),
            Drops(),
            ALL,
            languages=("de", "fi"),
            base_url=server.base_url,
        )
    assert not (tmp_path / "new").exists()
