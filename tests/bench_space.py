"""How the Space holds under load: many clients in loops against a real server. Prints figures.

    python tests/bench_space.py
    python tests/bench_space.py --clients 10 --seconds 20

Each client does what README's curl commands do, over and over: it uploads one of the examples,
calls /predict, and reads its answer from the stream. Latency counts all three. Server and clients
share this machine's cores. The exit status is 1 if any call failed.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
from helpers.app_process import ROOT, AppProcess

CLIPS = sorted((ROOT / "examples").glob("*.flac"))
TIMEOUT_S = 120.0
SAMPLE_S = 1.0  # between two looks at the server's memory


@dataclass
class Figures:
    """Of the calls that ended within the time, and of the server's memory."""

    latencies_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    memory_bytes: list[int] = field(default_factory=list)
    cpu_s: float = 0.0  # of the server


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=120, metavar="S", help="default: 120")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, AppProcess(Path(folder)) as app:
        app.identify(CLIPS[0])  # the first answer loads what is loaded late
        figures = asyncio.run(load(app, options.clients, options.seconds))
    print(table(figures, options.clients, options.seconds))
    return bool(figures.errors)


async def load(app: AppProcess, n_clients: int, duration_s: float) -> Figures:
    """Keep all clients busy for so long; calls that are under way at the end are not counted."""
    figures, before_s = Figures(), cpu_s(app.process.pid)
    # As curl and the Gradio clients, each call on a connection of its own: one that is kept may be
    # closed by the server just when it is used again.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=app.url, timeout=TIMEOUT_S, limits=limits) as http:
        clients = [client(http, n, figures) for n in range(n_clients)]
        tasks = [asyncio.create_task(each) for each in (*clients, watch(app, figures))]
        await asyncio.wait(tasks, timeout=duration_s, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()  # a fault of this script
            task.cancel()
        figures.cpu_s = cpu_s(app.process.pid) - before_s
        await asyncio.gather(*tasks, return_exceptions=True)
    return figures


async def client(http: httpx.AsyncClient, n: int, figures: Figures) -> None:
    """One client, which begins with the n-th clip."""
    for i in itertools.count(n):
        clip, start_s = CLIPS[i % len(CLIPS)], time.monotonic()
        try:
            await identify(http, clip)
        except (httpx.HTTPError, AssertionError) as error:
            figures.errors[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(1)
        else:
            figures.latencies_s.append(time.monotonic() - start_s)


async def identify(http: httpx.AsyncClient, clip: Path) -> None:
    """The answer is asserted to be what the clip's name says, one of other and none included."""
    files = {"files": (clip.name, clip.read_bytes())}
    uploaded = (await http.post("/gradio_api/upload", files=files)).raise_for_status().json()
    audio = {"path": uploaded[0], "meta": {"_type": "gradio.FileData"}}
    called = await http.post("/gradio_api/call/predict", json={"data": [audio]})
    event_id = called.raise_for_status().json()["event_id"]
    async with http.stream("GET", f"/gradio_api/call/predict/{event_id}") as stream:
        event = ""
        async for line in stream.aiter_lines():
            kind, _, value = line.partition(": ")
            if kind == "event":
                event = value
            elif kind == "data" and event != "heartbeat":
                assert event == "complete", value
                _, result = json.loads(value)
                wanted = {"dutch": "other", "rain": "none"}.get(clip.stem)
                expected = wanted or {"german": "de", "spanish": "es"}.get(clip.stem, clip.stem[:2])
                assert result["language"] == expected, f"{clip.name}: {result['language']}"
                return
    raise AssertionError("the stream ended without an answer")


async def watch(app: AppProcess, figures: Figures) -> None:
    while True:
        figures.memory_bytes.append(memory_bytes(app.process.pid))
        await asyncio.sleep(SAMPLE_S)


def memory_bytes(pid: int) -> int:
    """Resident memory of a process on Linux."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def cpu_s(pid: int) -> float:
    """Processor time of a process on Linux, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(figures: Figures, n_clients: int, duration_s: float) -> str:
    n, memory = len(figures.latencies_s), figures.memory_bytes
    rows = [
        ("clients", f"{n_clients}"),
        ("seconds", f"{duration_s:.0f}"),
        ("answers", f"{n:,}"),
        ("errors", f"{figures.errors.total():,}"),
        ("answers a second", f"{n / duration_s:.1f}"),
    ]
    if n > 1:
        percentiles = quantiles(figures.latencies_s, n=20, method="inclusive")
        rows += [
            ("p50", f"{percentiles[9]:.2f} s"),
            ("p95", f"{percentiles[18]:.2f} s"),
            ("longest", f"{max(figures.latencies_s):.2f} s"),
            ("server's CPU", f"{figures.cpu_s / duration_s:.2f} cores"),
            ("CPU an answer", f"{1000 * figures.cpu_s / n:.0f} ms"),
        ]
    quarter = max(1, len(memory) // 4)
    rows += [
        ("memory at the start", f"{memory[0] / 1e6:.0f} MB"),
        ("after a quarter", f"{memory[quarter - 1] / 1e6:.0f} MB"),
        ("in the middle", f"{memory[len(memory) // 2] / 1e6:.0f} MB"),
        ("at the end", f"{memory[-1] / 1e6:.0f} MB"),
    ]
    lines = [f"{name:<20}{value:>12}" for name, value in rows]
    return "\n".join([*lines, *(f"{count} × {text}" for text, count in figures.errors.items())])


if __name__ == "__main__":
    sys.exit(main())
