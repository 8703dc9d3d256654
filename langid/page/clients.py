"""Who is there: clients that listen for answers, and what each visitor of the page wants now."""

import contextlib
import json
import re
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

MAX_CANCELLED = 1_000  # events remembered: strangers may cancel what never was
GRACE_S = 10.0  # how long a job waits for somebody to ask for its answer
# Where clients read the answers of one session, or of one event.
SESSION_PATH = "/queue/data"
CANCEL_PATH = "/cancel"
EVENT_PATH = re.compile(r"/call/(?:v2/)?[^/]+/([^/]+)/?$")


class Listeners:
    """Which sessions and events have a client that reads their answers."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._cancelled: deque[str] = deque(maxlen=MAX_CANCELLED)
        self._changed = threading.Condition()

    @contextmanager
    def listening(self, key: str) -> Iterator[None]:
        """While a client's stream of answers is open."""
        with self._changed:
            self._counts[key] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._counts[key] -= 1
                if not self._counts[key]:
                    del self._counts[key]

    def cancel(self, event: str) -> None:
        """The client wants no answer to this event any more, whatever else it listens to."""
        self._cancelled.append(event)

    def forget(self, event: str) -> None:
        """The event is done with."""
        with contextlib.suppress(ValueError):
            self._cancelled.remove(event)

    def any_of(self, *keys: str) -> bool:
        """Whether a client listens to one of these sessions or events, and cancelled none."""
        return any(key in self._counts for key in keys) and not any(
            key in self._cancelled for key in keys
        )

    def wait_for(self, *keys: str) -> bool:
        """Whether a client listens, or begins to within `GRACE_S`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.any_of(*keys), GRACE_S)


class ListenerMiddleware:
    """ASGI middleware that tells `Listeners` of open streams of answers and of cancelled events."""

    def __init__(self, app: Callable[..., Awaitable[None]], listeners: Listeners) -> None:
        self._app = app
        self._listeners = listeners

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        key = _stream_key(scope) if scope["type"] == "http" else None
        if scope["type"] == "http" and scope["path"].endswith(CANCEL_PATH):
            receive = await self._note_cancel(receive)
        if key is None:
            await self._app(scope, receive, send)
            return
        with self._listeners.listening(key):
            await self._app(scope, receive, send)  # until the client has gone

    async def _note_cancel(self, receive: Callable) -> Callable:
        """Read which event is cancelled; the way to receive the request once more."""
        first = await receive()
        with contextlib.suppress(ValueError, TypeError, KeyError):  # not for this to complain of
            event = json.loads(first["body"])["event_id"]
            if isinstance(event, str):
                self._listeners.cancel(event)
        messages = [first]

        async def again() -> dict:
            return messages.pop() if messages else await receive()

        return again


def event_of(scope: dict) -> str | None:
    """The event whose stream of answers a request asks for, None where it asks for another."""
    is_asked = scope["type"] == "http" and scope["method"] == "GET"
    event = EVENT_PATH.search(scope["path"]) if is_asked else None
    return event[1] if event else None


def _stream_key(scope: dict) -> str | None:
    if scope["method"] == "GET" and scope["path"].endswith(SESSION_PATH):
        return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [None])[0]
    return event_of(scope)


class Visitors:
    """The newest recording of each visitor of the page: work on any other one ends.

    Recordings have tickets, numbers that count up within a session. Requests may overtake each
    other, so the highest ticket is the newest.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._cancelled: dict[str, int] = {}

    def arrive(self, session: str, ticket: int) -> None:
        self._newest[session] = max(ticket, self._newest.get(session, 0))

    def cancel(self, session: str, ticket: int) -> None:
        self._cancelled[session] = ticket

    def want(self, session: str, ticket: int) -> bool:
        """Whether this recording is the newest, and not cancelled."""
        return self.is_newest(session, ticket) and ticket != self._cancelled.get(session)

    def is_newest(self, session: str, ticket: int) -> bool:
        return self._newest.get(session) == ticket

    def has_newer(self, session: str, ticket: int) -> bool:
        """Whether another recording has come since; not so for a visitor who only left."""
        return self._newest.get(session, ticket) > ticket

    def leave(self, session: str) -> None:
        self._newest.pop(session, None)
        self._cancelled.pop(session, None)
