"""Hugging Face datasets as training takes them: joined, comparable, with every class validated."""

from collections import defaultdict
from pathlib import Path

import numpy as np
from datasets import (
    Audio,
    Dataset,
    DatasetDict,
    Value,
    concatenate_datasets,
    load_dataset,
    load_from_disk,
)

from langid.languages import NONE, OTHER, class_of

REQUIRED_COLUMNS = ("audio", "language", "speaker_id", "source")
# Column, its type, and what stands in it where a dataset has none.
_OPTIONAL_COLUMNS = (
    ("synthetic", "bool", False),
    ("duration_s", "float32", None),
    ("transcript", "string", None),
    ("licence", "string", None),
)
HELD_BACK_SHARE = 0.1  # of the speakers of a class that validation lacks


class DatasetError(ValueError):
    """A dataset that training cannot use; the message says what is missing."""


def load_training_data(sources: list[str], languages: tuple[str, ...], seed: int) -> DatasetDict:
    """``train`` and ``validation`` of one or several datasets (folders or Hub ids), joined.

    ``language`` becomes text and ``audio`` stays undecoded; missing optional columns are filled.
    Classes that validation lacks are lent a tenth of their speakers.

    Raises
    ------
    DatasetError
        If there is no such dataset, or a split, a column or a language is missing.
    """
    splits = _join([load_splits(source) for source in sources])
    if "validation" not in splits:
        raise DatasetError(
            f"{' and '.join(sources)} have no validation split: prepare the data with "
            "prepare_data.py, from recordings of several speakers a language."
        )
    present = set(splits["train"].unique("language"))
    if missing := [language for language in languages if language not in present]:
        raise DatasetError(
            f"The train split has no clip of {', '.join(missing)}: choose other --languages or "
            "add data."
        )
    return _hold_back(splits["train"], splits["validation"], languages, seed)


def load_splits(source: str) -> DatasetDict:
    """The dataset of a folder written by ``prepare_data.py``, or of a Hub repository.

    Raises
    ------
    DatasetError
        If there is none, or it lacks a split or a column.
    """
    try:
        splits = load_from_disk(source) if Path(source).is_dir() else load_dataset(source)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise DatasetError(
            f"{source} is neither a dataset folder nor a dataset on the Hub: make one with "
            "prepare_data.py."
        ) from error
    if not isinstance(splits, DatasetDict) or "train" not in splits:
        raise DatasetError(f"{source} has no train split: make it with prepare_data.py.")
    if missing := sorted(set(REQUIRED_COLUMNS) - set(splits["train"].column_names)):
        raise DatasetError(f"{source} lacks the columns {', '.join(missing)}.")
    return splits


def describe_sources(train: Dataset) -> list[dict]:
    """Of each source and licence: languages, clips, hours, speakers, whether synthetic."""
    names = ("source", "licence", "language", "speaker_id", "synthetic", "duration_s")
    groups = defaultdict(list)
    for row in zip(*(train[name][:] for name in names), strict=True):
        groups[row[0], row[1] or "unstated", bool(row[4])].append(row)
    table = [
        {
            "source": source,
            "licence": licence,
            "languages": sorted({row[2] for row in rows}),
            "n_clips": len(rows),
            "hours": sum(row[5] or 0 for row in rows) / 3600,
            "speakers": len({row[3] for row in rows}),
            "synthetic": synthetic,
        }
        for (source, licence, synthetic), rows in groups.items()
    ]
    return sorted(table, key=lambda entry: -entry["hours"])


def _join(datasets: list[DatasetDict]) -> DatasetDict:
    """One ``DatasetDict`` of several: a split holds the clips of all that have it."""
    names = dict.fromkeys(name for splits in datasets for name in splits)
    return DatasetDict(
        {
            name: concatenate_datasets([_comparable(d[name]) for d in datasets if name in d])
            for name in names
        }
    )


def _hold_back(
    train: Dataset, validation: Dataset, languages: tuple[str, ...], seed: int
) -> DatasetDict:
    """Lend validation a tenth of the speakers of every class that it lacks."""
    labels = (*languages, OTHER, NONE)
    classes = np.array([class_of(x, languages) for x in train["language"][:]])
    validated = {class_of(x, languages) for x in validation.unique("language")}
    speakers = np.array(train["speaker_id"][:])
    rng = np.random.default_rng(seed)
    lent = np.zeros(len(train), dtype=bool)
    for label in (label for label in labels if label not in validated):
        own = sorted(set(speakers[classes == label].tolist()))
        n_lent = max(1, round(HELD_BACK_SHARE * len(own)))
        if len(own) > n_lent:
            lent |= np.isin(speakers, rng.choice(own, n_lent, replace=False)) & (classes == label)
    if lent.any():
        validation = concatenate_datasets([validation, train.select(np.flatnonzero(lent))])
        train = train.select(np.flatnonzero(~lent))
    return DatasetDict(train=train, validation=validation)


def _comparable(split: Dataset) -> Dataset:
    """Undecoded audio, language names as text, and every optional column present."""
    split = split.cast_column("audio", Audio(decode=False))
    feature = split.features["language"]
    if hasattr(feature, "names"):
        names = np.array([*feature.names, None])[np.array(split["language"][:])]
        split = split.remove_columns("language").add_column("language", names.tolist())
    for column, dtype, default in _OPTIONAL_COLUMNS:
        if column not in split.column_names:
            split = split.add_column(column, [default] * len(split), feature=Value(dtype))
    used = [*REQUIRED_COLUMNS, *(column for column, _, _ in _OPTIONAL_COLUMNS)]
    return split.select_columns(used)
