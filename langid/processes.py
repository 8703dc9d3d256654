"""Work spread over processes: results in the order of the jobs, a bounded number in flight."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

JOBS_AHEAD = 4  # in flight for each process
BYTES_AHEAD = 256 * 2**20  # … unless the jobs are large: their results wait in memory

Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """One thing to read, a recording or an archive, on its way into one split."""

    key: str  # its name among the jobs
    split: str
    n_bytes: int  # about as much as its result takes
    item: Any
    stamp: str = ""  # changes whenever its result might


@contextmanager
def process_pool(n_processes: int) -> Iterator[Executor | None]:
    """Workers that leave Ctrl-C to this process; None for one process."""
    if n_processes == 1:
        yield None
        return
    # Not fork: it would copy the threads and locks of the libraries loaded here.
    pool = ProcessPoolExecutor(n_processes, multiprocessing.get_context("spawn"))
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes inherit this
    try:
        for _ in range(n_processes):
            pool.submit(os.getpid)  # starts one
    finally:
        signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def run_in_order(
    pool: Executor | None,
    function: Callable[[Job], Result],
    jobs: Iterable[Job],
    n_processes: int,
) -> Iterator[tuple[Job, Result]]:
    """Each job with its result, in the order of the jobs.

    No more is in flight than keeps the processes busy, so that the results of a whole corpus never
    wait in memory, as they would in ``Executor.map``.
    """
    waiting: deque = deque()
    for job in jobs:
        if pool is None:
            yield job, function(job)
            continue
        while waiting and (
            len(waiting) >= JOBS_AHEAD * n_processes
            or job.n_bytes + sum(ahead.n_bytes for ahead, _ in waiting) > BYTES_AHEAD
        ):
            done, future = waiting.popleft()
            yield done, future.result()
        waiting.append((job, pool.submit(function, job)))
    while waiting:
        done, future = waiting.popleft()
        yield done, future.result()
