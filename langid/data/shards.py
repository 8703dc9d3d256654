"""Rows → Parquet files of limited size, holding one row group in memory; and reading them back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from langid.data.layout import shard_paths
from langid.data.schema import dataset_features, label_names, to_row
from langid.data.utterance import Utterance

ROW_GROUP_BYTES = 16 * 2**20  # of audio held in memory; what a reader of a few rows must fetch
SHARD_BYTES = 256 * 2**20  # of audio in a file: what an interruption can cost


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
        part = self._part
        with part.open("rb") as file:
            os.fsync(file.fileno())  # the journal will say that it is there
        part.rename(self.folder / f"{self.split}-{self.n_shards:05d}.parquet")
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


def read_columns(folder: Path, split: str, columns: list[str]) -> Iterator[tuple]:
    """Rows of some columns of a split, the languages as text; the audio is not touched."""
    for path in shard_paths(folder, split):
        with pq.ParquetFile(path) as file:
            labels = label_names(file.schema_arrow)
            for batch in file.iter_batches(columns=columns):
                held = {name: batch.column(name).to_pylist() for name in columns}
                if "language" in held:
                    held["language"] = [labels[index] for index in held["language"]]
                yield from zip(*(held[name] for name in columns), strict=True)
