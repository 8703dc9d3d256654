"""Make the example of a recording without speech anew: ``python -m examples.make_rain``."""

from pathlib import Path

import numpy as np
import soundfile

from langid.audio import SAMPLE_RATE

PATH = Path(__file__).parent / "rain.flac"
DURATION_S = 7.0


def rain(duration_s: float, seed: int = 7) -> np.ndarray:
    """Rain without a voice, float32 (n,) at 16 kHz: a soft hiss with drops falling into it."""
    rng = np.random.default_rng(seed)
    n = round(duration_s * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency_hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    hiss = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency_hz, 300)), n)
    hiss *= 0.02 / hiss.std()
    time_s = np.arange(round(0.02 * SAMPLE_RATE)) / SAMPLE_RATE
    for start in rng.integers(0, n - len(time_s), size=round(25 * duration_s)):
        pitch_hz = rng.uniform(1500, 6000)
        drop = np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-time_s / 0.003)
        hiss[start : start + len(time_s)] += rng.uniform(0.01, 0.06) * drop
    return hiss.astype(np.float32)


def main() -> None:
    soundfile.write(PATH, rain(DURATION_S), SAMPLE_RATE, subtype="PCM_16")
    print(f"{PATH.name}: {DURATION_S} s, {PATH.stat().st_size:,d} bytes")


if __name__ == "__main__":
    main()
