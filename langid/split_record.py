"""Which speaker went into which split, kept beside the archives for the builds to come."""

import json
from collections.abc import Mapping
from pathlib import Path


def record_path(folder: Path, seed: int) -> Path:
    return folder / f"splits-seed{seed}.json"


def read_record(folder: Path, seed: int, shares: Mapping[str, float]) -> dict[str, str]:
    """Speaker → split of earlier builds with this seed and these shares; empty without one."""
    try:
        record = json.loads(record_path(folder, seed).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return record["speakers"] if record["shares"] == dict(shares) else {}


def write_record(
    folder: Path, seed: int, shares: Mapping[str, float], split_of: Mapping[str, str]
) -> bool:
    """Keep the splits, whole or not at all; False where the folder takes no file."""
    path = record_path(folder, seed)
    record = {"shares": dict(shares), "speakers": dict(sorted(split_of.items()))}
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(record, indent=0, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    except OSError:
        return False
    return True
