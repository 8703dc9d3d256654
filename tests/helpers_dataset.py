"""A small dataset as prepare_data.py lays it out, without its builder."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from langid.schema import dataset_features, to_row
from langid.utterance import Utterance

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


def write_shards(
    folder: Path, split: str, shards: list[list[Utterance]], languages: list[str] = LANGUAGES
) -> None:
    """``data/<split>-00000-of-…`` of these utterances, the split's other files gone."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for old in data.glob(f"{split}-*"):
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
    (folder / "build.json").write_text('{"settings": {}}\n')
    return folder
