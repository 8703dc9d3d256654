"""Rows of Parquet files → utterances. Runs in the processes that merge datasets."""

from langid.errors import DataError
import math
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from langid.data.clips import ClipLimits, UnusableClip, encode_clip
from langid.data.utterance import Job, Reading, Utterance


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
    try:
        with pq.ParquetFile(part.path) as file:
            rows = file.read_row_group(part.index).to_pylist()
    except pa.ArrowException as error:
        raise DataError(f"{part.path} is damaged: copy, download or make it again.") from error
    known = {field.name for field in fields(Utterance)}
    for number, row in enumerate(rows):
        audio = row.pop("audio") or {}
        if lacking := _lacking(row, audio, part.languages):
            reading.drops.add(f"row without {lacking}", f"{job.key}, row {number}")
            continue
        row["language"] = part.languages[row["language"]]
        row["speaker_id"] = qualified_speaker(row["speaker_id"], row["source"])
        audio["path"] = audio.get("path") or f"{job.key}-{number:04d}"
        if not row.get("audio_digest") or not row.get("duration_s"):
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


def _lacking(row: dict, audio: dict, languages: tuple[str, ...]) -> str | None:
    """What a row needs and does not have."""
    if not audio.get("bytes"):
        return "stored audio"
    if row["language"] is None or not 0 <= row["language"] < len(languages):
        return "language"
    return next((name for name in ("speaker_id", "source") if row[name] in (None, "")), None)


def qualified_speaker(speaker_id: str | int, source: str) -> str:
    """Speakers of two sources are two people, even if both are called "anna"."""
    name = str(speaker_id)
    return name if name.startswith(f"{source}:") else f"{source}:{name}"
