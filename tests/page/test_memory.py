"""Threads share arenas of glibc."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from langid.page.memory import N_ARENAS, limit_arenas

ROOT = Path(__file__).parents[2]

# Threads that hold memory at the same time; then how many arenas the C library says it has.
COUNT = """
import ctypes, sys, threading
from langid.page.memory import limit_arenas
if sys.argv[2] == "limited":
    limit_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
barrier = threading.Barrier(16)
def work():
    barrier.wait()
    [libc.malloc(1000) for _ in range(1000)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_arenas(tmp_path):
    n_arenas = {}
    for how in ("limited", "free"):
        command = [sys.executable, "-c", COUNT, str(tmp_path / "info.xml"), how]
        n_arenas[how] = int(subprocess.check_output(command, cwd=ROOT))
    assert n_arenas["limited"] <= N_ARENAS < n_arenas["free"]


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    limit_arenas()
