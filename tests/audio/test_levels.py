"""How loud a recording is, and what is done with one that is nearly silent."""

import numpy as np
import pytest
from helpers.audio import FORMATS, dominant_hz, encode, tone

from langid.audio import SAMPLE_RATE, AudioStream, load_audio
from langid.audio.levels import MAX_HELD_S, Amplifier, LevelMeter


def at_peak(dbfs: float, duration_s: float = 3.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    return tone(1000, duration_s, sample_rate, amplitude=10 ** (dbfs / 20))


def read(audio, sample_rate=None) -> tuple[np.ndarray, AudioStream]:
    stream = AudioStream(audio, sample_rate)
    return np.concatenate(list(stream)), stream


@pytest.mark.parametrize("offset", [0.0, 0.02, -0.5])
@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
@pytest.mark.parametrize("dbfs", [-101, -92, -88, -62, -58, -6])
def test_the_peak_is_that_of_the_sound_without_its_offset(dbfs, offset, sample_rate):
    samples = at_peak(dbfs, sample_rate=sample_rate).astype(np.float64) + offset
    stream = AudioStream(samples, sample_rate)
    list(stream)
    assert stream.peak_dbfs == pytest.approx(dbfs, abs=1.5)
    assert stream.is_silent == (dbfs < -90)


def test_digital_silence_has_no_level():
    _, stream = read(np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert stream.is_silent and stream.peak_dbfs == -np.inf
    assert stream.warnings == []


@pytest.mark.parametrize("offset", [0.0, 0.02])
@pytest.mark.parametrize("dbfs", [-89, -75, -61])
def test_what_is_nearly_silent_is_amplified_and_said_to_be(dbfs, offset):
    samples = at_peak(dbfs) + np.float32(offset)
    waveform, (warning,) = load_audio(encode(FORMATS["wav_float"], samples, SAMPLE_RATE))
    assert np.abs(waveform).max() == pytest.approx(0.1, rel=0.1)
    assert dominant_hz(waveform, SAMPLE_RATE) == pytest.approx(1000, abs=2)
    assert f"below -60 dBFS, and was amplified by {-20 - dbfs} dB" in warning
    assert warning.endswith(".")


@pytest.mark.parametrize("dbfs", [-101, -92, -58, -20])
def test_the_rest_is_left_as_it_is(dbfs):
    waveform, stream = read(at_peak(dbfs), SAMPLE_RATE)
    np.testing.assert_array_equal(waveform, at_peak(dbfs)[:, 0])
    assert stream.warnings == []


def test_a_quiet_beginning_is_no_quiet_recording():
    samples = np.concatenate([at_peak(-75, 20.0), at_peak(-20, 1.0)])
    waveform, stream = read(samples, SAMPLE_RATE)
    np.testing.assert_array_equal(waveform, samples[:, 0])
    assert stream.warnings == []


def run(levels: list[float]) -> tuple[list[float], Amplifier, list[int]]:
    """Blocks of a second at constant levels; → those given out, and how many were drawn before
    each of them."""
    meter, drawn, counts, given = LevelMeter(), [], [], []
    amplifier = Amplifier(meter, 100)

    def measured():
        for level in levels:
            block = np.tile(np.float32([level, -level]), 50)
            drawn.append(block)
            meter.add(block)
            yield block

    for block in amplifier.blocks(measured()):
        given.append(float(np.abs(block).max()))
        counts.append(len(drawn))
    return given, amplifier, counts


def test_blocks_are_held_only_while_it_is_not_known():
    given, _, counts = run([0, 0, 1e-4, 1e-4, 0.5, 1e-4, 0])
    assert given == pytest.approx([0, 0, 1e-4, 1e-4, 0.5, 1e-4, 0])
    assert counts == [1, 2, 5, 5, 5, 6, 7]


def test_hours_of_quiet_take_no_more_memory_than_minutes():
    n = int(MAX_HELD_S)
    given, amplifier, counts = run([1e-4] * (n + 50) + [5e-4] * 3 + [0.5, 1e-4])
    assert counts[0] == n and counts[-1] == len(given)
    assert given[0] == given[n + 49] == pytest.approx(0.1)
    assert max(given[n + 50 : n + 53]) <= 1.0
    assert given[-2:] == pytest.approx([0.5, 1e-4])
    assert amplifier.gain_db == pytest.approx(60)


def test_minutes_of_nothing_and_then_something_quiet():
    n = int(MAX_HELD_S)
    given, amplifier, _ = run([1e-6] * n + [1e-4] * 5)
    assert given == pytest.approx([1e-6] * n + [0.1] * 5)
    assert amplifier.gain_db == pytest.approx(60)
