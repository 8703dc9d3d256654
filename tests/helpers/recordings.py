"""Small folders of made-up recordings for the tests of data preparation."""

import csv
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16_000


def waveform(seed: int, duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Noise, different for each seed: (samples,), 16 bit at half of full scale."""
    generator = np.random.default_rng(seed)
    return generator.integers(-(2**14), 2**14, round(duration_s * sample_rate), dtype=np.int16)


def record(path: Path, seed: int, duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> Path:
    """Write one recording in the format that the file's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    formats = {".opus": {"format": "OGG", "subtype": "OPUS"}}
    soundfile.write(
        path,
        waveform(seed, duration_s, sample_rate),
        sample_rate,
        **formats.get(path.suffix, {}),
    )
    return path


def write_metadata(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Write ``metadata.csv`` with every column that occurs in a row."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "metadata.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def audiofolder(folder: Path) -> Path:
    """Two languages in two splits, with a clip for most reasons to be left out."""
    rows = []

    def add(name, language, split, speaker, **more):
        rows.append(
            {"file_name": name, "language": language, "split": split, "speaker": speaker, **more}
        )

    record(folder / "a.opus", seed=1, duration_s=2)
    add("a.opus", "fr", "train", "anna", licence="CC0-1.0", transcript="Bonjour.")
    record(folder / "b.wav", seed=2, duration_s=1.5, sample_rate=44100)
    add("b.wav", "de", "train", "bert", synthetic="1")
    record(folder / "c.flac", seed=3)
    add("c.flac", "fr", "dev", "carl", source="radio")
    record(folder / "c-again.wav", seed=3)
    add("c-again.wav", "fr", "train", "anna")
    record(folder / "a-other.flac", seed=4)
    add("a-other.flac", "fr", "train", "anna")
    record(folder / "z-same.wav", seed=4)
    add("z-same.wav", "fr", "train", "anna")
    record(folder / "z-torn.wav", seed=4)
    add("z-torn.wav", "de", "train", "bert")
    record(folder / "short.wav", seed=5, duration_s=0.4)
    add("short.wav", "it", "train", "ida")
    (folder / "text.mp3").write_text("not audio")
    add("text.mp3", "fr", "train", "anna")
    add("gone.wav", "fr", "train", "anna")
    write_metadata(folder, rows)
    return folder
