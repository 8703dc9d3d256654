"""What a build survives: interruption, crash, power cut, full disk, a second process."""

import errno
from pathlib import Path

import pytest
from filelock import FileLock
from helpers.dataset import (
    build,
    job,
    load,
    many_jobs,
    read,
    stand_in,
)

from langid.data import builder, store
from langid.data.prepare import check_output
from langid.errors import DataError

ALL_OF_THEM = {"train": 12, "validation": 6, "test": 6}  # of ``many_jobs``


def sizes(output: Path) -> dict[str, int]:
    return {split: len(rows) for split, rows in load(output).items()}


def interrupted_in_train(work):
    """Reads the splits that come before."""
    if work.split == "train":
        raise KeyboardInterrupt
    return read(work)


@pytest.mark.parametrize("n_before", range(1, 12))
def test_an_interrupted_build_goes_on_and_gives_the_same(tmp_path, small_shards, n_before):
    jobs = many_jobs()
    whole = build(tmp_path / "whole", jobs)
    heard = []

    def interrupted(work):
        if len(heard) == n_before:
            raise KeyboardInterrupt
        heard.append(work.key)
        return read(work)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", jobs, interrupted)
    assert not (tmp_path / "out").exists()
    again = []
    built = build(tmp_path / "out", jobs, lambda work: (again.append(work.key), read(work))[1])
    assert len(again) == len(jobs) if n_before < 3 else len(again) < len(jobs)
    one, two = load(tmp_path / "whole"), load(tmp_path / "out")
    assert all(one[split][:] == two[split][:] for split in one)
    assert built.excluded.counts == whole.excluded.counts == {"odd": 12}
    assert not (tmp_path / ".out-part").exists()


def test_a_shard_that_is_not_in_the_journal_is_written_again(tmp_path, small_shards, monkeypatch):
    jobs = many_jobs()

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(builder.Journal, "record", crash)
        build(tmp_path / "out", jobs)
    assert list((tmp_path / ".out-part" / "dataset" / "data").glob("*.parquet"))
    build(tmp_path / "out", jobs)
    assert sizes(tmp_path / "out") == ALL_OF_THEM


def test_a_journal_that_cannot_be_read_counts_as_none(tmp_path, small_shards):
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", many_jobs(), interrupted_in_train)
    journal = tmp_path / ".out-part" / "journal.json"
    journal.write_bytes(journal.read_bytes()[:20])
    build(tmp_path / "out", many_jobs())
    assert sizes(tmp_path / "out") == ALL_OF_THEM


def test_what_another_recipe_left_is_thrown_away(tmp_path, small_shards):
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", many_jobs(), interrupted_in_train)
    build(tmp_path / "out", [job("a", "train", stand_in("anna-1"))])
    assert sizes(tmp_path / "out") == {"train": 1}


def test_a_dataset_that_lost_rows_is_not_up_to_date(tmp_path, small_shards):
    build(tmp_path / "out", many_jobs())
    lost = next((tmp_path / "out" / "data").glob("train-*"))
    lost.unlink()
    with pytest.raises(DataError, match=r"is damaged.*--overwrite"):
        build(tmp_path / "out", many_jobs())
    assert build(tmp_path / "out", many_jobs(), overwrite=True).is_new
    lost.write_bytes(b"cut off")
    with pytest.raises(DataError, match="is damaged"):
        build(tmp_path / "out", many_jobs())


@pytest.mark.parametrize("moment", ["before the old one goes", "before the new one comes", "after"])
def test_an_end_while_one_dataset_replaces_another(tmp_path, monkeypatch, moment):
    """The process is gone at once: nothing is cleared up."""
    build(tmp_path / "out", many_jobs(4))
    rename, n_renamed = Path.rename, []

    def gone(path, target):
        if target in (tmp_path / "out", tmp_path / ".out-part" / "replaced"):
            n_renamed.append(path)
            if len(n_renamed) == (2 if moment == "before the new one comes" else 1):
                raise SystemExit
        return rename(path, target)

    def no_clearing(*_, **__):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(builder.shutil, "rmtree", no_clearing)
        if moment != "after":
            patch.setattr(Path, "rename", gone)
        build(tmp_path / "out", many_jobs(8), overwrite=True)
    assert (tmp_path / ".out-part").exists()
    for n, overwrite in ((12, True), (12, False), (8, True)):
        build(tmp_path / "out", many_jobs(n), overwrite=overwrite)
        assert sum(map(len, load(tmp_path / "out").values())) == 2 * n
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_shard_that_a_power_cut_emptied_is_made_again(tmp_path, small_shards):
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", many_jobs(), interrupted_in_train)
    next((tmp_path / ".out-part" / "dataset" / "data").glob("*.parquet")).write_bytes(b"")
    build(tmp_path / "out", many_jobs())
    assert sizes(tmp_path / "out") == ALL_OF_THEM


@pytest.mark.parametrize("output", [".", "..", "file/below", "x" * 300, "caf\udce9"])
def test_an_output_that_cannot_be_is_refused_before_any_work(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(DataError, match=r"--output|choose another folder"):
        check_output(Path(output), False, {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_half_written_folder_is_refused_and_left_alone(tmp_path):
    build(tmp_path / "out", many_jobs())
    (tmp_path / "out" / "build.json").unlink()
    for overwrite in (False, True):
        with pytest.raises(DataError, match="something else than a finished dataset"):
            check_output(tmp_path / "out", overwrite, {})
    assert len(load(tmp_path / "out")["train"]) == 12


def test_two_builds_of_one_folder_are_refused(tmp_path):
    (tmp_path / ".out-part").mkdir()
    with (
        FileLock(tmp_path / ".out-part" / "lock"),
        pytest.raises(DataError, match="Another process"),
    ):
        build(tmp_path / "out", many_jobs())


def test_a_full_disk_is_one_sentence_and_the_build_goes_on_later(
    tmp_path, small_shards, monkeypatch
):
    write, n_written = store.ShardWriter.write, []

    def full(writer, item):
        if len(n_written) == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_written.append(item)
        write(writer, item)

    with monkeypatch.context() as patch, pytest.raises(DataError, match="No space left") as caught:
        patch.setattr(store.ShardWriter, "write", full)
        build(tmp_path / "out", many_jobs())
    assert "the same command goes on" in str(caught.value)
    again = []
    build(tmp_path / "out", many_jobs(), lambda work: (again.append(work.key), read(work))[1])
    assert 0 < len(again) < 12
    assert len(load(tmp_path / "out")["train"]) == 12


def test_what_an_earlier_version_left_in_other_columns_is_written_again(
    tmp_path, small_shards, monkeypatch
):
    jobs = many_jobs()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(builder, "fields", lambda kind: ())  # it stored fewer
        build(tmp_path / "out", jobs, interrupted_in_train)
    again = []
    build(tmp_path / "out", jobs, lambda work: (again.append(work.key), read(work))[1])
    assert len(again) == len(jobs)
    assert sizes(tmp_path / "out") == ALL_OF_THEM
