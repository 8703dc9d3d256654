"""A teacher's pass over a dataset: what is kept, what is heard again, what is left out."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from helpers.teacher import LANGUAGES, MelodyTeacher

from langid.config import ModelConfig
from langid.training.cache import load_training_data
from langid.training.clips import prepare_clips
from langid.training.teacher_options import (
    CONTRADICTED_FILE,
    contradicted,
    leave_out_contradicted,
    with_teacher_heads,
    without_own_languages,
)
from langid.training.teacher_targets import TeacherTargets
from langid.training.units import NO_UNIT

CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
N_CLIPS = 32  # 4 classes, 4 speakers, 2 clips each
N_TRAINED = 26  # without the last speaker of each language
pytestmark = pytest.mark.usefixtures("cache")


def taught(folder, teacher, n_units=8, units=None):
    targets = TeacherTargets(teacher, n_units, units=units)
    splits = load_training_data([str(folder)], CONFIG, 0, targets=targets)
    return targets, prepare_clips(splits["train"], CONFIG)


def test_every_clip_has_units_and_posteriors_beside_its_log_mel(folder):
    _, clips = taught(folder, MelodyTeacher())
    assert clips.posteriors.shape == (len(clips), len(LANGUAGES))
    for i in range(len(clips)):
        assert len(clips.units(i)) == len(clips.log_mel(i))
        assert set(clips.units(i).tolist()) <= set(range(8))
        if clips.languages[i] != "noise":
            assert LANGUAGES[clips.posteriors[i].argmax()] == clips.languages[i]
    assert np.allclose(np.exp(clips.posteriors.astype(float)).sum(axis=1), 1, atol=0.01)


def test_units_tell_the_notes_of_a_melody(folder):
    _, clips = taught(folder, MelodyTeacher())
    french = clips.units(clips.languages.index("fr"))
    # Two notes take turns every quarter of a second: so does the unit heard most.
    low, high = (np.bincount(french[start : start + 16]).argmax() for start in (4, 29))
    assert low != high
    assert np.bincount(french[54:70]).argmax() == low


def test_what_was_heard_is_not_heard_again(folder):
    first, again = MelodyTeacher(), MelodyTeacher()
    targets, clips = taught(folder, first)
    assert first.n_calls >= N_CLIPS
    same, kept = taught(folder, again)
    assert again.n_calls == 0 and same.units.digest == targets.units.digest
    assert np.array_equal(clips.units(3), kept.units(3))


def test_another_teacher_or_other_units_are_heard(folder):
    targets, _ = taught(folder, MelodyTeacher())
    other = MelodyTeacher()
    other.fingerprint = "melodies 2"
    taught(folder, other, units=targets.units)
    assert other.n_calls == N_CLIPS
    more = MelodyTeacher()
    taught(folder, more, n_units=4)
    assert more.n_calls >= N_CLIPS


def test_an_interruption_costs_what_was_in_work(folder, monkeypatch):
    monkeypatch.setattr("langid.training.teacher_targets.ROWS_KEPT_TOGETHER", 5)
    targets, _ = taught(folder, MelodyTeacher())
    torn = MelodyTeacher()
    torn.fingerprint, torn.stop_after = "melodies 3", 17
    with pytest.raises(KeyboardInterrupt):
        taught(folder, torn, units=targets.units)
    rest = MelodyTeacher()
    rest.fingerprint = "melodies 3"
    taught(folder, rest, units=targets.units)
    assert N_CLIPS - 17 <= rest.n_calls <= N_CLIPS - 17 + 5


def test_with_few_hours_what_is_drawn_most_is_heard(folder):
    targets, _ = taught(folder, MelodyTeacher())
    half = MelodyTeacher()
    half.fingerprint = "melodies 4"
    limited = TeacherTargets(
        half,
        8,
        units=targets.units,
        max_hours=20.2 / 3600,  # clips of 2 s
    )
    splits = load_training_data([str(folder)], CONFIG, 0, targets=limited)
    assert half.n_calls == 10 + 6  # ten of train, all of validation
    clips = prepare_clips(splits["train"], CONFIG)
    taught_clips = ~np.isnan(clips.posteriors[:, 0])
    assert taught_clips.sum() == 10
    # A clip of English or French is drawn more often than one of another language or of none.
    assert {clips.languages[i] for i in np.flatnonzero(taught_clips)} <= {"en", "fr"}
    untaught = int(np.flatnonzero(~taught_clips)[0])
    assert (clips.units(untaught) == NO_UNIT).all()


def test_clips_with_a_label_that_the_teacher_contradicts_are_listed_and_left_out(folder, tmp_path):
    targets, clips = taught(folder, MelodyTeacher(wrong="fr"))
    config = with_teacher_heads(CONFIG, targets)
    assert config.n_units == 8 and config.teacher_languages == LANGUAGES
    doubtful = contradicted(clips, config.labels, config.teacher_languages)
    # Dutch is another language, whatever the teacher takes it for.
    assert {clips.languages[i] for i in doubtful} == {"en"}
    rest = leave_out_contradicted(clips, config, tmp_path)
    assert set(rest.languages) == {"fr", "nl", "noise"} and len(rest.posteriors) == len(rest)
    with (tmp_path / CONTRADICTED_FILE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(doubtful) and {row["teacher"] for row in rows} == {"fr"}


def test_an_uncertain_teacher_contradicts_nobody(folder):
    _, clips = taught(folder, MelodyTeacher())
    flat = replace(clips, posteriors=np.full_like(clips.posteriors, np.log(1 / 3)))
    assert not len(contradicted(flat, CONFIG.labels, LANGUAGES))


def test_a_language_that_the_teacher_does_not_know_is_none_of_the_models_own(folder):
    targets, clips = taught(folder, MelodyTeacher(wrong="fr"))
    told = without_own_languages(clips, with_teacher_heads(CONFIG, targets))
    for language, before, after in zip(
        clips.languages, clips.posteriors, told.posteriors, strict=True
    ):
        if language == "nl":
            assert np.exp(after.astype(float)).round(3).tolist() == [0, 0, 1]
        else:
            np.testing.assert_array_equal(before, after)
