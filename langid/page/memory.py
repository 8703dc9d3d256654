"""Memory that stays flat although dozens of threads take turns."""

import contextlib
import ctypes
import threading
import time

M_ARENA_MAX = -8  # of mallopt(3)
N_ARENAS = 2
TRIM_S = 20.0  # between two trims
NOT_GLIBC = (OSError, TypeError, AttributeError)


def limit_arenas(n_arenas: int = N_ARENAS) -> None:
    """Let threads share arenas, where the C library is glibc: elsewhere nothing happens.

    glibc gives every thread an arena of its own, up to eight a core, and each keeps what its
    largest recording took. Arenas that there are already stay.
    """
    with contextlib.suppress(*NOT_GLIBC):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, n_arenas)


def trim() -> None:
    """Return free memory to the system, where the C library is glibc: elsewhere nothing happens.

    By itself glibc returns what is free at the end of an arena, and keeps the rest of what the
    busiest moment took: between the large blocks of recordings there is always a small one in use.
    """
    with contextlib.suppress(*NOT_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)


def keep_trimmed() -> None:
    """Trim again and again, in a thread that ends with the process."""

    def run() -> None:
        while True:
            time.sleep(TRIM_S)
            trim()

    threading.Thread(target=run, name="trim", daemon=True).start()
