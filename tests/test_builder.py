"""Jobs to a dataset: whole or not at all, resumable, disjoint."""

import errno

import pyarrow.parquet as pq
import pytest
from datasets import Features
from filelock import FileLock
from helpers_dataset import LANGUAGES, job, load, read, stand_in, write_short_card

from langid import builder, shards
from langid.builder import Recipe, build_dataset, check_output
from langid.drops import Drops
from langid.errors import DataError


def build(output, jobs, reading=read, settings=None, max_speaker_s=None, **options):
    recipe = Recipe(jobs, LANGUAGES, settings or {}, max_speaker_s)
    drops = options.pop("drops", Drops())
    return build_dataset(recipe, reading, output, write_short_card, drops=drops, **options)


def many_jobs(n=12):
    return [
        job(f"job{i}", split, stand_in(f"{split}{i}-a"), stand_in(f"{split}{i}-b"), odd=f"x{i}")
        for i, split in enumerate(["train", "train", "validation", "test"] * (n // 4))
    ]


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 1000)
    monkeypatch.setattr(shards, "SHARD_BYTES", 3000)


def test_what_is_stored_is_what_is_loaded(tmp_path):
    facts = {
        "transcript": "Bonjour.",
        "archive": "anna-20080101-abc",
        "utterance_id": "fr-001",
        "gender": "female",
        "age_range": "adult",
        "dialect": "Paris",
        "native_speaker": True,
        "licence": "CC0-1.0",
        "synthetic": False,
    }
    jobs = [job("a", "train", stand_in("anna-1", **facts)), job("b", "test", stand_in("bea-1"))]
    assert build(tmp_path / "out", jobs).is_new
    splits = load(tmp_path / "out")
    assert {name: len(split) for name, split in splits.items()} == {"train": 1, "test": 1}
    (row,) = splits["train"]
    assert row["audio"] == {"bytes": b"anna-1" * 100, "path": "anna-1.flac"}
    assert {name: row[name] for name in facts} == facts
    language = splits["train"].features["language"]
    assert language.int2str(row["language"]) == "fr" and language.names == LANGUAGES
    assert splits["test"][0]["gender"] is None and splits["test"][0]["native_speaker"] is None
    schema = pq.read_schema(next((tmp_path / "out" / "data").glob("train-*")))
    assert Features.from_arrow_schema(schema)["audio"].sampling_rate == 16_000
    names = sorted(path.name for path in (tmp_path / "out" / "data").iterdir())
    assert names == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_are_of_limited_size_and_numbered(tmp_path, small_shards):
    build(tmp_path / "out", many_jobs(24))
    names = sorted(path.name for path in (tmp_path / "out" / "data").glob("train-*"))
    assert len(names) > 2
    assert names == [f"train-{i:05d}-of-{len(names):05d}.parquet" for i in range(len(names))]
    assert len(load(tmp_path / "out")["train"]) == 24


def test_processes_give_the_same_dataset(tmp_path):
    build(tmp_path / "one", many_jobs())
    build(tmp_path / "two", many_jobs(), n_processes=2)
    one, two = load(tmp_path / "one"), load(tmp_path / "two")
    assert all(one[split][:] == two[split][:] for split in one)


def test_identical_audio_is_kept_once_and_rather_not_for_training(tmp_path):
    sound = b"the same"
    jobs = [
        job("a", "train", stand_in("anna-1", audio=sound), stand_in("anna-2")),
        job("b", "test", stand_in("bea-1", audio=sound), stand_in("bea-2", audio=sound)),
        job("c", "train", stand_in("cleo-1", audio=sound, language="de")),
    ]
    built = build(tmp_path / "out", jobs)
    splits = load(tmp_path / "out")
    assert splits["train"]["speaker_id"][:] == ["anna"] and splits["test"]["speaker_id"][:] == [
        "bea"
    ]
    assert built.drops.counts == {
        "same audio as another clip": 1,
        "same audio as a clip in test": 1,
        "same audio as a clip of another language": 1,
    }


def test_a_speaker_gives_no_more_than_allowed_in_each_language(tmp_path):
    jobs = [
        job(f"anna{i}", "train", stand_in(f"anna-{i}"), stand_in(f"anna-{i}d", language="de"))
        for i in range(4)
    ]
    built = build(tmp_path / "out", jobs, max_speaker_s=5.0)
    assert len(load(tmp_path / "out")["train"]) == 4
    assert built.drops.counts == {"speaker has enough": 4}


def test_a_speaker_in_two_splits_is_refused(tmp_path):
    jobs = [job("a", "train", stand_in("anna-1")), job("b", "test", stand_in("anna-2"))]
    with pytest.raises(DataError, match="Speaker 'anna' stands in train and in test"):
        build(tmp_path / "out", jobs)
    assert not (tmp_path / "out").exists()


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
    assert built.drops.counts == whole.drops.counts == {"odd": 12}
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
    assert {name: len(split) for name, split in load(tmp_path / "out").items()} == {
        "train": 12,
        "validation": 6,
        "test": 6,
    }


def test_a_journal_that_cannot_be_read_counts_as_none(tmp_path, small_shards):
    def interrupted(work):
        if work.split == "train":
            raise KeyboardInterrupt
        return read(work)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", many_jobs(), interrupted)
    journal = tmp_path / ".out-part" / "journal.json"
    journal.write_bytes(journal.read_bytes()[:20])
    build(tmp_path / "out", many_jobs())
    assert {split: len(rows) for split, rows in load(tmp_path / "out").items()} == {
        "train": 12,
        "validation": 6,
        "test": 6,
    }


def test_what_another_recipe_left_is_thrown_away(tmp_path, small_shards):
    def interrupted(work):
        if work.split == "train":
            raise KeyboardInterrupt
        return read(work)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", many_jobs(), interrupted)
    build(tmp_path / "out", [job("a", "train", stand_in("anna-1"))])
    assert {name: len(split) for name, split in load(tmp_path / "out").items()} == {"train": 1}


def test_the_same_recipe_again_does_nothing(tmp_path):
    first = build(tmp_path / "out", many_jobs())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = build(tmp_path / "out", many_jobs(), reading=None)
    assert first.is_new and not again.is_new
    assert again.drops.lines() == first.drops.lines()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_another_recipe_needs_leave_to_overwrite(tmp_path):
    build(tmp_path / "out", many_jobs())
    jobs = [job("a", "train", stand_in("anna-1"))]
    with pytest.raises(DataError, match="--overwrite"):
        build(tmp_path / "out", jobs)
    assert len(load(tmp_path / "out")["train"]) == 12
    assert build(tmp_path / "out", jobs, overwrite=True).is_new
    assert len(load(tmp_path / "out")["train"]) == 1


def test_other_settings_are_refused_before_any_work(tmp_path):
    build(tmp_path / "out", many_jobs(), settings={"seed": 0})
    check_output(tmp_path / "out", False, {"seed": 0})
    check_output(tmp_path / "out", True, {"seed": 1})
    with pytest.raises(DataError, match="--overwrite"):
        check_output(tmp_path / "out", False, {"seed": 1})


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
    write, n_written = shards.ShardWriter.write, []

    def full(writer, item):
        if len(n_written) == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_written.append(item)
        write(writer, item)

    with monkeypatch.context() as patch, pytest.raises(DataError, match="No space left") as caught:
        patch.setattr(shards.ShardWriter, "write", full)
        build(tmp_path / "out", many_jobs())
    assert "the same command goes on" in str(caught.value)
    again = []
    build(tmp_path / "out", many_jobs(), lambda work: (again.append(work.key), read(work))[1])
    assert 0 < len(again) < 12
    assert len(load(tmp_path / "out")["train"]) == 12


def test_nothing_usable_is_an_error_that_says_why(tmp_path):
    with pytest.raises(DataError, match=r"No usable recording.*\(1 silent: anna\)"):
        build(tmp_path / "out", [job("a", "train", silent="anna")])
    assert list(tmp_path.iterdir()) == []


def test_the_card_gets_what_was_left_out(tmp_path):
    before = Drops()
    before.add("listed twice", "x.wav")
    build(tmp_path / "out", many_jobs(), drops=before)
    assert (tmp_path / "out" / "README.md").read_text() == "13 left out\n"
