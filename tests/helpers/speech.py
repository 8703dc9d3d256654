"""Real speech, where there is any: LANGID_SPEECH names an audiofolder with metadata.csv."""

import csv
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from langid.audio import SAMPLE_RATE, load_audio

SPEECH = Path(os.environ.get("LANGID_SPEECH") or Path(__file__).parents[3] / "shared" / "speech")
HAS_SPEECH = (SPEECH / "metadata.csv").is_file()
needs_speech = pytest.mark.skipif(
    not HAS_SPEECH,
    reason="no real speech here: LANGID_SPEECH names an audiofolder with metadata.csv",
)


def speech_rows(split: str) -> list[dict[str, str]]:
    """Rows of metadata.csv."""
    with (SPEECH / "metadata.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def speakers(language: str, n_speakers: int, n_clips: int, max_s: float) -> list[list[tuple]]:
    """Of each speaker ``n_clips`` pairs of waveform, int16 (n,), and transcript: not synthetic."""
    by_speaker = defaultdict(list)
    for row in speech_rows("train"):
        if row["language"] == language and row["synthetic"] != "1":
            by_speaker[row["speaker"]].append(row)
    chosen = [rows[:n_clips] for rows in by_speaker.values() if len(rows) >= n_clips][:n_speakers]
    return [[(_waveform(row, max_s), row["transcript"]) for row in rows] for rows in chosen]


def _waveform(row: dict[str, str], max_s: float) -> np.ndarray:
    samples, _ = load_audio(SPEECH / row["file_name"])
    return (samples[: round(max_s * SAMPLE_RATE)] * 32767).clip(-32768, 32767).astype(np.int16)
