"""Work spread over processes: order, bounds, and what becomes of a process that dies."""

import operator
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from langid.data import processes
from langid.data.processes import ITEMS_AHEAD, process_pool, run_in_order
from langid.errors import DataError


class EagerPool:
    """Does at once what is submitted, and records it."""

    def __init__(self):
        self.submitted = []

    def submit(self, function, item):
        future = Future()
        future.set_result(function(item))
        self.submitted.append(item)
        return future


def outstanding(items, n_workers, n_bytes):
    """Items that were submitted and not yet given out, as each one is given out."""
    pool, seen = EagerPool(), []
    for n_before, (item, result) in enumerate(
        run_in_order(pool, operator.neg, items, n_workers, n_bytes)
    ):
        assert result == -item
        seen.append(pool.submitted[n_before:])
    assert pool.submitted == list(items) and len(seen) == len(items)
    return seen


def test_results_come_in_the_order_of_the_items_not_of_their_ends():
    second_is_done = Event()

    def work(item):
        if item == 0:
            assert second_is_done.wait(timeout=60)
        if item == 1:
            second_is_done.set()
        return item * 10

    with ThreadPoolExecutor(2) as pool:
        results = list(run_in_order(pool, work, range(20), 2, lambda _: 1))
    assert results == [(item, item * 10) for item in range(20)]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_no_more_is_in_flight_than_keeps_the_workers_busy(n_workers):
    counts = [len(items) for items in outstanding(range(100), n_workers, lambda _: 0)]
    assert max(counts) == counts[0] == ITEMS_AHEAD * n_workers


def test_large_results_wait_alone_or_in_the_bytes_that_are_allowed(monkeypatch):
    monkeypatch.setattr(processes, "BYTES_AHEAD", 100)
    seen = outstanding([40, 41, 42, 500, 10, 90, 101, 1], 8, lambda item: item)
    assert all(sum(items) <= 100 or len(items) == 1 for items in seen)
    assert seen[0] == [40, 41] and [500] in seen and [10, 90] in seen


def test_items_are_taken_only_as_they_are_needed():
    taken = []
    items = (taken.append(item) or item for item in range(1000))
    results = run_in_order(EagerPool(), operator.neg, items, 1, lambda _: 1)
    next(results)
    assert len(taken) == ITEMS_AHEAD + 1


def test_without_a_pool_each_item_is_done_when_it_is_asked_for():
    done = []
    results = run_in_order(None, done.append, range(3), 1, lambda _: 1)
    assert done == []
    assert next(results) == (0, None) and done == [0]
    assert [item for item, _ in results] == [1, 2] and done == [0, 1, 2]


def test_one_process_is_this_one():
    with process_pool(1) as pool:
        assert pool is None


def test_workers_are_other_processes_and_leave_ctrl_c_to_this_one():
    before = signal.getsignal(signal.SIGINT)
    with process_pool(2) as pool:
        assert signal.getsignal(signal.SIGINT) == before
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_a_process_that_dies_is_one_sentence():
    died = pytest.raises(DataError, match="died: try again with --num-proc 1")
    with died, process_pool(2) as pool:
        list(run_in_order(pool, os._exit, [1], 2, lambda _: 1))
