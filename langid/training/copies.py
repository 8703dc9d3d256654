"""Copies of clips that went through a room, noise, an overload and a codec, as waveforms.

What `langid.training.augment` does to log-mel while training runs is quick, but a decaying smear is
no room and a cut no codec. A copy takes the time once, before training, and lasts as long as its
clip to the sample, so that all that is known of the clip's frames holds for it as well.
"""

from typing import NamedTuple

import numpy as np

from langid.audio import SAMPLE_RATE, load_audio
from langid.errors import AudioError
from langid.evaluation.degradation import (
    add_coloured_noise,
    decaying_noise,
    encode,
    has_encoder,
    overload,
    through_room,
)

VERSION = 1  # another number makes all copies that were kept out of date
ROOM_PROBABILITY = 0.6
T60_S = (0.15, 1.2)  # drawn evenly in its logarithm
DIRECT_DB = (-6.0, 10.0)  # energy of the direct sound against all reflections
N_EARLY_REFLECTIONS = (4, 20)
EARLY_REFLECTIONS_S = (0.002, 0.05)
EARLY_SHARE = (0.1, 0.7)  # of the energy of all reflections
TAIL_CUTOFF_HZ = (1000.0, 7000.0)  # walls and air swallow what is above
NOISE_PROBABILITY = 0.5
SNR_DB = (3.0, 25.0)
NOISE_SLOPE = (0.0, 2.0)  # power falls with this power of the frequency: white … brown
OVERLOAD_PROBABILITY = 0.1
OVERLOAD_DB = (3.0, 15.0)
CODEC_PROBABILITY = 0.5


class Codec(NamedTuple):
    container: str
    encoder: str  # as FFmpeg names it
    rate_hz: int
    bit_rates: tuple[int, ...]  # bits a second, of which one is drawn


CODECS = (
    Codec("mp3", "libmp3lame", 16_000, (16_000, 24_000, 32_000, 48_000)),
    Codec("ogg", "libopus", 16_000, (8_000, 12_000, 16_000, 24_000)),
    Codec("wav", "pcm_mulaw", 8_000, (64_000,)),
    Codec("amr", "libopencore_amrnb", 8_000, (4_750, 6_700, 7_950, 12_200)),
)


def available_codecs() -> list[Codec]:
    """Those that this installation's FFmpeg has."""
    return [codec for codec in CODECS if has_encoder(codec.encoder)]


def degraded_copy(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Waveform (n,) float32 at 16 kHz → a copy (n,) float32, in the order of the world: room,
    noise, overload, codec, each only sometimes."""
    x = waveform
    for probability, change in (
        (ROOM_PROBABILITY, _in_a_room),
        (NOISE_PROBABILITY, _with_noise),
        (OVERLOAD_PROBABILITY, _overloaded),
        (CODEC_PROBABILITY, _through_a_codec),
    ):
        if generator.random() < probability:
            x = change(x, generator)
    x = x[: len(waveform)].astype(np.float32)
    return np.pad(x, (0, len(waveform) - len(x)))


def room_response(
    t60_s: float,
    direct_db: float,
    early_share: float,
    cutoff_hz: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Impulse response float32 of a random room: the direct sound at its start with energy 1, and
    ``direct_db`` below it single early reflections and a tail of noise that decays by 60 dB in
    ``t60_s`` (Polack 1988), which loses what is above ``cutoff_hz``."""
    tail = decaying_noise(t60_s, max(t60_s, EARLY_REFLECTIONS_S[1]), generator)
    spectrum = np.fft.rfft(tail)
    frequency_hz = np.fft.rfftfreq(len(tail), 1 / SAMPLE_RATE)
    tail = np.fft.irfft(spectrum / np.sqrt(1 + (frequency_hz / cutoff_hz) ** 2), len(tail))
    early = np.zeros_like(tail)
    n = generator.integers(*N_EARLY_REFLECTIONS)
    at_s = generator.uniform(*EARLY_REFLECTIONS_S, size=n)
    at = (at_s * SAMPLE_RATE).astype(int).clip(max=len(early) - 1)
    early[at] = generator.choice([-1, 1], size=n) * 10 ** (-3 * at_s / t60_s)
    energy = 10 ** (-direct_db / 10)
    response = np.sqrt(energy * early_share / np.sum(early**2)) * early
    response += np.sqrt(energy * (1 - early_share) / np.sum(tail**2)) * tail
    response[0] += 1
    return response.astype(np.float32)


def _in_a_room(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    t60_s = float(np.exp(generator.uniform(*np.log(T60_S))))
    draws = [generator.uniform(*bounds) for bounds in (DIRECT_DB, EARLY_SHARE, TAIL_CUTOFF_HZ)]
    return through_room(x, room_response(t60_s, *draws, generator))


def _with_noise(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    slope, snr_db = generator.uniform(*NOISE_SLOPE), generator.uniform(*SNR_DB)
    return add_coloured_noise(x, snr_db, slope, generator)


def _overloaded(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return overload(x, generator.uniform(*OVERLOAD_DB))


def _through_a_codec(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """As the decoder gives it back; unchanged where it finds nothing in so short a clip."""
    codecs = available_codecs()
    codec = codecs[generator.integers(len(codecs))]
    bit_rate = int(generator.choice(codec.bit_rates))
    peak = max(1.0, float(np.abs(x).max(initial=0)))
    file = encode(x / peak, codec.container, codec.encoder, codec.rate_hz, bit_rate)
    try:
        return load_audio(file)[0] * peak
    except AudioError:
        return x
