"""What the weights, the card and the screen say was learnt from is what was learnt from."""

import json
import re
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers.clips import LABELS, clips
from helpers.teacher import MelodyTeacher
from helpers.training import interrupted_at, short_run, write_voxforge
from safetensors.torch import load_file

import train
from langid.checkpoint import read_config
from langid.config import ModelConfig
from langid.errors import DataError
from langid.evaluation.report import TrainingSource, read_report
from langid.training import teacher_options
from langid.training.amounts import describe_sources, with_amounts
from langid.training.clips import NO_LABEL
from langid.training.sampling import without_excess

GPL = "GPL-3.0-or-later"
TEACHER = ("--teacher", "melodies", "--units", "8")
# "en" and "fr" have three speakers of two clips, of two seconds: one more is held for validation.
FRAMES_OF_A_CLIP = 197  # of log-mel


@pytest.fixture
def one_speaker(cache, monkeypatch):
    """Of a language in a family that most have in common, one speaker teaches."""
    monkeypatch.setattr("langid.training.sampling.MAX_COMMON_SPEAKERS", 1)
    monkeypatch.setattr(teacher_options, "WhisperTeacher", lambda model, n: MelodyTeacher())


def amounts(output):
    """Clips of each label in config.json, and the sources in metrics.json."""
    return (
        {entry.label: entry.n_clips for entry in read_config(output).training},
        read_report(output / "metrics.json").training.sources,
    )


def hours(n_clips):
    return pytest.approx(n_clips * FRAMES_OF_A_CLIP / 360_000)


@pytest.mark.slow
def test_clips_that_are_left_out_are_counted_nowhere(folder, tmp_path, one_speaker, capsys):
    assert train.main(short_run(folder, tmp_path / "run")) == 0
    screen = capsys.readouterr().out
    assert "8 clips, of speakers beyond 1 of a language in a family" in screen
    assert "train: 16 clips, 0.0 h (en 2, fr 2, other 6, none 6)" in screen
    labels, (source,) = amounts(tmp_path / "run")
    assert labels == {"en": 2, "fr": 2, "other": 6, "none": 6}
    assert (source.n_clips, source.n_speakers, source.hours) == (16, 8, hours(16))
    card = (tmp_path / "run" / "README.md").read_text()
    assert "16 clips, 0.0 h." in card and "sounds only" not in card
    assert re.search(r"^\| English +\| +2 ", card, re.MULTILINE)
    assert re.search(r"^\| voxforge +\|.*\| +16 +\|", card, re.MULTILINE)


@pytest.mark.slow
def test_with_a_teacher_they_are_sounds_and_the_run_resumes(folder, tmp_path, one_speaker, capsys):
    straight, torn = tmp_path / "straight", tmp_path / "torn"
    assert train.main(short_run(folder, straight, *TEACHER)) == 0
    assert "train: 24 clips, 0.0 h (en 2, fr 2, other 6, none 6, unlabelled 8)" in (
        capsys.readouterr().out
    )
    labels, sources = amounts(straight)
    assert labels == {"en": 2, "fr": 2, "other": 6, "none": 6}
    found = [(x.sounds_only, x.n_clips, x.languages, x.n_speakers) for x in sources]
    assert found == [(False, 16, ("en", "fr", "nl", "noise"), 8), (True, 8, ("en", "fr"), 4)]
    card = (straight / "README.md").read_text()
    assert "16 clips, 0.0 h." in card and 'of 8 clips more, 0.0 h, marked "sounds only"' in card

    with interrupted_at(3):
        assert train.main(short_run(folder, torn, *TEACHER)) == 130
    assert train.main(short_run(folder, torn, *TEACHER, "--resume")) == 0
    a, b = load_file(straight / "model.safetensors"), load_file(torn / "model.safetensors")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert amounts(torn) == (labels, sources)


@pytest.mark.slow
def test_hours_need_no_column_of_durations(cache, tmp_path):
    folder = write_voxforge(tmp_path / "data")
    for path in (folder / "data").iterdir():
        pq.write_table(pq.read_table(path).drop_columns("duration_s"), path)
    assert train.main(short_run(folder, tmp_path / "run")) == 0
    labels, (source,) = amounts(tmp_path / "run")
    assert source.n_clips == sum(labels.values()) == 24 and source.hours == hours(24)
    row = json.loads((tmp_path / "run" / "config.json").read_text())["training"][0]
    assert row["hours"] == round(6 * FRAMES_OF_A_CLIP / 360_000, 4)
    assert "| 0.01 " in (tmp_path / "run" / "README.md").read_text()


@pytest.mark.slow
def test_a_language_of_which_the_teacher_leaves_nothing_is_said(
    folder, tmp_path, one_speaker, monkeypatch, capsys
):
    monkeypatch.setattr(teacher_options, "WhisperTeacher", lambda model, n: MelodyTeacher("fr"))
    assert train.main(short_run(folder, tmp_path / "run", *TEACHER)) == 2
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert sentence.startswith("train.py: The teacher contradicts the language of every clip of en")


def test_labels_are_counted_and_none_may_have_no_clip():
    some = clips([("en", "a", "anna", False), ("fr", "a", "bob", False), ("en", "b", "cy", False)])
    config = ModelConfig(labels=("en", "fr", "none"))
    counted = with_amounts(config, replace(some, n_frames=np.array([36_000, 360, 18_000])))
    assert [(x.label, x.n_clips, x.hours) for x in counted.training] == [
        *(("en", 2, 0.15), ("fr", 1, 0.001), ("none", 0, 0.0)),
    ]
    with pytest.raises(DataError, match="every clip of fr: "):
        with_amounts(config, some.select([0, 2]))


def test_the_card_learns_of_sources_and_licences():
    names = ("en", "voxforge"), ("fr", "voxforge"), ("fr", "mine")
    some = clips([(language, source, f"{source}:a", False) for language, source in names])
    some = replace(some, n_frames=np.array([180, 540, 36]) * 1000, licences=[GPL, GPL, None])
    voxforge, mine = describe_sources(some, 0.01)
    assert voxforge == TrainingSource("voxforge", GPL, ("en", "fr"), 2, 2.0, 1, False)
    assert (mine.source, mine.licence) == ("mine", "unstated")


def test_the_card_learns_which_sources_taught_sounds_only():
    some = clips([("en", "s", "a", False)] * 3)
    some = replace(some, labels=np.array([0, NO_LABEL, NO_LABEL]), languages=["en", "en", None])
    table = describe_sources(some, 0.01)
    assert [(x.sounds_only, x.n_clips, x.languages) for x in table] == [
        (True, 2, ("en",)),
        (False, 1, ("en",)),
    ]


def test_what_is_too_much_and_was_not_heard_by_the_teacher_is_left_out(monkeypatch):
    monkeypatch.setattr("langid.training.sampling.MAX_COMMON_SPEAKERS", 2)
    crowd = clips([(x, "crowd", f"{x}{i}", False) for x in ("en", "fr") for i in range(4)])
    posteriors = np.zeros((8, 2), np.float16)
    posteriors[:4] = np.nan  # beyond --teacher-hours
    found = without_excess(replace(crowd, posteriors=posteriors), LABELS, seed=0)
    counts = [(found.labels == label).sum() for label in (0, 1, NO_LABEL)]
    assert counts == [2, 2, 2] and len(found) == 6
