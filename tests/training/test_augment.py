import math

import pytest
import torch

from langid.training import augment as a

DB = math.log(10) / 10


@pytest.fixture
def log_mel():
    return torch.randn(6, 64, 200, generator=torch.Generator().manual_seed(1)) * 2 - 5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_everything_keeps_shape_and_is_finite(log_mel):
    out = a.augment(log_mel, log_mel.flip(0), a.AugmentConfig(), generator())
    assert out.shape == log_mel.shape
    assert torch.isfinite(out).all()


def test_the_same_seed_gives_the_same_batch(log_mel):
    first = a.augment(log_mel, log_mel, a.AugmentConfig(), generator(3))
    assert torch.equal(first, a.augment(log_mel, log_mel, a.AugmentConfig(), generator(3)))
    assert not torch.equal(first, a.augment(log_mel, log_mel, a.AugmentConfig(), generator(4)))


def test_silence_survives_every_change():
    silence = torch.full((8, 64, 120), math.log(1e-10))
    out = a.augment(silence, silence, a.AugmentConfig(), generator())
    assert torch.isfinite(out).all()


def test_warp_without_change_is_the_identity(log_mel):
    same = a.warp(log_mel, 200, torch.full((6,), 200.0), torch.ones(6))
    assert torch.allclose(same, log_mel, atol=1e-4)


def test_warp_in_time_stretches(log_mel):
    ramp = torch.arange(200.0).expand(1, 64, 200)
    half = a.warp(ramp, 200, torch.tensor([100.0]), torch.ones(1))
    assert half[0, 0, 0] == pytest.approx(0)
    assert half[0, 0, -1] == pytest.approx(99, abs=0.01)


def test_warp_in_frequency_moves_bands():
    bands = torch.arange(64.0).view(1, 64, 1).expand(1, 64, 10)
    longer = a.warp(bands, 10, torch.tensor([10.0]), torch.tensor([0.5]))
    assert longer[0, 40, 0] == pytest.approx(20, abs=0.01)


def test_noise_of_equal_level_adds_three_decibels():
    flat = torch.zeros(2, 64, 50)
    out = a.add_noise(flat, flat - 7, torch.zeros(2, 1, 1))
    assert torch.allclose(out, torch.full_like(out, math.log(2)), atol=1e-5)


def test_noise_far_below_changes_nothing():
    flat = torch.zeros(1, 64, 50)
    assert torch.allclose(a.add_noise(flat, flat, torch.full((1, 1, 1), 60.0)), flat, atol=1e-4)


def test_reverberation_fills_what_follows_and_not_what_precedes():
    click = torch.full((1, 64, 60), -20.0)
    click[:, :, 20] = 0
    wet = a.reverberate(click, torch.tensor([0.5]), torch.tensor([0.0]), frame_s=0.01)
    assert torch.allclose(wet[:, :, :20], click[:, :, :20], atol=0.7)  # its own tail
    after = wet[0, 0, 21:55]
    assert (after > -12).all()
    assert (after.diff() < 1e-4).all()
    # 60 dB in half a second: 12 dB in ten frames.
    assert (after[20] - after[10]).item() == pytest.approx(-12 * DB, abs=0.1)


def test_band_limit_attenuates_the_edges_only():
    flat = torch.zeros(1, 64, 5)
    out = a.band_limit(flat, torch.tensor([4.0]), torch.tensor([50.0]), torch.tensor([30.0]))
    assert torch.allclose(out[0, 4:51], torch.zeros(47, 5))
    assert out[0, 3, 0].item() == out[0, 51, 0].item() == pytest.approx(-30 * DB)


def test_codec_and_gate_leave_what_is_loud():
    x = torch.zeros(1, 64, 20)
    x[:, 10] = -30 * DB
    x[:, :, 5] -= 60 * DB
    cut = a.codec_cut(x, torch.full((1, 1, 1), 20.0))
    assert torch.equal(cut[0, 11], x[0, 11])
    assert cut[0, 10, 0].item() == pytest.approx(-50 * DB, rel=1e-4)
    gated = a.gate(x, torch.full((1, 1, 1), 30.0))
    assert torch.equal(gated[:, :, 6:], x[:, :, 6:])
    assert (gated[:, :, 5] < x[:, :, 5]).all()


def test_masks_hide_at_most_what_they_may(log_mel):
    config = a.AugmentConfig()
    out = a.mask_spectrogram(log_mel, config, generator())
    kept = (out == log_mel).float().mean()
    assert 0.4 < kept < 1


def test_synthetic_non_speech_has_all_kinds():
    out = a.synthetic_non_speech((64, 64, 100), generator())
    assert torch.isfinite(out).all()
    silent = (out == math.log(1e-10)).all(dim=2).all(dim=1)
    assert 0 < silent.sum() < 64


def test_mixed_statistics_are_between_those_of_both(log_mel):
    others = 5 + 1.5 * log_mel.roll(1, dims=0)
    none, half = torch.zeros(len(log_mel), 1, 1), torch.full((len(log_mel), 1, 1), 0.5)
    assert torch.allclose(a.mix_statistics(log_mel, others, none), log_mel, atol=1e-4)
    mixed = a.mix_statistics(log_mel, others, half)
    for figure in (torch.mean, torch.std):
        expected = (figure(log_mel, dim=2) + figure(others, dim=2)) / 2
        assert torch.allclose(figure(mixed, dim=2), expected, atol=1e-3)
    # Digital silence does not wipe out speech.
    silence = torch.full_like(log_mel, -20.0)
    quiet = a.mix_statistics(log_mel, silence, torch.ones(len(log_mel), 1, 1))
    assert torch.allclose(quiet.std(dim=2), log_mel.std(dim=2) / 2, rtol=1e-3)
