"""What the files of a dataset hold, counted from their small columns; no audio is read."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from langid.data.licences import UNSTATED
from langid.data.splits import SPLITS
from langid.data.store import read_columns, shard_paths
from langid.errors import DataError

UNKNOWN = "unknown"


class Group(NamedTuple):
    """What clips are counted by."""

    split: str
    language: str
    gender: str  # "unknown" where none is stored
    source: str
    licence: str  # "unstated" where none is stored
    synthetic: bool


@dataclass
class Amount:
    """Clips, their seconds and speakers, how many have a transcript, and from which model."""

    n_clips: int = 0
    duration_s: float = 0.0
    speakers: set[str] = field(default_factory=set)
    n_transcripts: int = 0
    n_by_model: Counter[str] = field(default_factory=Counter)  # of the transcripts

    def include(self, other: "Amount") -> None:
        self.n_clips += other.n_clips
        self.duration_s += other.duration_s
        self.speakers |= other.speakers
        self.n_transcripts += other.n_transcripts
        self.n_by_model.update(other.n_by_model)


@dataclass(frozen=True)
class Counts:
    """A dataset in figures; ``total`` sums up whatever is asked for."""

    groups: dict[Group, Amount]
    features: Features
    n_bytes: dict[str, int]  # of each split's columns, uncompressed
    n_file_bytes: int

    def total(self, **wanted: str | bool) -> Amount:
        """All clips whose group has these values: ``total(split="test", language="fr")``."""
        amount = Amount()
        for group, part in self.groups.items():
            if all(getattr(group, field) == value for field, value in wanted.items()):
                amount.include(part)
        return amount

    def values(self, *fields: str) -> list:
        """Values that occur of one field, or tuples of several: the most hours first."""
        hours = defaultdict(float)
        for group, part in self.groups.items():
            values = tuple(getattr(group, field) for field in fields)
            hours[values if len(fields) > 1 else values[0]] += part.duration_s
        return sorted(hours, key=lambda values: (-hours[values], values))

    @property
    def splits(self) -> list[str]:
        return [split for split in SPLITS if split in self.n_bytes]

    @property
    def languages(self) -> list[str]:
        """Those that occur, in the order of the labels."""
        present = set(self.values("language"))
        return [name for name in self.features["language"].names if name in present]

    def as_text(self) -> str:
        """A row for each language, of each split its clips, speakers and hours; totals below."""
        width = max(map(len, [*self.languages, "language"]))
        lines = [
            " " * width + "".join(f"  {split:^24}" for split in self.splits),
            f"{'language':{width}}" + f"  {'clips':>8}{'speakers':>10}{'h':>6}" * len(self.splits),
        ]
        for language in [*sorted(self.languages), None]:
            wanted = {"language": language} if language else {}
            line = f"{language or 'all':{width}}"
            for split in self.splits:
                part = self.total(split=split, **wanted)
                hours = part.duration_s / 3600
                line += f"  {part.n_clips:>8,}{len(part.speakers):>10,}{hours:>6.2f}"
            lines.append(line)
        return "\n".join(line.rstrip() for line in lines)


def count_dataset(folder: Path) -> Counts:
    """Count the Parquet files of a dataset's folder.

    Raises
    ------
    DataError
        If there are none, or one is damaged or lacks a column.
    """
    paths = {split: shard_paths(folder, split) for split in SPLITS}
    paths = {split: found for split, found in paths.items() if found}
    if not paths:
        raise DataError(f"{folder} holds no dataset: make one with prepare_data.py.")
    groups: dict[Group, Amount] = defaultdict(Amount)
    try:
        for split in paths:
            _count_split(folder, split, groups)
        features = Features.from_arrow_schema(pq.read_schema(next(iter(paths.values()))[0]))
        n_bytes = {split: sum(map(_n_bytes, found)) for split, found in paths.items()}
    except (pa.ArrowException, KeyError) as error:
        raise DataError(
            f"The dataset in {folder} is damaged ({error}): make it again with prepare_data.py "
            "--overwrite."
        ) from error
    n_file_bytes = sum(path.stat().st_size for found in paths.values() for path in found)
    return Counts(dict(groups), features, n_bytes, n_file_bytes)


def _count_split(folder: Path, split: str, groups: dict[Group, Amount]) -> None:
    columns = [
        *("language", "gender", "source", "licence", "synthetic"),
        *("speaker_id", "duration_s", "transcript", "transcript_source"),
    ]
    # Datasets of earlier versions lack the last one.
    for row in read_columns(folder, split, columns, optional=("transcript_source",)):
        language, gender, source, licence, synthetic, speaker_id, duration_s, *spoken = row
        transcript, model = spoken
        amount = groups[
            Group(split, language, gender or UNKNOWN, source, licence or UNSTATED, bool(synthetic))
        ]
        by_model = Counter([model] if transcript and model else ())
        amount.include(Amount(1, duration_s, {speaker_id}, int(bool(transcript)), by_model))


def _n_bytes(path: Path) -> int:
    metadata = pq.read_metadata(path)
    return sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
