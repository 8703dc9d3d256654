"""Files: whole or absent, named in any encoding, for one process at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from langid.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the place of ``path`` when the block ends.

    An interruption, an error or a power cut leaves the old file or the new one, never a part.
    """
    part = path.with_name(path.name + ".part")
    yield part
    put_in_place(part, path)


def put_in_place(part: Path, path: Path) -> None:
    """Give a complete file its name, once the disk holds its content."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def read_json(path: Path) -> dict:
    """The object in a file; empty where there is no file, or none that holds one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict) -> None:
    """Replace the file at once."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    with replacing(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def decode_text(data: bytes) -> str:
    """Bytes that are not UTF-8 are taken for Latin-1, as older programs wrote it."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def text_of_name(name: str) -> str:
    """A name that the disk gave, as text that can be encoded; see `decode_text`.

    The file itself opens by the name as it was.
    """
    return decode_text(os.fsencode(name))


@contextmanager
def exclusive_lock(lock: Path, otherwise: str) -> Iterator[None]:
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
