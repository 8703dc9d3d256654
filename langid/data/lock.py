"""Work that one process does at a time."""

from langid.errors import DataError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout



@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Hold the file ``lock``, which the system lets go of when the process ends.

    Raises
    ------
    DataError
        With the sentence ``otherwise``, if another process holds it.
    """
    held = FileLock(lock, timeout=0)
    try:
        held.acquire()
    except Timeout as error:
        raise DataError(otherwise) from error
    try:
        yield
    finally:
        held.release()
