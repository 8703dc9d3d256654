"""Folds keep voices apart, and the channels of families that few voices have."""

import numpy as np
import pytest
from helpers.clips import LABELS, clips

from langid.training.folds import assign_folds

N_FOLDS = 4


def folds_of(rows, weights=None):
    source = clips(rows)
    return assign_folds(source, np.full(len(rows), 1.0) if weights is None else weights, N_FOLDS)


def crowd(label, n_speakers, n_clips=3):
    return [(label, "crowd_1", f"{label}{s}", False) for s in range(n_speakers)] * n_clips


def test_a_voice_is_in_one_fold():
    rows = crowd("en", 30) + crowd("fr", 11) + crowd("other", 20)
    folds = folds_of(rows)
    for speaker in {row[2] for row in rows}:
        assert len({fold for row, fold in zip(rows, folds, strict=True) if row[2] == speaker}) == 1
    assert set(folds.tolist()) == set(range(N_FOLDS))


def test_each_label_is_spread_by_how_often_it_is_drawn():
    rows = crowd("en", 40, 1) + crowd("fr", 16, 1) + crowd("other", 12, 1)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(rows))
    folds = folds_of(rows, weights)
    for label in LABELS[:3]:
        own = np.array([row[0] == label for row in rows])
        shares = np.bincount(folds[own], weights[own], N_FOLDS) / weights[own].sum()
        assert shares == pytest.approx(np.full(N_FOLDS, 1 / N_FOLDS), abs=0.06)


def test_a_small_family_is_left_out_whole_and_a_large_one_by_speaker():
    small = [("en", "studio_a", f"s{i}", False) for i in range(8)]
    rows = small + crowd("en", 20) + crowd("fr", 20)
    folds = folds_of(rows)
    assert len(set(folds[:8].tolist())) == 1 and len(set(folds[8:].tolist())) == N_FOLDS


def test_a_family_that_a_label_mostly_comes_from_is_parted():
    opera = [("fr", "opera", f"s{i}", False) for i in range(8)]
    folds = folds_of(opera + crowd("fr", 5, 1) + crowd("en", 20))
    assert np.bincount(folds[:8], minlength=N_FOLDS).max() <= 3
