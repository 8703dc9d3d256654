"""Turns in the order of arrival, counted without a clock."""

import threading

import pytest

from langid.errors import IdentificationCancelled
from langid.page.lanes import Lane

PATIENCE_S = 120  # only a fault lasts so long


def never() -> bool:
    return False


class Line:
    """Threads that wait in a lane of one slot, which is taken, and note when they get it."""

    def __init__(self) -> None:
        self.lane, self.served = Lane(1), []
        assert self.lane.wait(self.lane.join(), 0)
        self.threads = []

    def wait(self, place: int) -> None:
        """Begin to wait, and return when that is sure."""
        n_waiting = len(self.lane._waiting)

        def work() -> None:
            assert self.lane.wait(place, PATIENCE_S)
            self.served.append(place)
            self.lane.release()

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()
        while len(self.lane._waiting) == n_waiting:
            assert self.threads[-1].is_alive()

    def serve(self) -> list[int]:
        """The places in the order in which they got the slot."""
        self.lane.release()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.served


def test_who_came_first_is_next():
    line = Line()
    places = [line.lane.join() for _ in range(12)]
    for place in places:
        line.wait(place)
    assert line.serve() == places


def test_who_looks_up_keeps_the_place():
    line = Line()
    first, *others = [line.lane.join() for _ in range(12)]
    assert not line.lane.wait(first, 0)  # as a job that asks whether its client is still there
    for place in others:
        line.wait(place)
    line.wait(first)
    assert line.serve() == [first, *others]


def test_a_slot_is_not_lost_to_one_that_left():
    lane = Lane(1)
    assert list(lane.acquire(never, 0)) == []
    waiting, leaving = lane.acquire(never, 0), lane.acquire(never, 0)
    next(waiting)
    next(leaving)
    leaving.close()
    with pytest.raises(IdentificationCancelled):
        list(lane.acquire(lambda: True, 0))
    lane.release()
    assert list(waiting) == []
    late = lane.acquire(never, 0)
    next(late)
    lane.release()
    assert list(late) == []
