"""Full scale, downmix, blocks of one second and resampling, on arrays one can compute by head."""

import numpy as np
import pytest
import soxr
from helpers.audio import dominant_hz, level_db, tone

from langid.audio.samples import full_scale, resample, second_blocks


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
