"""What is known of the archives in a folder, so that none is downloaded or surveyed twice."""

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from langid.data.voxforge.archive import Survey

MANIFEST_NAME = "manifest.jsonl"


class Manifest:
    """Records of archives by key (the path below the folder), one JSON object a line.

    Lines are only ever appended, each in one write: the last one of a key counts, and a line that
    was cut short by a crash is passed over. A record holds for the very file that it was made of,
    by size and time. Threads may share one object.

    The key is text; the path tells where the file is, whatever its name is made of.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / MANIFEST_NAME
        self._lock = threading.Lock()
        self._is_writable = True
        self._records: dict[str, dict] = {}
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            self._give_up(error)
            data = b""
        self._is_torn = bool(data) and not data.endswith(b"\n")
        for line in data.splitlines():
            try:
                record = json.loads(line)
                self._records[record["key"]] = record
            except (ValueError, TypeError, KeyError):
                continue

    def survey(self, key: str, path: Path) -> Survey | None:
        """The survey of an archive; None if there is none, or its file is not the same now."""
        record = self._records.get(key, {})
        if (record.get("n_bytes"), record.get("mtime_ns")) != _stamp(path):
            return None
        try:
            return Survey(**record["survey"])
        except (KeyError, TypeError):  # written by another version
            return None

    def record_survey(self, key: str, path: Path, survey: Survey, url: str | None = None) -> None:
        """Keep the survey of a file as it is now; ``url`` is where it was downloaded from."""
        stamp = _stamp(path)
        if stamp is not None:
            record = {"key": key, "n_bytes": stamp[0], "mtime_ns": stamp[1], "url": url}
            self._append({**record, "survey": asdict(survey)})

    def _append(self, record: dict) -> None:
        with self._lock:
            self._records[record["key"]] = record
            if not self._is_writable:
                return
            line = json.dumps(record).encode() + b"\n"
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
                try:
                    n_written = os.write(descriptor, b"\n" + line if self._is_torn else line)
                finally:
                    os.close(descriptor)
                self._is_torn = n_written < len(line)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._is_writable = False
        print(
            f"{self.path} cannot be used ({error.strerror}): what is found out about the archives "
            "is not kept for the next run.",
            file=sys.stderr,
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
