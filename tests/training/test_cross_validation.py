"""Calibration on some speakers, measured on others."""

import numpy as np
import pytest

from langid.training.cross_validation import cross_validate
from langid.training.validation import ClipLogits, WindowLogits

LABELS = ("en", "fr", "other", "none")


class Logits(WindowLogits):
    """Made by hand instead of by a model; one window a clip."""

    def __init__(self, logits, targets):
        self.labels = LABELS
        self.targets = np.array(targets)
        self._clips = [ClipLogits(row[None], [(0.0, 4.0)], np.zeros((0, 4)), []) for row in logits]


def noisy(n, preference, seed=0):
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % 3  # as many of each
    logits = np.full((n, 4), -50.0)
    logits[:, :3] = rng.standard_normal((n, 3))
    logits[np.arange(n), targets] += 1.5
    logits[:, 0] += preference
    return Logits(logits, targets)


def test_selected_clips_keep_their_windows():
    logits = noisy(30, 0.0)
    pairs = zip(logits._clips[::2], logits._clips[1::2], strict=True)
    logits._clips = [
        a._replace(windows=np.concatenate([a.windows, b.windows]), bounds=[(0.0, 4.0), (2.0, 6.0)])
        for a, b in pairs
    ]
    logits.targets = logits.targets[:15]
    whole = logits.clip_probabilities(1.0)
    chosen = np.array([11, 3, 7])
    some = logits.select(chosen)
    assert some.targets.tolist() == logits.targets[chosen].tolist()
    np.testing.assert_allclose(some.clip_probabilities(1.0), whole[chosen])


def test_a_preference_of_the_model_is_taken_back_for_other_speakers():
    logits = noisy(300, 1.5)
    speakers = [f"speaker {i // 3}" for i in range(300)]
    without = cross_validate(logits, speakers, np.inf)
    fitted = cross_validate(logits, speakers, 0.01)
    assert fitted.clip_accuracy_open > without.clip_accuracy_open + 0.03
    assert fitted.log_loss < without.log_loss


def test_a_penalty_keeps_biases_small():
    logits = noisy(60, 1.0)
    _, free = logits.fit_calibration(0.0)
    _, held = logits.fit_calibration(1.0)
    _, none = logits.fit_calibration(1000.0)
    assert np.abs(none).max() < np.abs(held).max() < np.abs(free).max()
    assert np.abs(none).max() == pytest.approx(0.0, abs=0.05)
