"""How a dataset of prepare_data.py lies in its folder, and whether all of it is there."""

from langid.errors import DataError
from collections.abc import Iterable
from pathlib import Path


BUILD_FILE = "build.json"  # stands in a finished dataset, and only there
DATA_FOLDER = "data"  # of the Parquet files, beside the card
ALL_SHARDS = f"{DATA_FOLDER}/*.parquet"  # as a pattern of paths below the dataset's folder
REQUIRED_COLUMNS = ("audio", "language", "speaker_id", "source")  # what no dataset can do without


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
