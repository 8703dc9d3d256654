"""How much of a recording stands out of its silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langid.audio.energy import EnergyMeter

RATE = 16_000


def noise(seconds, level_dbfs, seed=0):
    """White noise whose RMS is at a level, float32 (n,)."""
    samples = np.random.default_rng(seed).normal(0, 1, round(seconds * RATE))
    return (samples * 10 ** (level_dbfs / 20)).astype(np.float32)


def active_s(*parts):
    meter = EnergyMeter()
    for part in parts:
        meter.add(part)
    return meter.active_s()


def test_sound_between_silences_is_timed():
    silence = np.zeros(2 * RATE, dtype=np.float32)
    assert active_s(silence, noise(1.5, -20), silence) == pytest.approx(1.5)


def test_background_far_below_the_speech_is_silence():
    assert active_s(noise(5, -55), noise(0.5, -20), noise(5, -55)) == pytest.approx(0.5)


def test_background_near_the_speech_is_not():
    assert active_s(noise(5, -40), noise(0.5, -20), noise(5, -40)) == pytest.approx(10.5)


def test_steady_noise_is_active_from_end_to_end():
    assert active_s(noise(10, -30)) == pytest.approx(10)


@pytest.mark.parametrize(("level_dbfs", "expected_s"), [(-50, 3.0), (-64, 0.0)])
def test_what_is_faint_is_silence_whatever_surrounds_it(level_dbfs, expected_s):
    assert active_s(noise(3, level_dbfs)) == pytest.approx(expected_s)


def test_a_click_does_not_make_silence_of_the_speech():
    click = noise(0.05, -3)
    assert active_s(click, noise(4, -45)) == pytest.approx(4.05)


def test_a_constant_offset_is_no_sound():
    assert active_s(np.full(RATE, 0.5, dtype=np.float32)) == 0
    quiet = noise(1, -70) + np.float32(0.3)
    assert active_s(quiet, noise(1, -20) + np.float32(0.3), quiet) == pytest.approx(1)


def test_nothing_and_less_than_a_frame_are_no_sound():
    assert active_s() == 0
    assert active_s(np.empty(0, dtype=np.float32)) == 0
    assert active_s(noise(0.009, -10)) == 0


def test_levels_beyond_full_scale_count():
    assert active_s(noise(1, 30), np.zeros(RATE, dtype=np.float32)) == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=12))
def test_the_borders_of_the_blocks_do_not_matter(cuts):
    waveform = np.concatenate([noise(1, -70, 1), noise(1, -20, 2), noise(1, -48, 3)])
    blocks = np.split(waveform, sorted(cuts))
    assert active_s(*blocks) == active_s(waveform)


def test_memory_does_not_grow_with_the_recording():
    meter = EnergyMeter()
    second = noise(1, -20)

    def held():
        return sum(value.nbytes for value in vars(meter).values())

    meter.add(second)
    before = held()
    for _ in range(100):
        meter.add(second)
    assert held() == before
    assert meter.active_s() == pytest.approx(101)


def test_the_block_may_change_after_it_was_added():
    meter, block = EnergyMeter(), noise(0.015, -20)
    meter.add(block)
    block[:] = 0
    meter.add(noise(0.005, -20))
    assert meter.active_s() == pytest.approx(0.02)
