"""HTTP with a slow old server: few connections, kept open, patience, and files that resume.

A file is collected under a temporary name, continued where it broke off, renamed when complete.
"""

import errno
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Retry

from langid.errors import DataError
from langid.files import put_in_place
from langid.version import VERSION

USER_AGENT = f"spoken-langid/{VERSION} (prepare_data.py) {requests.utils.default_user_agent()}"
TIMEOUT_S = (10.0, 30.0)  # to connect; between two packets
RETRIED_STATUSES = (429, 500, 502, 503, 504)
N_RETRIES = 6
BACKOFF_S = 1.0  # the waits are 0, 2, 4, 8 … times this
N_CONNECT_RETRIES = 4  # some 15 s, after which a name was probably misspelt
MAX_WAIT_S = 300.0  # whatever Retry-After says
ERROR_PAGE_BYTES = 2**16
CHUNK_BYTES = 2**16
# Progress that earns full patience again: a server may break off often, if it goes on at all.
RENEWING_BYTES = CHUNK_BYTES
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

_REASONS = (
    ((LocationValueError, UnicodeError), "no host can be called so"),
    (NameResolutionError, "its name is not known"),
    (ProxyError, "the proxy does not connect to it"),
    (SSLError, "its certificate is not accepted"),
    (NewConnectionError, "no connection"),  # before the time-outs, as it counts as one
    ((ConnectTimeoutError, ReadTimeoutError), "no answer in time"),
    (ProtocolError, "the connection broke off"),
)


class Stopped(Exception):
    """The work was told to stop."""


class DownloadFailed(Exception):
    """Something was not downloaded; the message is the reason, short enough for a count.

    ``is_host_fault`` says that the host is probably in trouble, and not only this one file.
    """

    def __init__(self, reason: str, is_host_fault: bool):
        super().__init__(reason)
        self.is_host_fault = is_host_fault


class _RangeRefused(Exception):
    """The server does not continue the file; it has to come from its beginning."""


class Stop(threading.Event):
    """An event that, when set, also wakes the threads that wait for the network."""

    def __init__(self) -> None:
        super().__init__()
        self._open: set[requests.Response] = set()
        self._open_lock = threading.Lock()

    def set(self) -> None:
        super().set()
        with self._open_lock:
            for response in self._open:
                # Read to its end meanwhile, or closed: then nobody waits for it.
                with suppress(ValueError, RuntimeError, OSError):
                    response.raw.shutdown()

    @contextmanager
    def watching(self, response: requests.Response) -> Iterator[requests.Response]:
        """Let ``set`` cut this response while it is read; close it at the end."""
        with self._open_lock:
            self._open.add(response)
        try:
            self.check()
            yield response
        finally:
            with self._open_lock:
                self._open.discard(response)
            response.close()

    def check(self) -> None:
        if self.is_set():
            raise Stopped


class PoliteRetry(Retry):
    """urllib3's rules for trying again, but a wait ends with ``stop`` and is never absurd."""

    def __init__(self, *args, stop: Stop, **options):
        super().__init__(*args, **options)
        self.stop = stop

    def new(self, **changes) -> "PoliteRetry":
        return super().new(stop=self.stop, **changes)

    def sleep(self, response=None) -> None:
        wait_s = None
        if response is not None:
            with suppress(InvalidHeader):
                wait_s = self.get_retry_after(response)
        if wait_s is None:
            wait_s = self.get_backoff_time()
        if self.stop.wait(min(wait_s, MAX_WAIT_S)):
            raise Stopped


def polite_session(n_workers: int, stop: Stop) -> requests.Session:
    """A session for ``n_workers`` threads: one connection each, kept open.

    What fails is tried again ``N_RETRIES`` times, after 0, 2, 4, 8 … × ``BACKOFF_S`` seconds and up
    to ``BACKOFF_S`` more by chance, or when Retry-After says. After ``stop`` is set its requests
    raise ``Stopped``.
    """
    retry = PoliteRetry(
        N_RETRIES,
        connect=min(N_RETRIES, N_CONNECT_RETRIES),
        stop=stop,
        status_forcelist=RETRIED_STATUSES,
        raise_on_status=False,  # the last answer says more than "too many 503s"
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S,
    )
    adapter = HTTPAdapter(pool_maxsize=n_workers, pool_block=True, max_retries=retry)
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


def next_attempt(retry: Retry, url: str, error: HTTPError) -> Retry:
    """Wait before another attempt at an answer that broke off, which urllib3 leaves to the reader.

    ``retry`` is the patience before it, at first the session's own; returns what is left of it.

    Raises
    ------
    DownloadFailed
        If that was the last attempt.
    Stopped
        If the waiting was interrupted.
    """
    try:
        retry = retry.increment("GET", url, error=error)
    except MaxRetryError as exhausted:
        raise DownloadFailed(reason_of(exhausted), is_host_fault=True) from exhausted
    retry.sleep()
    return retry


def open_url(
    session: requests.Session, url: str, headers: dict[str, str] | None = None
) -> requests.Response:
    """The answer to a GET, of any status, its body not yet read.

    Raises
    ------
    DownloadFailed
        If there is none, after all retries, or the address is none.
    """
    try:
        return session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)
    except (requests.RequestException, LocationValueError, UnicodeError) as error:
        raise DownloadFailed(reason_of(error), is_host_fault=True) from error


def status_failure(response: requests.Response) -> DownloadFailed:
    """What a status other than the expected ones means."""
    status = response.status_code
    with suppress(HTTPError):
        response.raw.read(ERROR_PAGE_BYTES)  # read to its end, the connection can stay open
    only_this = 400 <= status < 500 and status not in (401, 403, 408, 429)
    return DownloadFailed(f"HTTP status {status}", is_host_fault=not only_this)


def reason_of(error: Exception) -> str:
    """Why there was no answer, in a few words."""
    cause: object = error
    while isinstance(cause, Exception):
        for kinds, reason in _REASONS:
            if isinstance(cause, kinds):
                return reason
        cause = getattr(cause, "reason", None) or next(iter(cause.args), None)
    return str(error) or type(error).__name__


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
    retry = session.get_adapter(url).max_retries
    n_bytes_before, may_resume = _size(part), True
    while True:
        stop.check()
        offset = _size(part) if may_resume else 0
        try:
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            answer = open_url(session, url, {"Accept-Encoding": "identity", **headers})
            with stop.watching(answer) as response:
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
            if _size(part) >= n_bytes_before + RENEWING_BYTES:
                n_bytes_before, retry = _size(part), session.get_adapter(url).max_retries
            retry = next_attempt(retry, url, error)
    with _writing(target):
        put_in_place(part, target)
    return total is not None and response.status_code == 200


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
