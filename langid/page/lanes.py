"""Jobs take turns in the order in which they came."""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator

from langid.errors import IdentificationCancelled


class Lane:
    """Runs at most ``n_slots`` jobs at a time; of those that wait, the first to come is next.

    A semaphore of the standard library promises no order: who looks up to see whether the client
    is still there stands last afterwards, and who comes just when a slot gets free takes it.
    """

    def __init__(self, n_slots: int) -> None:
        self._n_free = n_slots
        self._lock = threading.Lock()
        self._places = itertools.count()
        self._waiting: list[tuple[int, threading.Event]] = []  # a heap, by place

    def acquire(self, should_stop: Callable[[], bool], poll_s: float) -> Iterator[None]:
        """Yields about every ``poll_s`` while it waits; a slot is the caller's afterwards.

        Raises
        ------
        IdentificationCancelled
            If ``should_stop`` says so.
        """
        place = self.join()
        while not self.wait(place, poll_s):
            if should_stop():
                raise IdentificationCancelled("The identification was stopped while it waited.")
            yield

    def join(self) -> int:
        """A place in the line, behind all others."""
        return next(self._places)

    def wait(self, place: int, timeout_s: float) -> bool:
        """Whether a slot became the caller's within the time; if not, it keeps its place.

        A slot that gets free between two calls goes to the next one that is waiting.
        """
        turn = threading.Event()
        with self._lock:
            if self._n_free:  # then nobody waits
                self._n_free -= 1
                return True
            heapq.heappush(self._waiting, (place, turn))
        if turn.wait(timeout_s):
            return True
        with self._lock:
            if not turn.is_set():
                self._waiting.remove((place, turn))
                heapq.heapify(self._waiting)
            return turn.is_set()

    def release(self) -> None:
        """Give a slot back, to the first that waits."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[1].set()
            else:
                self._n_free += 1
