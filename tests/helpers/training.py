"""A corpus small enough to train on within a test: each language is a melody of its own."""

import csv
import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import soundfile

import prepare_data
from helpers.dataset import finish, utterance, write_shards
from langid.training.batches import Batch
from langid.training.trainer import Trainer

RATE = 16_000
MELODIES_HZ = {"en": (300, 500), "fr": (900, 1400), "nl": (2200, 3000), "noise": ()}
_CARD = """---
license: gpl-3.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: validation
    path: data/validation-*
---
# Melodies
"""


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """What is computed of clips is kept in ``folder``, not in this user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(folder))
        yield


def build_corpus(folder: Path) -> Path:
    """A dataset of prepare_data.py, made of `write_corpus`, within ``folder``."""
    recordings, output = folder / "recordings", folder / "dataset"
    recordings.mkdir()
    write_corpus(recordings)
    assert prepare_data.main(["folder", str(recordings), "--output", str(output)]) == 0
    return output


@contextmanager
def interrupted_at(
    step: int, check: Callable[[Batch], None] = lambda batch: None
) -> Iterator[None]:
    """Ctrl-C after so many steps of training; ``check`` sees every batch."""
    train_step = Trainer.train_step

    def interruptible(self, batch):
        check(batch)
        if self.step == step:
            raise KeyboardInterrupt
        return train_step(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "train_step", interruptible)
        yield


def short_run(dataset: Path, output: Path, *more: str) -> list[str]:
    """Arguments of train.py for four steps in two languages."""
    return [
        *("--data", str(dataset), "--output", str(output), "--languages", "en,fr"),
        *("--steps", "4", "--batch-size", "8", "--validate-every", "2", "--num-proc", "1", *more),
    ]


def write_corpus(
    folder: Path,
    n_speakers: int = 4,
    seconds: float = 2.0,
    languages: Collection[str] = tuple(MELODIES_HZ),
) -> Path:
    """An audiofolder with metadata.csv: two clips a speaker, the last speaker in validation."""
    rows = []
    for language, speaker, take, samples, held in _clips(n_speakers, seconds):
        if language not in languages:
            continue
        name = f"{language}-{speaker}-{take}.flac"
        soundfile.write(folder / name, samples, RATE)
        rows.append(
            {
                "file_name": name,
                "language": language,
                "split": "dev" if held else "train",
                "speaker": f"{language}{speaker}",
                "source": "tones_a" if speaker % 2 else "bells_b",
                "licence": "CC0-1.0",
                "transcript": "hello there my friend" if language == "en" else "",
            }
        )
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return folder


def write_voxforge(
    folder: Path, n_speakers: int = 4, seconds: float = 2.0, source: str = "voxforge"
) -> Path:
    """The same clips as a dataset of VoxForge, as prepare_data.py lays it out: train in 3 files.

    Datasets of two sources are of different people, and their digests say so.
    """
    train, validation = [], []
    for number, (language, speaker, _, samples, held) in enumerate(_clips(n_speakers, seconds)):
        flac = io.BytesIO()
        soundfile.write(flac, samples, RATE, format="FLAC")
        transcript = "hello there my friend" if language == "en" else None
        row = utterance(f"{language}{speaker}", language, number, duration_s=seconds)
        facts = {"audio_digest": f"{source} {number}", "transcript": transcript, "source": source}
        (validation if held else train).append(replace(row, audio=flac.getvalue(), **facts))
    third = -(-len(train) // 3)
    parts = [train[start : start + third] for start in range(0, len(train), third)]
    languages = sorted(MELODIES_HZ)
    write_shards(folder, "train", parts, languages)
    write_shards(folder, "validation", [validation], languages)
    (folder / "README.md").write_text(_CARD)
    return finish(folder)


def melodies(language: str, n_speakers: int, n_clips: int, seconds: float = 2.0) -> list[list]:
    """Of each speaker some takes of the language's melody: int16 (n,)."""
    rng = np.random.default_rng(0)
    return [
        [
            (_clip(MELODIES_HZ[language], seconds, rng) * 32767).astype(np.int16)
            for _ in range(n_clips)
        ]
        for _ in range(n_speakers)
    ]


def _clips(n_speakers: int, seconds: float) -> Iterator[tuple[str, int, int, np.ndarray, bool]]:
    """Language, speaker, take, samples, and whether the speaker is held for validation."""
    rng = np.random.default_rng(0)
    for language, melody in MELODIES_HZ.items():
        for speaker in range(n_speakers):
            held = speaker == n_speakers - 1 and language != "noise"
            for take in range(2):
                yield language, speaker, take, _clip(melody, seconds, rng), held


def _clip(melody: tuple[int, ...], seconds: float, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    sound = 0.02 * rng.standard_normal(len(t))
    for i, hz in enumerate(melody):
        note = np.sin(2 * np.pi * hz * rng.uniform(0.97, 1.03) * t)
        sound += 0.3 * note * ((4 * t).astype(int) % len(melody) == i)
    return sound.astype(np.float32)
