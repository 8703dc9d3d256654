"""The folder that visitors' recordings lie in while they are needed: swept, and bounded."""

import contextlib
import logging
import shutil
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

MAX_AGE_S = 3600.0
MAX_UNFINISHED_S = 300.0  # since a file that is being sent last grew
MAX_BYTES = 8 * 10**9  # and half the disk, if that is less
CHECK_S = 60.0
LOCK = ".lock"

_log = logging.getLogger(__name__)


def claim_folder(base: Path) -> tuple[Path, FileLock]:
    """A new folder for this process in ``base``; those of processes that have ended are deleted.

    A folder belongs to a process as long as that holds its lock, which the system releases even
    if the process is killed.
    """
    base.mkdir(parents=True, exist_ok=True)
    for old in base.iterdir():
        with contextlib.suppress(Timeout, OSError), FileLock(old / LOCK, timeout=0):
            shutil.rmtree(old, ignore_errors=True)
    folder = base / f"{time.time_ns():x}"
    folder.mkdir()
    lock = FileLock(folder / LOCK)
    lock.acquire(timeout=0)
    return folder, lock


def sweep(folder: Path, max_age_s: float = MAX_AGE_S, max_bytes: float = MAX_BYTES) -> None:
    """Delete files that are older than the age, then the oldest until the rest is small enough.

    Files directly in the folder are being sent, or were left when their sender went away: these go
    when they have not grown for `MAX_UNFINISHED_S`.
    """
    max_bytes = min(max_bytes, shutil.disk_usage(folder).total / 2)
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            is_old = path.stat().st_mtime < time.time() - MAX_UNFINISHED_S
            if path.is_file() and path.name != LOCK and is_old:
                path.unlink()
    files = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.name != LOCK:
                status = path.stat()
                files.append((max(status.st_mtime, status.st_ctime), status.st_size, path))
    files.sort()
    n_bytes = sum(size for _, size, _ in files)
    for changed, size, path in files:
        if changed > time.time() - max_age_s and n_bytes <= max_bytes:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        n_bytes -= size
    for path in sorted(folder.rglob("*"), reverse=True):
        with contextlib.suppress(OSError):  # it is not empty
            if path.is_dir() and path.stat().st_mtime < time.time() - CHECK_S:
                path.rmdir()


def keep_swept(folder: Path) -> None:
    """Sweep every minute, in a thread that ends with the process."""

    def run() -> None:
        while True:
            try:
                sweep(folder)
            except OSError as error:
                _log.warning("%s cannot be swept: %s", folder, error)
            time.sleep(CHECK_S)

    threading.Thread(target=run, name="sweep", daemon=True).start()
