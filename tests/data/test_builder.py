"""Jobs to a dataset: whole or not at all, resumable, disjoint."""

import pyarrow.parquet as pq
import pytest
from datasets import Features
from helpers.dataset import (
    LANGUAGES,
    build,
    job,
    load,
    many_jobs,
    stand_in,
)

from langid.data.prepare import check_output
from langid.data.utterance import ReasonCounts
from langid.errors import DataError


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
    assert built.excluded.counts == {
        "same audio as another clip": 1,
        "same audio as a clip in test": 1,
        "same audio as a clip of another language": 1,
    }


def test_a_speaker_in_two_splits_is_refused(tmp_path):
    jobs = [job("a", "train", stand_in("anna-1")), job("b", "test", stand_in("anna-2"))]
    with pytest.raises(DataError, match=r"Speakers .*'made_up:anna' in train and in test"):
        build(tmp_path / "out", jobs)
    assert not (tmp_path / "out").exists()


def test_the_same_recipe_again_does_nothing(tmp_path):
    first = build(tmp_path / "out", many_jobs())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = build(tmp_path / "out", many_jobs(), reading=None)
    assert first.is_new and not again.is_new
    assert again.excluded.lines() == first.excluded.lines()
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


def test_nothing_usable_is_an_error_that_says_why(tmp_path):
    with pytest.raises(DataError, match=r"No usable recording.*\(1 silent: anna\)"):
        build(tmp_path / "out", [job("a", "train", silent="anna")])
    assert list(tmp_path.iterdir()) == []


def test_the_card_gets_what_was_left_out(tmp_path):
    before = ReasonCounts()
    before.add("listed twice", "x.wav")
    build(tmp_path / "out", many_jobs(), excluded=before)
    assert (tmp_path / "out" / "README.md").read_text() == "13 left out\n"
