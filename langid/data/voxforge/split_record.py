"""Which speaker went into which split, kept beside the archives for the builds to come."""

from collections.abc import Mapping
from pathlib import Path

from langid.files import read_json, write_json
from langid.data.splits import SPLITS


def record_path(folder: Path, shares: Mapping[str, float], seed: int) -> Path:
    """One file for each way of dividing."""
    parts = [f"{split}{share:g}" for split, share in sorted(shares.items())]
    return folder / "-".join(["splits", f"seed{seed}", *parts, "speakers.json"])


def read_record(folder: Path, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Speaker → split of earlier builds with these shares and this seed; empty without one."""
    record = read_json(record_path(folder, shares, seed))
    return {speaker: split for speaker, split in record.items() if split in SPLITS}


def write_record(
    folder: Path, shares: Mapping[str, float], seed: int, split_of: Mapping[str, str]
) -> bool:
    """Keep the splits; False where the folder takes no file."""
    try:
        write_json(record_path(folder, shares, seed), dict(sorted(split_of.items())))
    except OSError:
        return False
    return True
