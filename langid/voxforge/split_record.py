"""Which speaker went into which split, kept beside the archives for the builds to come."""

from collections.abc import Mapping
from pathlib import Path

from langid.json_file import read_json, write_json


def record_path(folder: Path, seed: int) -> Path:
    return folder / f"splits-seed{seed}.json"


def read_record(folder: Path, seed: int, shares: Mapping[str, float]) -> dict[str, str]:
    """Speaker → split of earlier builds with this seed and these shares; empty without one."""
    record = read_json(record_path(folder, seed))
    return record.get("speakers", {}) if record.get("shares") == dict(shares) else {}


def write_record(
    folder: Path, seed: int, shares: Mapping[str, float], split_of: Mapping[str, str]
) -> bool:
    """Keep the splits, whole or not at all; False where the folder takes no file."""
    record = {"shares": dict(shares), "speakers": dict(sorted(split_of.items()))}
    try:
        write_json(record_path(folder, seed), record)
    except OSError:
        return False
    return True
