"""One file over HTTP: to a temporary name, resumed where it broke off, renamed when complete."""

from langid.errors import DataError
import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from langid.data.voxforge.http_session import (
    Attempts,
    DownloadFailed,
    Stop,
    open_url,
    status_failure,
)

CHUNK_BYTES = 2**16
# Progress that earns full patience again: a server may break off often, if it goes on at all.
RENEWING_BYTES = CHUNK_BYTES
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class _RangeRefused(Exception):
    """The server does not continue the file; it has to come from its beginning."""


def part_path(target: Path) -> Path:
    """Where a file is collected until it is complete."""
    return target.with_name(target.name + ".part")


def download(
    session: requests.Session,
    url: str,
    target: Path,
    on_bytes: Callable[[int], object],
    stop: Stop,
) -> bool:
    """Download ``url`` to ``target``; ``on_bytes`` is told of the bytes that arrive.

    What an earlier run left in ``target.part`` is continued where the server allows it. The bytes
    are stored as they are: a ``Content-Encoding: x-gzip``, which Apache sends with .tgz files,
    is a property of the archive and not undone.

    Returns whether the file is surely whole: it came in one piece, of the length announced.

    Raises
    ------
    DownloadFailed
        If the server does not give the file, after all retries.
    Stopped
        If ``stop`` was set; the part is kept.
    DataError
        If the disk is full or does not take the file; the part is kept.
    """
    part = part_path(target)
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    attempts = Attempts(session, url)
    furthest = _size(part)
    may_resume = True
    while True:
        stop.check()
        offset = _size(part) if may_resume else 0
        try:
            with stop.watching(_request(session, url, offset)) as response:
                total = _total_bytes(response, offset)
                if response.status_code != 416:
                    _receive(response, part, on_bytes, stop)
            if total is None or _size(part) == total:
                break
            may_resume = _size(part) < total
            raise ProtocolError(f"{_size(part)} of {total} bytes")
        except _RangeRefused:
            may_resume = False
        except HTTPError as error:
            stop.check()  # which cuts the connection
            if _size(part) >= furthest + RENEWING_BYTES:
                furthest = _size(part)
                attempts.renew()
            attempts.wait_after(error)
    with _writing(target):
        part.replace(target)
    return total is not None and response.status_code == 200


def _request(session: requests.Session, url: str, offset: int) -> requests.Response:
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    return open_url(session, url, headers)


def _total_bytes(response: requests.Response, offset: int) -> int | None:
    """Size of the whole file as announced, after a check that this answer helps."""
    status = response.status_code
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    start, total = match.groups() if match else (None, None)
    total = int(total) if total and total != "*" else None
    if status == 416 and offset and total == offset:
        return total  # all of it is here already
    if status in (206, 416) and offset and (start is None or int(start) != offset):
        raise _RangeRefused
    if status == 206 and offset:
        return total
    if status != 200:
        raise status_failure(response)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise DownloadFailed("a web page instead of an archive", is_host_fault=True)
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _receive(
    response: requests.Response, part: Path, on_bytes: Callable[[int], object], stop: Stop
) -> None:
    """Append the body to the part, or start the part with it, up to where it ends or breaks."""
    with _writing(part), part.open("ab" if response.status_code == 206 else "wb") as file:
        # read1 gives what has arrived: nothing of that is lost when the connection breaks.
        while data := response.raw.read1(CHUNK_BYTES, decode_content=False):
            file.write(data)
            on_bytes(len(data))
            stop.check()
        stop.check()  # a connection that was cut may look like the end
        file.flush()
        os.fsync(file.fileno())  # the name must not outlive the content in a power failure


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"The disk of {target.parent} is full: free some space or ask for fewer hours, "
                "then run the same command again; what is downloaded is kept."
            ) from error
        raise DataError(f"Cannot write {target}: {error.strerror or error}.") from error
