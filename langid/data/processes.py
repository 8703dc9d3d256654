"""Work spread over processes: results in the order of the items, a bounded number in flight."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from langid.errors import DataError

# For tqdm, where the work is counted in hours of audio.
HOURS_BAR = "{desc}{percentage:3.0f}% {n:.2f}/{total:.2f} h [{elapsed}<{remaining}]"
ITEMS_AHEAD = 4  # in flight for each process
BYTES_AHEAD = 256 * 2**20  # … unless the items are large: their results wait in memory

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def process_pool(n_processes: int) -> Iterator[Executor | None]:
    """Workers that leave Ctrl-C to this process; None for one process.

    Raises
    ------
    DataError
        If one of them dies, as for want of memory.
    """
    if n_processes == 1:
        yield None
        return
    # Not fork: it would copy the threads and locks of the libraries loaded here.
    pool = ProcessPoolExecutor(n_processes, multiprocessing.get_context("spawn"))
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes inherit this
    try:
        try:
            for _ in range(n_processes):
                pool.submit(os.getpid)  # starts one
        finally:
            signal.signal(signal.SIGINT, on_interrupt)
        yield pool
    except BrokenProcessPool as error:
        raise DataError("A process that reads died: try again with --num-proc 1.") from error
    finally:
        pool.shutdown(cancel_futures=True)


def run_in_order(
    pool: Executor | None,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    n_workers: int,
    n_bytes: Callable[[Item], int],
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, in the order of the items.

    No more is in flight than keeps the workers busy, so that the results of a whole corpus never
    wait in memory, as they would in ``Executor.map``. ``n_bytes`` says about how much the result
    of an item takes.
    """
    waiting: deque = deque()  # of item, bytes and future
    for item in items:
        if pool is None:
            yield item, function(item)
            continue
        size = n_bytes(item)
        while waiting and (
            len(waiting) >= ITEMS_AHEAD * n_workers
            or size + sum(ahead for _, ahead, _ in waiting) > BYTES_AHEAD
        ):
            done, _, future = waiting.popleft()
            yield done, future.result()
        waiting.append((item, size, pool.submit(function, item)))
    while waiting:
        done, _, future = waiting.popleft()
        yield done, future.result()
