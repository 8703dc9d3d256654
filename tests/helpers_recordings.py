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
