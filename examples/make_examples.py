"""Make the example clips anew: ``python -m examples.make_examples`` (needs espeak-ng).

The sentences are the project's own, the voices are espeak-ng's, the rain is arithmetic: the clips
carry nobody's rights. Synthetic speech shows how the screen works; it is no test of the model.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from langid.audio import SAMPLE_RATE, load_audio

FOLDER = Path(__file__).parent

# File name → espeak-ng voice, words a minute, sentences.
CLIPS = {
    "english": (
        "en-gb+f2",
        165,
        "On Sunday mornings my grandfather opens the window and listens to the church bells. "
        "Then he puts the kettle on and writes one long letter to his sister.",
    ),
    "french": (
        "fr-fr+f3",
        150,
        "Le dimanche matin, ma voisine ouvre ses volets et parle aux oiseaux du jardin. "
        "Ensuite elle descend acheter du pain chaud et un journal.",
    ),
    "german": (
        "de+m3",
        150,
        "Am Sonntagmorgen geht mein Bruder mit dem Hund durch den stillen Wald. "
        "Danach kocht er Kaffee und liest uns laut aus der Zeitung vor.",
    ),
    "spanish": (
        "es+m1",
        160,
        "Los domingos por la mañana mi tía riega las plantas del balcón y canta en voz baja. "
        "Luego baja a la plaza para desayunar con sus amigas.",
    ),
    "italian": (
        "it+f2",
        160,
        "La domenica mattina mio zio apre la finestra e guarda le barche nel porto. "
        "Poi prepara il caffè e chiama i nipoti per la colazione.",
    ),
    "dutch": (
        "nl+m3",
        150,
        "Op zondagmorgen fietst mijn buurvrouw langs het kanaal naar de markt. "
        "Daarna drinkt ze koffie met haar moeder en leest ze de krant.",
    ),
}
RAIN_DURATION_S = 7.0


def speak(voice: str, words_per_minute: int, text: str) -> np.ndarray:
    """Synthetic speech, float32 (n,) at 16 kHz with a peak of 0.7."""
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "speech.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", str(path), text]
        subprocess.run(command, check=True)
        waveform, _ = load_audio(path)
    return 0.7 * waveform / np.abs(waveform).max()


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
    clips = {name: speak(*clip) for name, clip in CLIPS.items()} | {"rain": rain(RAIN_DURATION_S)}
    for name, waveform in clips.items():
        path = FOLDER / f"{name}.flac"
        soundfile.write(path, waveform, SAMPLE_RATE, subtype="PCM_16")
        print(
            f"{path.name:14} {len(waveform) / SAMPLE_RATE:5.1f} s {path.stat().st_size:7,d} bytes"
        )


if __name__ == "__main__":
    main()
