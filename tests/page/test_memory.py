"""Threads share arenas of glibc, and what is free goes back to the system."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from langid.page.memory import N_ARENAS, limit_arenas, trim

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


# Large blocks that are freed again, with small ones between them that are not; then resident bytes.
HOLES = """
import ctypes, sys
from pathlib import Path
from langid.page.memory import trim
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
large = []
for _ in range(2000):
    large.append(libc.malloc(100_000))
    ctypes.memset(large[-1], 1, 100_000)
    libc.malloc(100)
for block in large:
    libc.free(ctypes.c_void_p(block))
if sys.argv[1] == "trimmed":
    trim()
lines = Path("/proc/self/status").read_text().splitlines()
print(1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1]))
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or platform.system() != "Linux", reason="Linux with glibc"
)
def test_what_is_free_between_small_blocks_goes_back_to_the_system():
    n_bytes = {}
    for how in ("trimmed", "kept"):
        command = [sys.executable, "-c", HOLES, how]
        n_bytes[how] = int(subprocess.check_output(command, cwd=ROOT))
    assert n_bytes["kept"] - n_bytes["trimmed"] > 150e6  # of 200 MB


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    limit_arenas()
    trim()
