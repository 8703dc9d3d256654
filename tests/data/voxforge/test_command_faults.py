"""prepare_data.py voxforge: what goes wrong on the way, and how the same command goes on."""

import errno
import os
import signal
import threading

import pytest
from helpers.dataset import rows_of, split_of_speakers
from helpers.fetch import impatient, prepare
from helpers.hub import local_hub
from helpers.voxforge import Corpus
from helpers.voxforge_server import RATE, VoxForgeServer, archive_path

from langid.data import store


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    impatient(monkeypatch)


def test_a_damaged_record_of_splits_is_refused_before_anything_is_downloaded(
    tmp_path, corpus, capsys
):
    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "a", "--languages", "en,fr", "--base-url", server.base_url)
        assert prepare(*command) == 0
        (record,) = (tmp_path / "a-archives").glob("splits-*.json")
        damaged = record.read_bytes()[:-20]
        record.write_bytes(damaged)
        server.requests.clear()
        assert prepare(*command, "--overwrite") == 2
        assert server.requests == []
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"{record} is damaged" in line and "delete it" in line
    assert record.read_bytes() == damaged


def test_a_download_that_is_interrupted_goes_on(tmp_path, corpus, capsys):
    path = archive_path("fr", "fruser0-20080100-abc.tgz")
    main = threading.main_thread().ident
    folder = tmp_path / "out-archives"
    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "out", "--languages", "fr", "--base-url", server.base_url)
        server.fault(path, times=1, stall_after=20_000)
        server.on_stall = lambda: signal.pthread_kill(main, signal.SIGINT)
        assert prepare(*command) == 130
        assert "the same command goes on" in capsys.readouterr().err
        n_complete = len(list(folder.rglob("*.tgz")))
        parts = {path.name: path.stat().st_size for path in folder.rglob("*.part")}
        server.requests.clear()
        assert prepare(*command) == 0
    fetched = {requested: asked for requested, asked in server.requests if ".tgz" in requested}
    assert len(fetched) == 13 - n_complete
    for name, n_bytes in parts.items():
        asked = fetched[archive_path("fr", name.removesuffix(".part"))]
        assert asked == (f"bytes={n_bytes}-" if n_bytes else None)
    assert len([row for split in rows_of(tmp_path / "out").values() for row in split]) == 26


def test_an_archive_that_the_server_does_not_give_is_added_later(tmp_path, corpus, capsys):
    path = archive_path("fr", "fruser0-20080100-abc.tgz")
    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "out", "--languages", "fr", "--base-url", server.base_url)
        server.fault(path, times=1, status=403)
        assert prepare(*command) == 0
        assert "1 archives were not downloaded: --overwrite tries again" in capsys.readouterr().out
        assert prepare(*command, "--overwrite") == 0
        assert "not downloaded" not in capsys.readouterr().out
    assert "voxforge:fruser0" in split_of_speakers(tmp_path / "out")


def test_bad_input_is_one_sentence(tmp_path, corpus, capsys):
    def refused(*arguments) -> str:
        assert prepare(tmp_path / "out", *arguments) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1, lines
        return lines[0]

    with VoxForgeServer(corpus.tree) as server:
        base = ("--base-url", server.base_url)
        assert "'ru'" in refused("--languages", "fr,ru", *base)
        assert not (tmp_path / "out-archives").exists() or not list(
            (tmp_path / "out-archives").rglob("*.tgz")
        )
    assert "127.0.0.1" in refused("--languages", "fr", *base)
    assert "No such file" in refused("--archives", tmp_path / "gone")
    (tmp_path / "bare").mkdir()
    assert "holds no archive" in refused("--archives", tmp_path / "bare")
    corrupt = Corpus(tmp_path / "corrupt")
    corrupt.put("fr", "a-20080101-abc.tgz", b"nothing")
    sentence = refused("--archives", corrupt.folder, "--languages", "fr")
    assert "no usable archive of 'fr'" in sentence and "a-20080101-abc.tgz" in sentence
    (tmp_path / "out" / "data").mkdir(parents=True)
    (tmp_path / "out" / "data" / "train-00000.parquet").write_bytes(b"half")
    assert "finished dataset" in refused("--archives", corpus.folder)


def test_a_full_disk_keeps_what_is_there(tmp_path, corpus, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "out", "--languages", "fr", "--base-url", server.base_url)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            assert prepare(*command) == 2
            assert "is full" in capsys.readouterr().err
        with monkeypatch.context() as patch:
            patch.setattr(store.ShardWriter, "end_shard", full)
            assert prepare(*command) == 2
            assert "No space left" in capsys.readouterr().err
        server.requests.clear()
        assert prepare(*command) == 0
        assert not [path for path, _ in server.requests if path.endswith(".tgz")]


def test_a_build_that_was_interrupted_keeps_its_plan(tmp_path, corpus, capsys, monkeypatch):
    """Without the server, and without what has come to it since."""
    end_shard, n_ended = store.ShardWriter.end_shard, 0

    def full_at_last(writer):
        nonlocal n_ended
        n_ended += 1
        if n_ended == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        end_shard(writer)

    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "out", "--languages", "fr", "--base-url", server.base_url)
        with monkeypatch.context() as patch:
            patch.setattr(store.ShardWriter, "end_shard", full_at_last)
            assert prepare(*command) == 2
    newcomer = corpus.add("fr", "newcomer-20110101-abc")
    (tmp_path / "out-archives/fr" / RATE / "newcomer-20110101-abc.tgz").write_bytes(newcomer)
    assert prepare(*command) == 0
    assert len([row for split in rows_of(tmp_path / "out").values() for row in split]) == 26
    assert prepare(*command) == 2  # the next asks the server again
    assert "cannot be used" in capsys.readouterr().err


def test_a_dataset_is_published_after_a_failed_upload(tmp_path, corpus, monkeypatch, capsys):
    archives = ("--archives", corpus.folder, "--languages", "fr")
    with local_hub(tmp_path, monkeypatch) as hub:
        hub.fail_uploads(1)
        assert prepare(tmp_path / "out", *archives, "--push-to-hub", "someone/voxforge") == 0
        assert "Published: " in capsys.readouterr().out
        repo = hub.repos["dataset", "someone/voxforge"]
        files = repo.commits[repo.resolve("main")]
        assert {"README.md", "data/train-00000-of-00001.parquet"} <= set(files)
        for path in (tmp_path / "out" / "data").iterdir():
            assert files[f"data/{path.name}"].content == path.read_bytes()
