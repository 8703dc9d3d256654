"""Probes and the soft targets made of their answers, on toy states and on what a teacher says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.clips import LABELS, clips
from helpers.teacher import MelodyTeacher
from helpers.training import cache_in

from langid.config import ModelConfig
from langid.training import probe, soft_targets
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import NO_LABEL, prepare_clips
from langid.training.folds import assign_folds
from langid.training.probe import Probe, fit_probes, predict
from langid.training.sampling import ClipSampler, Shares
from langid.training.soft_targets import mix, with_soft_targets
from langid.training.teacher_targets import TeacherTargets

CONFIG = ModelConfig(labels=LABELS)
CPU = torch.device("cpu")
N_TRAINED = 26  # clips in the split of training
# Two probes on one window; the first never heard it.
ANSWERS = np.array([[[0.2, 0.4, 0.4, 0.0], [0.6, 0.2, 0.2, 0.0]]], np.float32)


@pytest.fixture(autouse=True)
def few_batches(monkeypatch):
    monkeypatch.setattr(probe, "N_BATCHES", 4)
    monkeypatch.setattr(probe, "BATCH_SIZE", 8)


def test_a_soft_target_is_mostly_what_the_probe_says_that_never_heard_the_voice():
    # 0.7 of (0.2, 0.4, 0.4) and 0.3 of the mean (0.4, 0.3, 0.3), then 0.3 of the label.
    expected = [0.7 * 0.26 + 0.3, 0.7 * 0.37, 0.7 * 0.37, 0]
    assert mix(ANSWERS, 0, LABELS.index("en"), LABELS)[0] == pytest.approx(expected)


def test_of_other_languages_the_mean_and_the_label_say_more():
    expected = [0.6 * 0.3, 0.6 * 0.35, 0.6 * 0.35 + 0.4, 0]
    assert mix(ANSWERS, 0, LABELS.index("other"), LABELS)[0] == pytest.approx(expected)


def test_without_speech_the_label_alone_counts():
    assert mix(ANSWERS, 1, LABELS.index("none"), LABELS).tolist() == [[0, 0, 0, 1]]


def test_a_label_that_one_voice_has_is_no_other_label(cache):
    own = toy()
    only = np.flatnonzero(own.labels == 1)[:1]
    own = own.select(np.concatenate([np.flatnonzero(own.labels != 1), only]))
    soft = with_soft_targets(own, CONFIG, 2, 0, CPU).soft
    assert (soft[-1] == np.eye(4)[1]).all()  # nobody else has heard it
    assert 0 < soft[0][0, 0] < 1


def toy(n_speakers=12, n_states=130):
    """Each label is a direction, each speaker another offset."""
    rng = np.random.default_rng(0)
    rows, states = [], []
    for label in LABELS[:3]:
        for speaker in range(n_speakers):
            rows.append((label, "crowd_1", f"{label}{speaker}", False))
            voice = 0.5 * rng.standard_normal(8) + 3 * np.eye(8)[LABELS.index(label)]
            states.append(voice + rng.standard_normal((n_states - 7 * speaker, 8)))
    return clips(rows, states)


def test_any_number_of_states_gives_logits():
    model = Probe(state_size=8, n_labels=4, width=16).eval()
    for n in (1, 25, 100):
        assert model(torch.randn(2, n, 8)).shape == (2, 4)


def test_probes_learn_what_holds_for_voices_that_they_never_heard(monkeypatch):
    monkeypatch.setattr(probe, "N_BATCHES", 25)
    own = toy()
    sampler = ClipSampler(own, LABELS, Shares())
    folds = assign_folds(own, sampler.probabilities(), 3)
    state = torch.get_rng_state()
    probes = fit_probes(own, sampler, folds, 3, CONFIG, 0, CPU)
    assert torch.equal(torch.get_rng_state(), state)
    answers = predict(probes, own, CONFIG, CPU)
    # Of 130 states 100 and the last 100, of 95 all.
    assert [answers[0].shape, answers[5].shape] == [(2, 3, 4), (1, 3, 4)]
    right = [
        (p[:, fold].argmax(axis=1) == label).mean()
        for p, fold, label in zip(answers, folds, own.labels, strict=True)
    ]
    assert np.mean(right) > 0.9


def test_labels_of_a_fold_do_not_reach_its_probe():
    own = toy()
    sampler = ClipSampler(own, LABELS, Shares())
    folds = assign_folds(own, sampler.probabilities(), 2)
    wrong = replace(own, labels=np.where(folds == 0, 0, own.labels))
    right, other = (
        predict(fit_probes(source, sampler, folds, 2, CONFIG, 0, CPU), own, CONFIG, CPU)[0]
        for source in (own, wrong)
    )
    np.testing.assert_array_equal(right[:, 0], other[:, 0])
    assert not np.array_equal(right[:, 1], other[:, 1])


def test_equal_seeds_give_equal_targets_and_clips_without_a_label_none(tmp_path, capsys):
    own = toy()
    own.labels[3] = NO_LABEL
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        with cache_in(tmp_path / name):
            found.append(with_soft_targets(own, CONFIG, 2, seed, CPU).soft)
    assert capsys.readouterr().out.count("voices new to them") == 3
    assert found[0][3].shape == (0, 4) and len(found[0]) == len(own)
    for a, b in zip(found[0], found[1], strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.sum(axis=1) == pytest.approx(np.ones(len(a)), abs=1e-5)
    assert not np.array_equal(found[0][0], found[2][0])


@pytest.fixture
def taught(folder, cache):
    """Clips with the states of a teacher, and the teacher, which counts what it was given."""

    def load(with_states=True, max_hours=np.inf):
        teacher = MelodyTeacher()
        targets = TeacherTargets(teacher, 8, max_hours=max_hours, with_states=with_states)
        splits = load_training_data([str(folder)], CONFIG, 0, targets=targets)
        assert "states" not in splits["validation"].column_names
        return prepare_clips(splits["train"], CONFIG), teacher

    return load


def test_states_are_kept_and_the_second_time_nothing_is_done(taught, monkeypatch):
    own, _ = taught()
    assert own.states(0).shape == (50, 16) and "states" not in own.features.column_names
    with_soft = with_soft_targets(own, CONFIG, 2, 0, CPU)
    again, teacher = taught()
    assert teacher.n_calls == 0
    monkeypatch.setattr(soft_targets, "fit_probes", None)
    kept = with_soft_targets(again, CONFIG, 2, 0, CPU)
    for a, b in zip(with_soft.soft, kept.soft, strict=True):
        np.testing.assert_array_equal(a, b)


def test_damaged_targets_are_fitted_again(taught, cache):
    own, _ = taught()
    first = with_soft_targets(own, CONFIG, 2, 0, CPU).soft
    (kept,) = (cache / "soft_targets").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    for a, b in zip(first, with_soft_targets(own, CONFIG, 2, 0, CPU).soft, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_states_do_not_put_what_was_kept_before_out_of_date(taught):
    before, first = taught(with_states=False)
    assert first.n_calls and before.state_rows is None
    own, second = taught()
    assert second.n_calls == N_TRAINED  # validation needs no states
    _, third = taught(with_states=False)
    assert third.n_calls == 0
    assert own.states(3)[:, 0].std() > 0


def test_clips_beyond_the_teachers_hours_have_no_target(taught):
    own, _ = taught(max_hours=20.2 / 3600)  # ten clips of 2 s
    soft = with_soft_targets(own, CONFIG, 2, 0, CPU).soft
    assert sum(len(rows) > 0 for rows in soft) == 10


def batches(own, **changes):
    settings = {
        "n_steps": 10,
        "batch_size": 8,
        "utterance_share": 0.5,
        "shares": Shares(none=0.2),
        "augmentation": AugmentConfig(),
        "seed": 0,
    }
    return TrainingBatches(own, replace(CONFIG, phones=("a",)), **settings | changes)


def test_soft_targets_change_nothing_else_of_a_batch(taught):
    own, _ = taught()
    own = replace(own, phones=[["a"] * 3] * len(own))
    target = np.array([[0.5, 0.25, 0.25, 0]], np.float32)
    soft = [target if label < 3 else target[:0] for label in own.labels]
    plain, with_soft = batches(replace(own, state_rows=None)), batches(replace(own, soft=soft))
    kinds = set()
    for step in range(10):
        a, b = plain[step], with_soft[step]
        for name in ("log_mel", "labels", "units"):
            assert torch.equal(getattr(a, name), getattr(b, name))
        kinds.add(b.phones is None)
        if b.phones is not None:
            assert a.soft is None and b.soft is None
            continue
        none = b.labels == LABELS.index("none")
        assert b.soft[none].isnan().all()
        torch.testing.assert_close(b.soft[~none], torch.tensor(target).expand_as(b.soft[~none]))
    assert kinds == {True, False}


def test_a_window_takes_the_target_nearest_to_its_middle(taught):
    own, _ = taught()
    own.n_frames[:2] = 1000, 300
    soft = [np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[:1]]
    made = batches(replace(own, soft=soft + [np.zeros((0, 4), np.float32)] * (len(own) - 2)))
    # Windows of 397 frames begin at 0, 200, 400, 600 and 603; the teacher ended before the last.
    for frame, nearest in ((0, 0), (290, 0), (310, 1), (500, 2), (600, 2), (705, 3), (999, 3)):
        assert made._soft_target([(0, frame)]).tolist() == np.eye(4)[nearest].tolist()
    assert made._soft_target([(1, 299)]).tolist() == [1, 0, 0, 0]
    assert np.isnan(made._soft_target([(2, 50)])).all()


def test_a_longer_crop_takes_the_mean_of_its_windows_targets(taught):
    own, _ = taught()
    a, b = np.array([[0.5, 0.5, 0, 0]], np.float32), np.array([[0.8, 0.2, 0, 0]], np.float32)
    made = batches(replace(own, soft=[a, b] + [a[:0]] * (len(own) - 2)))
    # sqrt(0.5 * 0.8) : sqrt(0.5 * 0.2) is 2 : 1.
    expected = pytest.approx([2 / 3, 1 / 3, 0, 0], abs=1e-4)
    assert made._soft_target([(0, 10), (1, 10)]).tolist() == expected
    assert np.isnan(made._soft_target([(0, 10), (2, 10)])).all()


def test_some_batches_are_as_long_as_passages(taught):
    own, _ = taught()
    made = batches(own, n_steps=40, batch_size=12, utterance_share=0.0)
    shapes = [made[step].log_mel.shape for step in range(40)]
    lengths = np.array([shape[2] for shape in shapes]) / CONFIG.n_window_frames
    assert 0.3 < (lengths == 1).mean() < 0.7
    assert 0.1 < (lengths > 1).mean() < 0.4 and 2 < lengths.max() < 3
    assert lengths.min() < 0.6
    # A batch of long windows has fewer, so that it costs as much.
    for (n, _, _), length in zip(shapes, lengths, strict=True):
        assert n == np.ceil(12 / max(1, length))


def test_a_crop_of_several_clips_knows_what_stands_in_its_windows_middles(taught):
    own, _ = taught()
    rng = np.random.default_rng(0)
    for n_frames, parts in ((100, [50]), (199, [99]), (470, [235]), (1000, [166, 500, 833])):
        log_mel, _, places = batches(own)._crop(0, n_frames, rng)
        assert log_mel.shape == (64, n_frames) and len(places) == len(parts)
        for (index, frame), at in zip(places, parts, strict=True):
            middle = own.log_mel(index)[frame].astype(np.float32)
            np.testing.assert_array_equal(log_mel[:, at], middle)
