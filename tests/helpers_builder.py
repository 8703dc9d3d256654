"""Jobs and utterances of made-up audio for the tests of building datasets."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Audio, Dataset

from langid.drops import Drops
from langid.processes import Job
from langid.shards import shard_paths
from langid.splits import SPLITS
from langid.utterance import Reading, Utterance

LANGUAGES = ["de", "fr"]


def utterance(name: str, **facts) -> Utterance:
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


def job(key: str, split: str, *utterances: Utterance, **drops: str) -> Job:
    """A job whose result is known: ``read`` gives it out."""
    left_out = Drops()
    for reason, name in drops.items():
        left_out.add(reason, name)
    return Job(key, split, 1000, Reading(list(utterances), left_out))


def read(work: Job) -> Reading:
    return work.item


def write_card(folder: Path, drops: Drops, changes: Drops) -> None:
    (folder / "README.md").write_text(f"{sum(drops.counts.values())} left out\n")


def load(folder: Path) -> dict[str, Dataset]:
    """The splits of a dataset, in memory, with the audio as it is stored."""
    splits = {}
    for split in SPLITS:
        if paths := shard_paths(folder, split):
            table = pa.concat_tables([pq.read_table(path) for path in paths])
            splits[split] = Dataset(table).cast_column("audio", Audio(decode=False))
    return splits
