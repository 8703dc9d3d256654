"""Rows that say neither what is spoken in them nor by whom, as datasets on the Hub have them."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.dataset import finish
from helpers.teacher import MelodyTeacher
from helpers.training import cache_in, interrupted_at, short_run, write_voxforge

import train
from langid.checkpoint import read_config
from langid.config import ModelConfig
from langid.data.store import shard_paths
from langid.evaluation.report import read_report
from langid.training import datasets, teacher_options
from langid.training.cache import load_training_data
from langid.training.clips import NO_LABEL, prepare_clips
from langid.training.datasets import load_splits
from langid.training.teacher_targets import TeacherTargets

CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
# Train has six clips of each of en, fr and nl, then eight of noise. Every fifth is without.
N_LABELLED = {"en": 4, "fr": 5, "other": 5, "none": 6}


def without(column, folder):
    """The melodies, null in every fifth row of train and in the first of validation's six."""
    write_voxforge(folder)
    for split, step in (("train", 5), ("validation", 6)):
        paths = shard_paths(folder, split)
        table = pa.concat_tables([pq.read_table(path) for path in paths])
        values = table[column].to_pylist()
        values[::step] = [None] * len(values[::step])
        at = table.schema.get_field_index(column)
        field = table.schema.field(column)
        table = table.set_column(at, field, pa.array(values, field.type))
        for path in paths:
            path.unlink()
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return finish(folder)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    return without("language", tmp_path_factory.mktemp("unlabelled") / "data")


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory):
    return without("speaker_id", tmp_path_factory.mktemp("unnamed") / "data")


@pytest.fixture(autouse=True)
def own_cache_and_teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(teacher_options, "WhisperTeacher", lambda model, n: MelodyTeacher())
    with cache_in(tmp_path / "cache"):
        yield


def load(folder, **options):
    return load_training_data([str(folder)], CONFIG, 0, **options)


def counts_of(output):
    return {entry.label: entry.n_clips for entry in read_config(output).training}


@pytest.mark.slow
def test_clips_without_a_language_are_left_out(unlabelled, tmp_path, capsys):
    def check(batch):
        assert (batch.labels != NO_LABEL).all()

    with interrupted_at(-1, check):
        assert train.main(short_run(unlabelled, tmp_path / "run")) == 0
    screen = capsys.readouterr().out
    assert "Clips of train that name no language: 6, left out." in screen
    assert "Clips of validation that name no language: 1, left out." in screen
    # No noise is validated: one of its four speakers, with two clips or one, is lent.
    counts = counts_of(tmp_path / "run")
    n_lent = N_LABELLED["none"] - counts["none"]
    assert counts == {**N_LABELLED, "none": 6 - n_lent} and n_lent in (1, 2)
    assert read_report(tmp_path / "run" / "metrics.json").n_clips == 5 + n_lent


@pytest.mark.slow
def test_with_a_teacher_they_teach_sounds(unlabelled, tmp_path, capsys):
    taught = ("--teacher", "melodies", "--units", "8")
    assert train.main(short_run(unlabelled, tmp_path / "run", *taught)) == 0
    screen = capsys.readouterr().out
    assert "Clips of train that name no language: 6, which teach what the teacher hears" in screen
    assert "Clips of validation that name no language: 1, left out." in screen
    counts = counts_of(tmp_path / "run")
    assert {**counts, "none": 6} == N_LABELLED
    training = read_report(tmp_path / "run" / "metrics.json").training
    heard = {x.sounds_only: x.n_clips for x in training.sources}
    # One of them may be of a speaker who is lent for the sake of another clip.
    assert heard[False] == sum(counts.values()) and heard[True] in (5, 6)


def test_they_have_no_label_no_phones_and_no_copy_of_another(unlabelled):
    targets = TeacherTargets(MelodyTeacher(), 8)
    splits = load(unlabelled, targets=targets, n_copies=1)
    clips = prepare_clips(splits["train"], CONFIG)
    mine = np.array([name is None for name in clips.languages])
    assert mine.any() and (clips.labels[mine] == NO_LABEL).all()
    assert (clips.labels[~mine] != NO_LABEL).all()
    for i in np.flatnonzero(mine):
        assert clips.phones[i] == [] and len(clips.log_mel(i, 1)) == len(clips.log_mel(i))
        assert not np.isnan(clips.posteriors[i]).any()
    assert None not in splits["validation"]["language"][:]


@pytest.mark.slow
def test_each_clip_without_a_speaker_is_of_one_of_its_own(unnamed, tmp_path, capsys):
    assert train.main(short_run(unnamed, tmp_path / "run")) == 0
    counts = counts_of(tmp_path / "run")
    assert {**counts, "none": 8} == {"en": 6, "fr": 6, "other": 6, "none": 8}
    assert counts["none"] in (6, 7)  # one speaker is lent, of one clip or two
    training = read_report(tmp_path / "run" / "metrics.json").training
    assert sum(x.n_clips for x in training.sources) == sum(counts.values())


def test_a_speaker_who_is_made_up_is_the_same_in_every_run(unnamed, tmp_path):
    runs = []
    for name in ("one", "two"):
        with cache_in(tmp_path / name):
            splits = load(unnamed)
            runs.append({split: rows["speaker_id"][:] for split, rows in splits.items()})
    assert runs[0] == runs[1]
    everybody = runs[0]["train"] + runs[0]["validation"]
    made_up = [name for name in everybody if name.startswith("voxforge:unnamed ")]
    assert len(made_up) == len(set(made_up)) == 7
    assert not set(runs[0]["train"]) & set(runs[0]["validation"])


def test_speakers_are_made_up_where_there_is_no_source_and_for_empty_names(tmp_path):
    (tmp_path / "data").mkdir()
    audio = pa.array([{"bytes": x, "path": "x.wav"} for x in (b"a", b"b", b"a")])
    names, nothing = pa.array(["", None, None]), pa.array([None] * 3, pa.string())
    table = {"audio": audio, "language": pa.array(["fr"] * 3)}
    table |= {"speaker_id": names, "source": nothing}
    pq.write_table(pa.table(table), tmp_path / "data" / "train-00000-of-00001.parquet")
    first, second, third = load_splits(str(finish(tmp_path)))["train"].rows(0)
    assert first["speaker_id"] == third["speaker_id"] != second["speaker_id"]
    assert first["speaker_id"].startswith("unnamed ")
    assert first["source"] == "unnamed"


def test_what_an_older_version_kept_without_speakers_is_read_again(unnamed, monkeypatch):
    rows, n_read = datasets.DatasetSplit.rows, Counter()

    def as_they_were(self, part):
        n_read[self.part_keys[part]] += 1
        is_old = n_read[self.part_keys[part]] == 1
        for row in rows(self, part):
            yield row | ({"speaker_id": None} if is_old and "unnamed" in row["speaker_id"] else {})

    monkeypatch.setattr(datasets.DatasetSplit, "rows", as_they_were)
    speakers = load(unnamed)["train"]["speaker_id"][:]
    assert None not in speakers and any("unnamed " in name for name in speakers)
    load(unnamed)
    assert list(n_read.values()) == [2, 2]  # of each split once more, and from then on kept
