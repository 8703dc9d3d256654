"""Several datasets → one: sources apart by name, every speaker in one split, each audio once."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
from huggingface_hub import snapshot_download

from langid.data.clips import ClipLimits, UnusableClip, encode_clip
from langid.data.disjoint import SplitCheck
from langid.data.splits import SPLITS
from langid.data.store import (
    ALL_SHARDS,
    REQUIRED_COLUMNS,
    check_shards,
    check_whole,
    label_names,
    opened,
    shard_paths,
    shards_of,
)
from langid.data.utterance import Job, Reading, Utterance, qualified_speaker
from langid.errors import DataError
from langid.hub import HUB_ERRORS, hub_reason


def find_dataset(name: str) -> Path:
    """The folder of a dataset: itself, or a copy of the Hub's dataset ``USER/NAME``.

    Raises
    ------
    DataError
        If it is neither, not whole, or not in Parquet files of this project's layout.
    """
    folder = Path(name)
    if not folder.is_dir():
        try:
            folder = Path(snapshot_download(name, repo_type="dataset", allow_patterns=ALL_SHARDS))
        except HUB_ERRORS as error:
            raise DataError(
                f"{name} is neither a folder nor a dataset that the Hub gives out "
                f"({hub_reason(error)}): give folders made by prepare_data.py, or USER/NAME."
            ) from error
        check_shards(folder, SPLITS)  # it may have been made by other means, without build.json
    else:
        check_whole(folder, SPLITS)
    if not any(shard_paths(folder, split) for split in SPLITS):
        raise DataError(f"{name} has no {shards_of(SPLITS[0])}: prepare it again.")
    return folder


def merge_jobs(datasets: dict[str, Path]) -> tuple[list[Job], list[str]]:
    """Jobs that read all rows of the datasets (name → folder), and the languages in them.

    Raises
    ------
    DataError
        If a column is missing, or a speaker stands in two splits.
    """
    jobs, languages = [], set()
    check = SplitCheck()
    for name, folder in datasets.items():
        for split in SPLITS:
            for path in shard_paths(folder, split):
                with opened(path) as file:
                    _check_columns(file.schema_arrow, path)
                    labels = tuple(label_names(file.schema_arrow))
                    languages.update(labels)
                    stat = path.stat()
                    for index in range(file.num_row_groups):
                        jobs.append(
                            Job(
                                key=f"{name}/{path.name}/{index}",
                                split=split,
                                n_bytes=file.metadata.row_group(index).total_byte_size,
                                item=RowGroup(path, index, labels),
                                stamp=f"{stat.st_size} {stat.st_mtime_ns}",
                            )
                        )
        check.add_folder(name, folder, with_audio=False)  # of equal ones, the merge keeps one
    check.finish()
    return jobs, sorted(languages)


def _check_columns(schema: pa.Schema, path: Path) -> None:
    if missing := [name for name in REQUIRED_COLUMNS if name not in schema.names]:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}: prepare it again.")
    if not pa.types.is_integer(schema.field("language").type):
        raise DataError(f"The languages in {path} are no class labels: prepare it again.")


@dataclass(frozen=True)
class RowGroup:
    """A part of one Parquet file, small enough to be held in memory."""

    path: Path
    index: int
    languages: tuple[str, ...]  # what the numbers in the column stand for
    first_row: int = 0
    n_rows: int | None = None  # None: all from the first on


def read_row_group(job: Job) -> Reading:
    """The rows as utterances; what a dataset does not say of them stays unknown."""
    part: RowGroup = job.item
    reading = Reading()
    with opened(part.path) as file:
        table = file.read_row_group(part.index)
    rows = table.slice(part.first_row, part.n_rows).to_pylist()
    known = {field.name for field in fields(Utterance)}
    for number, row in enumerate(rows):
        audio = row.pop("audio") or {}
        if lacking := _lacking(row, audio, part.languages):
            reading.excluded.add(f"row without {lacking}", f"{job.key}, row {number}")
            continue
        row["language"] = part.languages[row["language"]]
        row["speaker_id"] = qualified_speaker(row["speaker_id"], row["source"])
        audio["path"] = audio.get("path") or f"{job.key}-{number:04d}"
        if not row.get("audio_digest") or not row.get("duration_s"):
            try:
                pieces, _ = encode_clip(audio["bytes"], ClipLimits(max_duration_s=math.inf))
            except UnusableClip as reason:
                reading.excluded.add(str(reason), audio["path"])
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
