"""Rows of Parquet files → utterances. Runs in the processes that merge datasets."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow.parquet as pq

from langid.clips import ClipLimits, UnusableClip, encode_clip
from langid.utterance import Job, Reading, Utterance


@dataclass(frozen=True)
class RowGroup:
    """A part of one Parquet file, small enough to be held in memory."""

    path: Path
    index: int
    languages: tuple[str, ...]  # what the numbers in the column stand for


def read_row_group(job: Job) -> Reading:
    """The rows as utterances; what a dataset does not say of them stays unknown."""
    part: RowGroup = job.item
    reading = Reading()
    with pq.ParquetFile(part.path) as file:
        rows = file.read_row_group(part.index).to_pylist()
    known = {field.name for field in fields(Utterance)}
    for row in rows:
        audio = row.pop("audio")
        row["language"] = part.languages[row["language"]]
        row["speaker_id"] = qualified_speaker(row["speaker_id"], row["source"])
        if not row.get("audio_digest"):
            try:
                pieces, _ = encode_clip(audio["bytes"], ClipLimits(max_duration_s=math.inf))
            except UnusableClip as reason:
                reading.drops.add(str(reason), audio["path"])
                continue
            row |= {"audio_digest": pieces[0].digest, "duration_s": pieces[0].duration_s}
        values = {key: value for key, value in row.items() if key in known}
        reading.utterances.append(
            Utterance(audio=audio["bytes"], file_name=audio["path"], **values)
        )
    return reading


def qualified_speaker(speaker_id: str, source: str) -> str:
    """Speakers of two sources are two people, even if both are called "anna"."""
    return speaker_id if speaker_id.startswith(f"{source}:") else f"{source}:{speaker_id}"
