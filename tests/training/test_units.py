"""Units: k-means, their way to the frames of log-mel, and through a warp in time."""

import numpy as np
import pytest
import torch

from langid.errors import DataError
from langid.training.augment import warp
from langid.training.units import NO_UNIT, Units, fit_units, spread_over_log_mel, warp_units


def test_the_nearest_centroid_is_the_unit_after_standardising():
    units = Units(
        mean=torch.tensor([10.0, 0.0]),
        scale=torch.tensor([10.0, 1.0]),
        centroids=torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    )
    states = np.array([[10, 0.1], [19, 0.2], [9, 0.9], [-90, -3]], np.float32)
    assigned = units.assign(states)
    assert assigned.tolist() == [0, 1, 2, 0] and assigned.dtype == np.int16


def test_k_means_finds_the_clusters():
    rng = np.random.default_rng(0)
    middles = np.repeat(np.array([[0, 0], [8, 4]], np.float32), 50, axis=0)
    states = (middles + 0.1 * rng.standard_normal((100, 2))).astype(np.float32)
    units = fit_units(states, 2, seed=3)
    found = units.assign(states).reshape(2, 50)
    assert [len(set(row)) for row in found.tolist()] == [1, 1] and found[0, 0] != found[1, 0]
    assert fit_units(states, 2, seed=3).digest == units.digest


def test_no_unit_is_empty_and_identical_frames_do_no_harm():
    states = np.ones((40, 3), np.float32)
    states[0] = 2
    units = fit_units(states, 4, seed=0)
    assert torch.isfinite(units.centroids).all() and len(units) == 4


def test_too_few_frames_are_said():
    with pytest.raises(DataError, match="too few for 8 units"):
        fit_units(np.zeros((5, 2), np.float32), 8, seed=0)


def test_units_are_read_as_written(tmp_path):
    units = fit_units(np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32), 5, 0)
    units.save(tmp_path / "new" / "units.safetensors")
    assert Units.load(tmp_path / "new" / "units.safetensors").digest == units.digest
    (tmp_path / "broken").write_bytes(b"no units")
    with pytest.raises(DataError, match="holds no units"):
        Units.load(tmp_path / "broken")


def test_every_frame_of_log_mel_takes_the_unit_nearest_in_time():
    units = np.array([7, 8, 9], np.int16)
    # Middles at 16, 26, 36 … ms, of the units at 10, 50, 90 ms.
    assert spread_over_log_mel(units, 11).tolist() == [7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9]
    assert spread_over_log_mel(units, 14).tolist()[-4:] == [9, 9, 9, 9]  # the last one goes on
    assert spread_over_log_mel(units[:0], 3).tolist() == [NO_UNIT] * 3


def test_units_follow_the_tempo():
    units = np.arange(9, dtype=np.int16)[None]
    assert warp_units(units, 9, np.array([9])).tolist() == [[0, 4, 8]]
    assert warp_units(units, 17, np.array([9])).tolist() == [[0, 2, 4, 6, 8]]  # half as fast
    assert warp_units(units, 5, np.array([9])).tolist() == [[0, 8]]
    assert warp_units(units, 1, np.array([9])).tolist() == [[0]]


def test_units_and_log_mel_are_warped_alike():
    frames = torch.arange(60.0).expand(2, 8, 60)
    lengths = torch.tensor([60.0, 41.5])
    heard = warp(frames, 50, lengths, torch.ones(2))[:, 0, ::4]
    named = warp_units(np.arange(60)[None].repeat(2, axis=0), 50, lengths.numpy())
    assert named.shape == (2, 13)
    assert np.abs(heard.numpy() - named).max() <= 0.5
