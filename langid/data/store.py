"""A dataset of prepare_data.py on disk: its columns, its Parquet files, whether all are there.

The datasets library is imported only where its types are needed: processes that only read rows
start without it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from langid.audio import SAMPLE_RATE
from langid.data.utterance import Utterance
from langid.errors import DataError
from langid.files import put_in_place

if TYPE_CHECKING:
    from datasets import Features

BUILD_FILE = "build.json"  # stands in a finished dataset, and only there
DATA_FOLDER = "data"  # of the Parquet files, beside the card
ALL_SHARDS = f"{DATA_FOLDER}/*.parquet"  # as a pattern of paths below the dataset's folder
REQUIRED_COLUMNS = ("audio", "language", "speaker_id", "source")  # what no dataset can do without

ROW_GROUP_BYTES = 16 * 2**20  # of audio held in memory; what a reader of a few rows must fetch
SHARD_BYTES = 256 * 2**20  # of audio in a file: what an interruption can cost


def dataset_features(languages: list[str]) -> "Features":
    """Columns of a dataset whose ``language`` is one of ``languages``."""
    from datasets import Audio, ClassLabel, Features, Value

    text = Value("string")
    return Features(
        {
            "audio": Audio(sampling_rate=SAMPLE_RATE),
            "language": ClassLabel(names=languages),
            "speaker_id": text,
            "source": text,
            "archive": text,
            "utterance_id": text,
            "transcript": text,
            "transcript_source": text,
            "transcript_confidence": Value("float32"),
            "gender": text,
            "age_range": text,
            "dialect": text,
            "native_speaker": Value("bool"),
            "duration_s": Value("float32"),
            "licence": text,
            "synthetic": Value("bool"),
            "audio_digest": text,
        }
    )


def to_row(utterance: Utterance, languages: list[str]) -> dict:
    """The stored form of an utterance: what ``dataset_features(languages)`` describes."""
    row = asdict(utterance)
    row["audio"] = {"bytes": row["audio"], "path": row.pop("file_name")}
    row["language"] = languages.index(utterance.language)
    return row


def label_names(schema: pa.Schema) -> list[str]:
    """What the numbers in the column ``language`` of a dataset's file stand for."""
    from datasets import Features

    return Features.from_arrow_schema(schema)["language"].names


def shards_of(split: str) -> str:
    """Pattern of the paths of a split's Parquet files, below the dataset's folder."""
    return f"{DATA_FOLDER}/{split}-*.parquet"


def shard_paths(folder: Path, split: str) -> list[Path]:
    """The split's Parquet files, in order."""
    return sorted(folder.glob(shards_of(split)))


def number_shards(folder: Path, splits: Iterable[str]) -> None:
    """``train-00000.parquet`` → ``train-00000-of-00002.parquet``, as the Hub names them."""
    for split in splits:
        paths = shard_paths(folder, split)
        for number, path in enumerate(paths):
            path.rename(path.with_name(f"{split}-{number:05d}-of-{len(paths):05d}.parquet"))


def check_whole(folder: Path, splits: Iterable[str]) -> None:
    """Make sure that a folder holds a finished dataset, no file of these splits missing.

    Raises
    ------
    DataError
        If it does not; a split may be absent altogether.
    """
    if not (folder / BUILD_FILE).is_file():
        raise DataError(
            f"{folder} is no finished dataset, as it has no {BUILD_FILE}: make it with "
            "prepare_data.py, or copy or download it again."
        )
    check_shards(folder, splits)


def check_shards(folder: Path, splits: Iterable[str]) -> None:
    """Make sure that each of these splits has as many files as their names say.

    Raises
    ------
    DataError
        If one has fewer or more: ``train-00000-of-00002.parquet`` alone, for one.
    """
    for split in splits:
        paths = shard_paths(folder, split)
        for path in paths:
            _, _, total = path.stem.partition("-of-")
            if total.isdecimal() and int(total) != len(paths):
                raise DataError(
                    f"{folder} has {len(paths)} of the {int(total)} files of its {split} split: "
                    "copy or download it again."
                )


class ShardWriter:
    """Writes utterances of one split to ``<folder>/<split>-<number>.parquet``, one file at a time.

    A file has its name only when it is whole; the caller says when it may end.
    """

    def __init__(self, folder: Path, split: str, languages: list[str], n_shards: int = 0):
        self.folder, self.split, self.n_shards = folder, split, n_shards
        self._languages = languages
        self._schema = dataset_features(languages).arrow_schema
        self._rows: list[dict] = []
        self._held_bytes = 0
        self._shard_bytes = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:  # left by an exception: the file stays a part
            self._writer.close()

    @property
    def is_full(self) -> bool:
        return self._shard_bytes >= SHARD_BYTES

    def write(self, utterance: Utterance) -> None:
        self._rows.append(to_row(utterance, self._languages))
        self._held_bytes += len(utterance.audio)
        self._shard_bytes += len(utterance.audio)
        if self._held_bytes >= ROW_GROUP_BYTES:
            self._write_row_group()

    def end_shard(self) -> None:
        """Complete the file that is being written, if there is one."""
        self._write_row_group()
        if self._writer is None:
            return
        self._writer.close()
        self._writer = None
        put_in_place(self._part, self.folder / f"{self.split}-{self.n_shards:05d}.parquet")
        self.n_shards += 1
        self._shard_bytes = 0

    @property
    def _part(self) -> Path:
        return self.folder / f"{self.split}.part"

    def _write_row_group(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._part,
                self._schema,
                compression="NONE",  # the audio is compressed already, the rest is little
                use_dictionary=[name for name in self._schema.names if name != "audio"],
                # As the datasets library writes them: the Hub's viewer fetches single rows, and
                # its storage keeps what two versions share once.
                write_page_index=True,
                use_content_defined_chunking=True,
            )
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows, self._held_bytes = [], 0


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file to read from.

    Raises
    ------
    DataError
        If it is damaged, whenever that turns out.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except pa.ArrowException as error:
        raise DataError(f"{path} is damaged: copy, download or make it again.") from error


def read_columns(
    folder: Path, split: str, columns: list[str], optional: tuple[str, ...] = ()
) -> Iterator[tuple]:
    """Rows of some columns of a split, the languages as text; the audio is not touched.

    An ``optional`` column that a file lacks is None in all its rows.

    Raises
    ------
    DataError
        If a file is damaged.
    KeyError
        If it lacks a column.
    """
    for path in shard_paths(folder, split):
        with opened(path) as file:
            lacking = set(optional).difference(file.schema_arrow.names)
            present = [name for name in columns if name not in lacking]
            labels = label_names(file.schema_arrow) if "language" in present else []
            for batch in file.iter_batches(columns=present):
                held = {name: batch.column(name).to_pylist() for name in present}
                if labels:
                    held["language"] = [labels[index] for index in held["language"]]
                absent = [None] * len(batch)
                yield from zip(*(held.get(name, absent) for name in columns), strict=True)
