"""Utterances, jobs that give them out, and small datasets as prepare_data.py lays them out."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from datasets import Audio, Dataset

from langid.data.builder import Built, Recipe, build_dataset
from langid.data.disjoint import check_disjoint
from langid.data.splits import SPLITS
from langid.data.store import BUILD_FILE, DATA_FOLDER, dataset_features, shard_paths, to_row
from langid.data.utterance import Job, Reading, ReasonCounts, Utterance
from langid.hub.publish import CARD_FILE

LANGUAGES = ["de", "fr", "it"]


def utterance(speaker: str, language: str, number: int, **known) -> Utterance:
    """One second of noise by ``speaker``, unlike that of any other number."""
    samples = np.random.default_rng(number).integers(-3000, 3000, 16_000, dtype=np.int16)
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="FLAC")
    facts = {
        "source": "voxforge",
        "licence": "GPL-3.0-or-later",
        "archive": f"{language}/16kHz_16bit/{speaker}-2008.tgz",
        "utterance_id": f"{number:04d}",
        "duration_s": 1.0,
    }
    return Utterance(
        audio=file.getvalue(),
        file_name=f"{speaker}-{number}.flac",
        language=language,
        speaker_id=f"voxforge:{speaker}",
        audio_digest=hashlib.blake2b(samples.tobytes(), digest_size=16).hexdigest(),
        **{**facts, **known},
    )


def stand_in(name: str, **facts) -> Utterance:
    """An utterance whose audio is its name; its speaker is what stands before the first "-"."""
    audio = facts.pop("audio", name.encode() * 100)
    return Utterance(
        **{
            "audio": audio,
            "file_name": f"{name}.flac",
            "language": "fr",
            "speaker_id": name.split("-")[0],
            "source": "made_up",
            "duration_s": 2.0,
            "audio_digest": hashlib.md5(audio).hexdigest(),
            **facts,
        }
    )


def job(key: str, split: str, *utterances: Utterance, **excluded: str) -> Job:
    """A job whose result is known: ``read`` gives it out."""
    left_out = ReasonCounts()
    for reason, name in excluded.items():
        left_out.add(reason, name)
    return Job(key, split, 1000, Reading(list(utterances), left_out))


def read(work: Job) -> Reading:
    return work.item


def write_short_card(folder: Path, excluded: ReasonCounts, changes: ReasonCounts) -> None:
    (folder / CARD_FILE).write_text(f"{sum(excluded.counts.values())} left out\n")


def load(folder: Path) -> dict[str, Dataset]:
    """The splits of a dataset, in memory, with the audio as it is stored."""
    splits = {}
    for split in SPLITS:
        if paths := shard_paths(folder, split):
            table = pa.concat_tables([pq.read_table(path) for path in paths])
            splits[split] = Dataset(table).cast_column("audio", Audio(decode=False))
    return splits


def rows_of(folder: Path) -> dict[str, list[dict]]:
    """The splits of a dataset as rows, without the audio."""
    return {split: rows.remove_columns("audio").to_list() for split, rows in load(folder).items()}


def split_of_speakers(folder: Path) -> dict[str, str]:
    """The split of each speaker, each of whom is in one only."""
    check_disjoint(folder)
    return {row["speaker_id"]: split for split, rows in rows_of(folder).items() for row in rows}


def finish(folder: Path) -> Path:
    """Mark a folder as a finished dataset."""
    (folder / BUILD_FILE).write_text('{"settings": {}}\n')
    return folder


def write_shards(
    folder: Path, split: str, shards: list[list[Utterance]], languages: list[str] = LANGUAGES
) -> None:
    """``data/<split>-00000-of-…`` of these utterances, the split's other files gone."""
    data = folder / DATA_FOLDER
    data.mkdir(parents=True, exist_ok=True)
    for old in shard_paths(folder, split):
        old.unlink()
    schema = dataset_features(languages).arrow_schema
    for number, shard in enumerate(shards):
        rows = pa.Table.from_pylist([to_row(item, languages) for item in shard], schema)
        pq.write_table(rows, data / f"{split}-{number:05d}-of-{len(shards):05d}.parquet")


def write_dataset(folder: Path) -> Path:
    """Two languages, three splits, five speakers, six clips; a label that nobody speaks."""
    write_shards(
        folder,
        "train",
        [
            [utterance("anna", "fr", 1, gender="female", transcript="un | deux")],
            [
                utterance("anna", "fr", 2, gender="female", duration_s=3600.0),
                utterance("Bob", "de", 3, gender="male", native_speaker=True),
            ],
        ],
    )
    write_shards(folder, "validation", [[utterance("carl", "de", 4, transcript="drei")]])
    write_shards(folder, "test", [[utterance("dora", "fr", 5), utterance("emil", "de", 6)]])
    return finish(folder)


def build(output, jobs, reading=read, settings=None, **options) -> Built:
    """A dataset of stand-ins; ``reading`` may fail in its own way."""
    recipe = Recipe(jobs, LANGUAGES, settings or {})
    excluded = options.pop("excluded", ReasonCounts())
    return build_dataset(recipe, reading, output, write_short_card, excluded=excluded, **options)


def many_jobs(n: int = 12) -> list[Job]:
    """Jobs of two clips and one clip left out, in three splits."""
    return [
        job(f"job{i}", split, stand_in(f"{split}{i}-a"), stand_in(f"{split}{i}-b"), odd=f"x{i}")
        for i, split in enumerate(["train", "train", "validation", "test"] * (n // 4))
    ]
