"""Full scale, downmix, blocks of one second and resampling, on arrays one can compute by head."""

import numpy as np
import pytest
import soxr
from helpers.audio import dominant_hz, level_db, tone

from langid.audio.samples import beyond_scale, full_scale, interpolate, resample, second_blocks


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (np.int8, [-128, 0, 64], [-1, 0, 0.5]),
        (np.uint8, [0, 128, 192], [-1, 0, 0.5]),
        (np.int16, [-32768, 0, 16384], [-1, 0, 0.5]),
        (">i2", [-32768, 0, 16384], [-1, 0, 0.5]),
        (np.uint16, [0, 32768, 49152], [-1, 0, 0.5]),
        (np.int32, [-(2**31), 0, 2**30], [-1, 0, 0.5]),
        (np.uint32, [0, 2**31, 3 * 2**30], [-1, 0, 0.5]),
        (np.float16, [-1, 0, 0.5], [-1, 0, 0.5]),
        (np.float32, [-1, 0, 0.5], [-1, 0, 0.5]),
        (np.float64, [-1, 0, 1e300], [-1, 0, np.inf]),
    ],
)
def test_full_scale_of_each_width(dtype, values, expected):
    scaled = full_scale(np.array(values, dtype=dtype))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("n_chunk", [1, 7, 10, 11, 25, 100])
def test_second_blocks_are_a_second_each_whatever_comes_in(n_chunk):
    samples = np.arange(34, dtype=np.float32)[:, None]
    chunks = ((10.0, samples[i : i + n_chunk]) for i in range(0, 34, n_chunk))
    blocks = list(second_blocks(chunks))
    assert [len(block) for _, block in blocks] == [10, 10, 10, 4]
    assert {rate for rate, _ in blocks} == {10.0}
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), samples)


def test_second_blocks_end_where_rate_or_channels_change():
    chunks = [
        (10.0, np.zeros((6, 1), np.float32)),
        (10.0, np.zeros((6, 2), np.float32)),
        (20.0, np.zeros((21, 2), np.float32)),
    ]
    blocks = list(second_blocks(iter(chunks)))
    assert [(rate, block.shape) for rate, block in blocks] == [
        (10.0, (6, 1)),
        (10.0, (6, 2)),
        (20.0, (20, 2)),
        (20.0, (1, 2)),
    ]


def test_second_blocks_are_never_empty():
    chunks = [(10.0, np.zeros((10, 1), np.float32)), (20.0, np.zeros((20, 1), np.float32))]
    assert [len(block) for _, block in second_blocks(iter(chunks))] == [10, 20]


def column(*values):
    return np.array(values, dtype=np.float32)[:, None]


def test_what_is_no_number_or_40_db_over_full_scale_is_beyond_it():
    assert beyond_scale(column(1, -3, 100), spikes=False) is None
    for bad in (np.nan, np.inf, -np.inf, 101, -1e30):
        is_bad = beyond_scale(column(0.5, bad, 3, 3), spikes=False)
        np.testing.assert_array_equal(is_bad, column(0, 1, 0, 0) == 1)


def test_a_spike_counts_with_its_ringing_if_the_rest_is_in_scale():
    usual = np.full((1000, 1), 0.1, np.float32)
    is_bad = beyond_scale(np.concatenate([usual, column(0.5, 3, 50, 3, 0.5)]), spikes=True)
    assert np.flatnonzero(is_bad).tolist() == [1001, 1002, 1003]
    assert beyond_scale(np.concatenate([usual * 30, column(50)]), spikes=True) is None
    assert beyond_scale(np.concatenate([usual, column(3.9)]), spikes=True) is None


def test_interpolation_is_on_the_line_between_the_neighbours_of_each_channel():
    samples = np.array([[0, 5], [np.nan, 6], [np.inf, 7], [3, np.nan]], dtype=np.float32)
    repaired = interpolate(samples, ~np.isfinite(samples))
    np.testing.assert_array_equal(repaired, [[0, 5], [1, 6], [2, 7], [3, 7]])
    nothing = interpolate(column(np.nan, np.nan), column(1, 1) == 1)
    np.testing.assert_array_equal(nothing, [[0], [0]])


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("block_s", [0.01, 0.37, 1.0])
def test_resampling_in_blocks_equals_resampling_at_once(sample_rate, block_s):
    noise = np.random.default_rng(1).normal(scale=0.2, size=2 * sample_rate).astype(np.float32)
    n_block = int(block_s * sample_rate)
    blocks = ((sample_rate, noise[i : i + n_block]) for i in range(0, len(noise), n_block))
    streamed = np.concatenate(list(resample(blocks, 16_000)))
    at_once = soxr.resample(noise, sample_rate, 16_000)
    assert len(streamed) == len(at_once) == 32_000
    np.testing.assert_allclose(streamed, at_once, atol=1e-5)


def test_resampling_to_the_same_rate_changes_nothing():
    block = np.arange(5, dtype=np.float32)
    (out,) = resample(iter([(16_000, block)]), 16_000)
    np.testing.assert_array_equal(out, block)


def test_resampling_follows_a_change_of_rate():
    parts = [(48_000, tone(500, 1.0, 48_000)[:, 0]), (8_000, tone(500, 1.0, 8_000)[:, 0])]
    out = np.concatenate(list(resample(iter(parts), 16_000)))
    assert len(out) == 32_000
    for half in (out[:16_000], out[16_000:]):
        assert dominant_hz(half, 16_000) == pytest.approx(500, abs=2)


def test_resampling_removes_what_16_khz_cannot_hold():
    """12 kHz would fold to 4 kHz."""
    out = np.concatenate(list(resample(iter([(48_000, tone(12_000, 1.0, 48_000)[:, 0])]), 16_000)))
    assert level_db(out[1000:-1000]) < -90


@pytest.mark.filterwarnings("error")
def test_numbers_that_float32_does_not_hold_are_scaled_without_a_word():
    """A signalling NaN among doubles made NumPy print a warning."""
    signalling = np.array([0x7FF0000000000001], dtype=np.uint64).view(np.float64)
    scaled = full_scale(np.concatenate([signalling, [1e300, 0.5]]))
    assert np.isnan(scaled[0]) and np.isinf(scaled[1]) and scaled[2] == 0.5
