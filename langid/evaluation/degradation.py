"""Recording conditions: a clean waveform → the bytes of a file that went through one of them.

Everything is deterministic for a given random generator. Levels are relative to the active level,
that of the frames which stand out of the clip's silence (`langid.audio.energy.EnergyMeter`).
"""

import io
from collections.abc import Callable

import av
import numpy as np
import soundfile
import soxr

from langid.audio import SAMPLE_RATE
from langid.audio.energy import EnergyMeter

# Waveform float32 (n,), mono, 16 kHz, and a generator → the bytes of a file.
Condition = Callable[[np.ndarray, np.random.Generator], bytes]


def as_wav(waveform: np.ndarray, in_16_bits: bool = False) -> bytes:
    """A WAV file at 16 kHz: of floats, which may exceed full scale, or of 16 bits."""
    if in_16_bits:  # libsndfile would round down
        waveform = np.round(waveform * 32768).clip(-32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    subtype = "PCM_16" if in_16_bits else "FLOAT"
    soundfile.write(buffer, waveform, SAMPLE_RATE, format="WAV", subtype=subtype)
    return buffer.getvalue()


def encode(waveform: np.ndarray, container: str, codec: str, rate: int, bit_rate: int) -> bytes:
    """The file that FFmpeg's ``codec`` makes of it, mono at ``rate`` Hz and ``bit_rate`` bit/s."""
    buffer = io.BytesIO()
    options = {"fflags": "+bitexact"}  # else Ogg has a random serial number
    with av.open(buffer, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        samples = soxr.resample(waveform, SAMPLE_RATE, rate).astype(np.float32).clip(-1, 1)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = rate
        for packets in (stream.encode(frame), stream.encode(None)):
            output.mux(packets)
    return buffer.getvalue()


def add_coloured_noise(
    waveform: np.ndarray, snr_db: float, slope: float, generator: np.random.Generator
) -> np.ndarray:
    """Noise whose power falls as frequency ** -slope (0 white, 1 pink, 2 brown), ``snr_db`` below
    the active level."""
    spectrum = np.fft.rfft(generator.normal(size=len(waveform)))
    spectrum /= np.arange(len(spectrum)).clip(1) ** (slope / 2)
    noise = np.fft.irfft(spectrum, len(waveform))
    noise *= np.sqrt(_active_power(waveform) * 10 ** (-snr_db / 10) / np.mean(noise**2))
    return (waveform + noise).astype(np.float32)


def reverberate(
    waveform: np.ndarray, t60_s: float, direct_db: float, generator: np.random.Generator
) -> np.ndarray:
    """A room by Polack's model (1988): the direct sound, and ``direct_db`` below its energy a tail
    of noise that decays by 60 dB in ``t60_s``."""
    tail = decaying_noise(t60_s, t60_s, generator)
    response = tail * np.sqrt(10 ** (-direct_db / 10) / np.sum(tail**2))
    response[0] += 1
    return through_room(waveform, response)


def decaying_noise(t60_s: float, duration_s: float, generator: np.random.Generator) -> np.ndarray:
    """White noise (n,) that decays by 60 dB in ``t60_s``: the late reflections of a room."""
    time_s = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    return generator.normal(size=len(time_s)) * 10 ** (-3 * time_s / t60_s)


def through_room(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Convolved with the room's impulse response, as long as before."""
    n = len(waveform) + len(response)
    wet = np.fft.irfft(np.fft.rfft(waveform, n) * np.fft.rfft(response, n), n)
    return wet[: len(waveform)].astype(np.float32)


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Played ``factor`` times as fast, with the pitch."""
    return soxr.resample(waveform, SAMPLE_RATE * factor, SAMPLE_RATE)


def overload(waveform: np.ndarray, over_db: float) -> np.ndarray:
    """Amplified until the peak is ``over_db`` above full scale, and cut off there."""
    peak = np.abs(waveform).max(initial=1e-9)
    return (waveform / peak * 10 ** (over_db / 20)).clip(-1, 1)


def conditions() -> dict[str, Condition]:
    """Name → condition; those whose encoder this installation has."""
    codecs: dict[str, tuple[str, str, int, int]] = {
        "MP3 32 kbit/s": ("mp3", "libmp3lame", 16_000, 32_000),
        "Opus 12 kbit/s": ("ogg", "libopus", 16_000, 12_000),
        "µ-law 8 kHz": ("wav", "pcm_mulaw", 8_000, 64_000),
        "AMR-NB 12.2 kbit/s": ("amr", "libopencore_amrnb", 8_000, 12_200),
    }
    return {
        **{
            name: lambda x, _, encoding=encoding: encode(x, *encoding)
            for name, encoding in codecs.items()
            if has_encoder(encoding[1])
        },
        "noise 20 dB": lambda x, generator: as_wav(add_coloured_noise(x, 20, 1, generator)),
        "noise 10 dB": lambda x, generator: as_wav(add_coloured_noise(x, 10, 1, generator)),
        "noise 5 dB": lambda x, generator: as_wav(add_coloured_noise(x, 5, 1, generator)),
        "small room": lambda x, generator: as_wav(reverberate(x, 0.3, 3, generator)),
        "hall": lambda x, generator: as_wav(reverberate(x, 0.8, -3, generator)),
        "speed +6 %": lambda x, _: as_wav(change_speed(x, 1.06)),
        "speed −6 %": lambda x, _: as_wav(change_speed(x, 0.94)),
        "level −30 dB": lambda x, _: as_wav(x * 10 ** (-30 / 20), in_16_bits=True),
        "clipping by 12 dB": lambda x, _: as_wav(overload(x, 12), in_16_bits=True),
    }


def has_encoder(name: str) -> bool:
    """Whether this installation's FFmpeg has the encoder ``name``."""
    try:
        av.Codec(name, "w")
    except av.FFmpegError:
        return False
    return True


def _active_power(waveform: np.ndarray) -> float:
    meter = EnergyMeter()
    levels_db = meter.add(waveform).astype(float)
    active_db = levels_db[levels_db >= meter.threshold_dbfs()] + 0.5  # they are rounded down
    return float(np.mean(10 ** (active_db / 10)) if len(active_db) else np.mean(waveform**2))
