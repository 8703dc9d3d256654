"""An HTTP session that is polite to a slow old server: few connections, kept open, and patience."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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

from langid.version import VERSION

USER_AGENT = f"spoken-langid/{VERSION} (prepare_data.py) {requests.utils.default_user_agent()}"
TIMEOUT_S = (10.0, 30.0)  # to connect; between two packets
RETRIED_STATUSES = (429, 500, 502, 503, 504)
N_RETRIES = 6
BACKOFF_S = 1.0  # the waits are 0, 2, 4, 8 … times this
N_CONNECT_RETRIES = 4  # some 15 s, after which a name was probably misspelt
MAX_WAIT_S = 300.0  # whatever Retry-After says
ERROR_PAGE_BYTES = 2**16

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
        if response is not None and self.respect_retry_after_header:
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
        allowed_methods={"GET", "HEAD"},
        status_forcelist=RETRIED_STATUSES,
        raise_on_status=False,  # the last answer says more than "too many 503s"
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S,
        respect_retry_after_header=True,
    )
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    for scheme in ("http://", "https://"):
        session.mount(
            scheme, HTTPAdapter(pool_maxsize=n_workers, pool_block=True, max_retries=retry)
        )
    return session


class Attempts:
    """The session's patience with answers that break off, where urllib3's own has ended."""

    def __init__(self, session: requests.Session, url: str):
        self._url = url
        self._unused = self._retry = session.get_adapter(url).max_retries

    def renew(self) -> None:
        """Have full patience again, as something was received."""
        self._retry = self._unused

    def wait_after(self, error: HTTPError) -> None:
        """Wait before the next attempt.

        Raises
        ------
        DownloadFailed
            If this was the last one.
        Stopped
            If the waiting was interrupted.
        """
        try:
            self._retry = self._retry.increment("GET", self._url, error=error)
        except MaxRetryError as exhausted:
            raise DownloadFailed(reason_of(exhausted), is_host_fault=True) from exhausted
        self._retry.sleep()


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
