"""Datasets as training takes them: where their rows come from, and which rows validate.

A dataset is a folder written by ``prepare_data.py`` or a repository on the Hub. The ``datasets``
library reads the rows; the audio stays encoded, because its decoder needs torchcodec and a system
FFmpeg.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import (
    Audio,
    Dataset,
    DatasetDict,
    Features,
    IterableDataset,
    Value,
    concatenate_datasets,
    load_dataset,
)
from datasets.exceptions import DatasetGenerationError, DatasetsError
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from langid.data.disjoint import SplitCheck
from langid.data.store import REQUIRED_COLUMNS, check_whole, shard_paths
from langid.data.utterance import qualified_speaker
from langid.errors import DataError
from langid.hub import HUB_ERRORS, HUB_TIMEOUT_S, hub_reason
from langid.languages import NONE, OTHER, class_of

# What stands in a column where a dataset has none.
_OPTIONAL_COLUMNS = {"synthetic": False, "duration_s": None, "transcript": None, "licence": None}
ROW_FEATURES = Features(
    {
        # Not an Audio feature: writing one needs torchcodec.
        "audio": {"bytes": Value("binary"), "path": Value("string")},
        "language": Value("string"),
        "speaker_id": Value("string"),
        "source": Value("string"),
        "synthetic": Value("bool"),
        "duration_s": Value("float32"),
        "transcript": Value("string"),
        "licence": Value("string"),
    }
)
TRAINING_SPLITS = ("train", "validation")
TEACHES_LANGUAGE = "teaches_language"  # a column of bool, where there are rows that do not
UNNAMED = "unnamed"  # a source, and the beginning of a speaker, that a dataset does not tell
HELD_BACK_SHARE = 0.1  # of the speakers of a class that validation lacks


@dataclass(frozen=True)
class DatasetSplit:
    """One split of one dataset; its rows are read in order, one part (mostly a file) at a time."""

    dataset: str  # as the user named it
    stream: IterableDataset  # of the dataset's columns, the audio undecoded
    part_keys: tuple[tuple, ...]  # of each part; equal only for equal rows
    n_rows: int | None  # where that is known beforehand

    @property
    def language_names(self) -> list[str] | None:
        """All that ``language`` may be; None where it is free text."""
        return getattr(self.stream.features["language"], "names", None)

    def rows(self, part: int) -> Iterator[dict]:
        """Rows with the columns of ``ROW_FEATURES``: languages as text, what is missing filled.

        A row that names no speaker is of one of its own, called by its audio.
        """
        names = self.language_names
        for row in self.stream.shard(len(self.part_keys), part):
            if row["audio"] is None or row["audio"]["bytes"] is None:
                raise DataError(
                    f"{self.dataset} names audio files instead of holding them: make a dataset of "
                    "them with prepare_data.py."
                )
            language = row["language"]
            if names is not None:
                # Unlabelled rows are null or -1.
                language = names[language] if language is not None and language >= 0 else None
            known = {c: row[c] for c in ROW_FEATURES if c in row}
            if row["speaker_id"] in (None, ""):
                known["speaker_id"] = f"{UNNAMED} {sha256(row['audio']['bytes']).hexdigest()}"
            if row["source"]:
                known["speaker_id"] = qualified_speaker(known["speaker_id"], row["source"])
            known["source"] = row["source"] or UNNAMED
            yield _OPTIONAL_COLUMNS | known | {"language": language}


def load_splits(name: str, streaming: bool = False) -> dict[str, DatasetSplit]:
    """``train`` and, if there is one, ``validation`` of a dataset folder or a Hub repository.

    Nothing is read yet but what the dataset says of itself. ``streaming`` leaves the files of a
    repository on the Hub, to be read from there; otherwise they are downloaded now.

    Raises
    ------
    DataError
        If there is no such dataset, it is not whole, or it lacks a split or a column.
    """
    splits = _of_folder(Path(name)) if Path(name).is_dir() else _of_hub(name, streaming)
    if "train" not in splits:
        raise DataError(f"{name} has no train split: make it with prepare_data.py.")
    for split in splits.values():
        if missing := sorted(set(REQUIRED_COLUMNS) - set(split.stream.features)):
            raise DataError(f"{name} lacks the columns {', '.join(missing)}.")
    return splits


def check_folders(names: Sequence[str], trunk_names: Sequence[str] = ()) -> None:
    """Make sure that no speaker and no audio stands in two splits of the datasets on this disk.

    Of ``trunk_names`` only the train split counts, as no other is used.

    Raises
    ------
    DataError
        That says how many do, and how to join the datasets instead.
    """
    check = SplitCheck()
    for name in names:
        if Path(name).is_dir():
            check.add_folder(name, Path(name))
    for name in trunk_names:
        if Path(name).is_dir():
            check.add_folder(name, Path(name), splits=("train",))
    check.finish()


def check_speakers(train: Dataset, validation: Dataset) -> None:
    """The same for speakers, wherever the datasets are, once the rows are there."""
    check = SplitCheck()
    for split, rows in (("train", train), ("validation", validation)):
        check.add("the data", split, "speakers", rows.unique("speaker_id"))
    check.finish()


def teaches_language(rows: Dataset) -> np.ndarray:
    """(n_rows,) bool: False for rows that teach only what a teacher hears in them, as all do whose
    language is not known."""
    known = np.array([name is not None for name in rows["language"][:]], dtype=bool)
    if TEACHES_LANGUAGE in rows.column_names:
        known &= np.array(rows[TEACHES_LANGUAGE][:], dtype=bool)
    return known


def taught_classes(rows: Dataset, languages: Sequence[str]) -> np.ndarray:
    """The class that each row teaches (`class_of`), (n_rows,) str; "" for rows that teach none."""
    known = zip(rows["language"][:], teaches_language(rows), strict=True)
    return np.array([class_of(name, languages) if teaches else "" for name, teaches in known])


def hold_back(
    train: Dataset, validation: Dataset, languages: tuple[str, ...], seed: int
) -> DatasetDict:
    """Lend validation a tenth of the speakers of every class that it lacks.

    Rows that teach no language are not lent. What those speakers say elsewhere is trained on no
    more.
    """
    labels = (*languages, OTHER, NONE)
    classes = taught_classes(train, languages)
    validated = {class_of(x, languages) for x in validation.unique("language")}
    speakers = np.array(train["speaker_id"][:])
    rng = np.random.default_rng(seed)
    lent, gone = np.zeros((2, len(train)), dtype=bool)
    for label in (label for label in labels if label not in validated):
        own = sorted(set(speakers[classes == label].tolist()))
        n_lent = max(1, round(HELD_BACK_SHARE * len(own)))
        if len(own) > n_lent:
            by_lent = np.isin(speakers, rng.choice(own, n_lent, replace=False))
            lent |= by_lent & (classes == label)
            gone |= by_lent  # of other classes, and of none: nobody speaks in both
    if lent.any():
        own = train.select(np.flatnonzero(lent)).select_columns(validation.column_names)
        validation = concatenate_datasets([validation, own])
        train = train.select(np.flatnonzero(~gone))
    return DatasetDict(train=train, validation=validation)


def _of_folder(folder: Path) -> dict[str, DatasetSplit]:
    """Read in place: a stream makes no copy of the files, as a loaded dataset would."""
    try:
        check_whole(folder, TRAINING_SPLITS)
    except DataError as error:
        raise DataError(str(error)) from error
    files = {split: paths for split in TRAINING_SPLITS if (paths := shard_paths(folder, split))}
    if not files:
        return {}
    n_rows = {split: sum(map(_n_rows, paths)) for split, paths in files.items()}
    names = {split: [str(path) for path in paths] for split, paths in files.items()}
    streams = load_dataset("parquet", data_files=names, streaming=True)
    keys = {split: [_file_key(path) for path in paths] for split, paths in files.items()}
    return {
        split: _dataset_split(str(folder), stream, keys[split], n_rows[split])
        for split, stream in streams.items()
    }


def _n_rows(path: Path) -> int:
    try:
        return pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} is no whole Parquet file: make the dataset again, or copy it again."
        ) from error


def _file_key(path: Path) -> tuple:
    facts = path.stat()
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns


def _of_hub(name: str, streaming: bool) -> dict[str, DatasetSplit]:
    try:
        # Asked for once beforehand: the library alone goes on trying for minutes.
        commit = HfApi().dataset_info(name, timeout=HUB_TIMEOUT_S).sha
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise DataError(
            f"{name} is neither a dataset folder nor a dataset on the Hub that can be seen from "
            "here: make one with prepare_data.py, or log in with 'hf auth login'."
        ) from error
    except OfflineModeIsEnabled as error:
        if streaming:
            raise DataError(
                f"{name} cannot be streamed while HF_HUB_OFFLINE is set: leave out --streaming "
                "to use what was downloaded before."
            ) from error
        commit = None
    except HUB_ERRORS as error:
        raise DataError(
            f"There is no folder {name}, and the Hub cannot be asked for a dataset of that name "
            f"({hub_reason(error)}): check the connection, or set HF_HUB_OFFLINE=1 to use what "
            "was downloaded before."
        ) from error
    try:
        splits = load_dataset(name, revision=commit, streaming=streaming, keep_in_memory=False)
    except (*HUB_ERRORS, DatasetsError) as error:
        cause = error.__cause__ if isinstance(error, DatasetGenerationError) else None
        raise DataError(
            f"The dataset {name} cannot be loaded from the Hub ({hub_reason(cause or error)})."
        ) from error
    if not streaming:
        return _of_downloads(name, splits)
    found = {}
    for split in TRAINING_SPLITS:
        if (stream := splits.get(split)) is None:
            continue
        if stream.features is None:
            raise DataError(f"{name} does not say what columns it has: leave out --streaming.")
        n_parts = stream.num_shards
        keys = [(name, commit, split, n_parts, part) for part in range(n_parts)]
        known = (stream.info.splits or {}).get(split)
        found[split] = _dataset_split(name, stream, keys, known.num_examples if known else None)
    return found


def _of_downloads(name: str, splits: DatasetDict) -> dict[str, DatasetSplit]:
    """Splits of a Hub dataset that the library keeps in its cache, as memory-mapped Arrow files."""
    found = {}
    for split in TRAINING_SPLITS:
        if (dataset := splits.get(split)) is None:
            continue
        files = [_file_key(Path(file["filename"])) for file in dataset.cache_files]
        n_parts = max(1, min(len(files), len(dataset)))
        keys = [(*files, n_parts, part) for part in range(n_parts)]
        stream = dataset.to_iterable_dataset(num_shards=n_parts)
        found[split] = _dataset_split(name, stream, keys, len(dataset))
    return found


def _dataset_split(
    name: str, stream: IterableDataset, keys: list[tuple], n_rows: int | None
) -> DatasetSplit:
    if "audio" in stream.features:
        stream = stream.cast_column("audio", Audio(decode=False))
    return DatasetSplit(name, stream, tuple(keys), n_rows)
