"""What is known of the archives in a folder, so that none is downloaded or surveyed twice."""

import json
import sys
import threading
from contextlib import suppress
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
        data = b""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            pass
        except OSError as error:
            self._give_up(error)
        self._is_torn = bool(data) and not data.endswith(b"\n")
        for line in data.splitlines():
            with suppress(ValueError, TypeError, KeyError):
                record = json.loads(line)
                self._records[record["key"]] = record

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
        if stamp is None:
            return
        record = {"key": key, "n_bytes": stamp[0], "mtime_ns": stamp[1], "url": url}
        record["survey"] = asdict(survey)
        line = json.dumps(record).encode() + b"\n"
        with self._lock:
            self._records[key] = record
            if not self._is_writable:
                return
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with self.path.open("ab", buffering=0) as file:
                    n_written = file.write(b"\n" + line if self._is_torn else line)
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
    with suppress(OSError):
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    return None
