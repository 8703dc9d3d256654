"""Memory that stays flat although dozens of threads take turns."""

import contextlib
import ctypes

M_ARENA_MAX = -8  # of mallopt(3)
N_ARENAS = 2


def limit_arenas(n_arenas: int = N_ARENAS) -> None:
    """Let threads share arenas, where the C library is glibc: elsewhere nothing happens.

    glibc gives every thread an arena of its own, up to eight a core, and each keeps what its
    largest recording took. Arenas that there are already stay.
    """
    with contextlib.suppress(OSError, TypeError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, n_arenas)
