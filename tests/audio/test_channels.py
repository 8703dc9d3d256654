"""Channels → mono: the mean, and what speech needs where the mean would lose it."""

import numpy as np
import pytest
from helpers.audio import FORMATS, encode, tone
from helpers.speech import needs_speech, speakers

from langid.audio import load_audio
from langid.audio.channels import SECTION_S, downmix, mixing_weights

RATE = 16_000
MEAN, LEFT, RIGHT, DIFFERENCE = (0.5, 0.5), (1, 0), (0, 1), (0.5, -0.5)
TIME_S = np.arange(4 * RATE) / RATE


def syllables(seed: int = 0) -> np.ndarray:
    """4 s at -26 dBFS that rise and fall like speech: noise in the band of vowels, four bursts a
    second, with pauses."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=len(TIME_S)))
    hz = np.fft.rfftfreq(len(TIME_S), 1 / RATE)
    voice = np.fft.irfft(np.where((hz > 150) & (hz < 3500), spectrum, 0))
    pauses = np.sin(2 * np.pi * 0.6 * TIME_S + seed) > -0.6
    voice *= np.maximum(np.sin(2 * np.pi * 4 * TIME_S + seed), 1e-3) * pauses
    return 0.05 * voice / voice.std()


def noise(level: float, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, len(TIME_S))


def hum(amplitude: float) -> np.ndarray:
    """Mains, with overtones."""
    return sum(amplitude / n * np.sin(2 * np.pi * 50 * n * TIME_S) for n in (1, 2, 3, 5))


def weights(*channels: np.ndarray) -> tuple[float, ...]:
    return tuple(mixing_weights(np.stack(channels, axis=1).astype(np.float32), RATE))


VOICE = syllables()


@pytest.mark.parametrize(
    "shared",
    [0.02, 0.3, hum(0.01), hum(0.5), 0.3 * np.sin(2 * np.pi * 50 * TIME_S), noise(0.01),
     noise(0.3), 0.1 + hum(0.1) + noise(0.01)],
)  # fmt: skip
@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_opposite_channels_that_share_something_give_their_difference(shared, gain):
    assert weights(VOICE + shared, shared - gain * VOICE) == DIFFERENCE


def test_opposite_channels_with_hiss_of_their_own_give_their_difference():
    assert weights(VOICE + noise(0.01), noise(0.01, seed=8) - VOICE) == DIFFERENCE


@pytest.mark.parametrize("loud", [0.1, 0.5])
def test_noise_that_is_louder_than_the_speech_beside_it_is_left_out(loud):
    assert weights(VOICE, noise(loud)) == LEFT
    assert weights(noise(loud), VOICE) == RIGHT
    assert weights(hum(loud), VOICE) == RIGHT
    assert weights(noise(loud), 0.1 * VOICE) == RIGHT


@pytest.mark.parametrize("dead", [0 * TIME_S, 0 * TIME_S + 0.3, noise(1 / 32768)])
def test_a_dead_channel_does_not_count(dead):
    for channels, alone in (((VOICE, dead), LEFT), ((dead, VOICE), RIGHT)):
        assert weights(*channels) in (MEAN, alone)


def test_everything_else_is_the_mean():
    other = syllables(seed=5)
    first, second = VOICE.copy(), other.copy()
    first[len(VOICE) // 2 :], second[: len(VOICE) // 2] = 0, 0
    assert weights(VOICE, 0.5 * VOICE + noise(0.001)) == MEAN
    assert weights(first + noise(0.001), second + noise(0.001, seed=8)) == MEAN  # in turn
    assert weights(VOICE, other) == MEAN  # at once
    assert weights(noise(0.1), noise(0.1, seed=8)) == MEAN
    assert weights(0 * VOICE, 0 * VOICE) == MEAN
    assert weights(VOICE[:10], -VOICE[:10]) == MEAN  # too short to say


def test_more_than_two_channels():
    silence = 0 * VOICE
    six = [silence, silence, VOICE, silence, silence, noise(0.0001)]
    assert weights(*six) == tuple([1 / 6] * 6)
    assert weights(noise(0.3), noise(0.3, 8), VOICE) == (0, 0, 1)
    assert weights(VOICE, -VOICE, silence, silence) in ((1, 0, 0, 0), (0, 1, 0, 0))


@pytest.mark.parametrize("rate", [1_000, 8_000, 44_100, 192_000])
def test_any_rate(rate):
    wave = tone(100, 2.0, rate)[:, 0]
    assert tuple(mixing_weights(np.stack([wave, -wave], axis=1), rate)) == DIFFERENCE


def blocks(samples: np.ndarray, rate: float = RATE):
    return (
        (rate, samples[start : start + int(rate)]) for start in range(0, len(samples), int(rate))
    )


def test_equal_channels_pass_at_once_and_others_wait_for_ten_seconds():
    equal, drawn = np.repeat(noise(0.1)[:, None], 2, axis=1).astype(np.float32), []

    def watched(samples):
        for block in blocks(np.tile(samples, (6, 1))):
            drawn.append(block)
            yield block

    next(downmix(watched(equal)))
    assert len(drawn) == 1
    drawn.clear()
    next(downmix(watched(equal * np.array([1, 0.5], np.float32))))
    assert len(drawn) == SECTION_S


def test_blocks_keep_their_borders_and_follow_changes():
    chunks = [
        (10.0, np.ones((10, 2), np.float32)),
        (10.0, np.tile(np.float32([1, 0]), (10, 1))),
        (10.0, np.tile(np.float32([3, 0, 0]), (10, 1))),
        (20.0, np.tile(np.float32([2, 0]), (15, 1))),
    ]
    mixed = list(downmix(iter(chunks)))
    assert [(rate, block.tolist()) for rate, block in mixed] == [
        (10.0, [1.0] * 10),
        (10.0, [0.5] * 10),
        (10.0, [1.0] * 10),
        (20.0, [1.0] * 15),
    ]


def test_memory_is_bounded_for_any_rate_and_number_of_channels():
    drawn = []

    def wide():
        for _ in range(20):
            drawn.append(1)
            yield 768_000.0, np.random.default_rng(0).normal(size=(768_000, 8)).astype(np.float32)

    next(downmix(wide()))
    assert len(drawn) == 1


@needs_speech
@pytest.mark.parametrize("name", ["wav_16", "flac"])
def test_real_speech_survives_what_happens_to_channels(name):
    for ((samples, _),) in speakers("de", 3, 1, max_s=6.0):
        voice = samples.astype(np.float32)[:, None] / 32768
        voice *= 0.05 / voice.std()
        n = len(voice)
        shared = 0.02 + 0.1 * np.sin(2 * np.pi * 50 * np.arange(n) / RATE)[:, None]
        loud = np.random.default_rng(0).normal(0, 0.2, (n, 1))
        for left, right in ((voice + shared, shared - voice), (voice, loud), (loud, voice)):
            both = np.concatenate([left, right], axis=1).astype(np.float32)
            waveform, warnings = load_audio(encode(FORMATS[name], both, RATE))
            assert warnings == []
            assert np.corrcoef(waveform, voice[:, 0])[0, 1] > 0.99
