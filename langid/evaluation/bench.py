"""Speed and memory of ``identify`` on this machine, and beside it speechbrain's ECAPA-TDNN.

Times of a shared machine drift; the comparison therefore alternates between the two networks
within one run and reports the median ratio of neighbours. The recordings are made up (bursts of
harmonics and noise at the pace of syllables): nothing in the way of the data depends on what is
said. Every file is a real one, decoded from disk.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch

from langid.audio import SAMPLE_RATE, load_audio
from langid.data import options as cli
from langid.evaluation.bench_ecapa import INSTALL_HINT, compare, load_ecapa
from langid.identifier import BATCH_SIZE, LanguageIdentifier
from langid.version import VERSION
from langid.windows import cut_windows

BLOCK_S = 60
MIN_RUNS, MAX_RUNS, ENOUGH_S = 3, 20, 10.0  # runs of one measurement, and when they suffice

# A process of its own for import, loading, one answer. Its own high-water mark: ru_maxrss would
# also count the parent's memory at the time of the fork.
FRESH_PROCESS = """
import sys, time
start = time.perf_counter()
from langid import LanguageIdentifier
LanguageIdentifier.from_pretrained(sys.argv[2] or None).identify(sys.argv[1])
seconds = time.perf_counter() - start
try:
    lines = open("/proc/self/status").read().splitlines()
    peak = 1024 * int(next(l for l in lines if l.startswith("VmHWM")).split()[1])
except OSError:
    import resource
    unit = 1 if sys.platform == "darwin" else 1024
    peak = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(seconds, peak)
"""


def main(arguments: list[str] | None = None) -> int:
    """python -m langid bench."""
    parser = argparse.ArgumentParser(
        prog="python -m langid bench",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=cli.seconds, nargs="+", default=[4.0, 60.0], help="short recordings"
    )
    parser.add_argument("--long-hours", type=cli.hours, default=1.0, help="a long WAV; 0: none")
    parser.add_argument("--mp3-hours", type=cli.hours, default=3.0, help="a long MP3; 0: none")
    parser.add_argument(
        "--pairs", type=cli.positive_int, default=15, help="of alternating runs with ECAPA"
    )
    parser.add_argument("--skip-ecapa", action="store_true", help="leave the comparison out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--model", help="folder or Hub repository (default: embedded weights)")
    options = parser.parse_args(arguments)
    long_s = [3600 * hours for hours in (options.long_hours, options.mp3_hours) if hours]
    if min([*options.seconds, *long_s]) < 1:
        parser.error("recordings last at least 1 s")

    try:
        report = run_bench(
            seconds=options.seconds,
            long_hours=options.long_hours,
            mp3_hours=options.mp3_hours,
            n_pairs=0 if options.skip_ecapa else options.pairs,
            source=options.model,
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [f"status {error.returncode}"])[-1]
        parser.exit(2, f"bench: a measured process ended before its answer: {reason}\n")
    print(json.dumps(report, indent=2) if options.json else format_bench(report))
    return 0


def run_bench(
    seconds: list[float],
    long_hours: float,
    mp3_hours: float,
    n_pairs: int,
    source: str | None = None,
) -> dict:
    """Measure, with notes on standard error of what is under way.

    Returns
    -------
    dict of plain JSON types: ``machine``; ``identify``, for each recording the median of its
    runs; ``cold_start``; ``memory``; ``ecapa``, None where it was not measured, and
    ``ecapa_note`` then says why. ``real_time_factor`` is processing time / duration of the audio.

    Raises
    ------
    WeightsError
        If ``source`` names no usable weights.
    """
    identifier = LanguageIdentifier.from_pretrained(source)
    report = {"machine": machine(), "model": identifier.source, "identify": [], "memory": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long_files = [
            write_recording(folder / f"long{suffix}", 3600 * hours)
            for suffix, hours in ((".wav", long_hours), (".mp3", mp3_hours))
            if hours
        ]
        first = write_recording(folder / "first.wav", seconds[0])
        _note("cold start")
        runs = [fresh_process(first, source) for _ in range(MIN_RUNS)]
        report["cold_start"] = {
            "wall_s": median(run["wall_s"] for run in runs),
            "import_load_identify_s": median(run["inner_s"] for run in runs),
            "peak_memory_mb": median(run["peak_memory_mb"] for run in runs),
            "n_runs": len(runs),
        }
        for path in long_files:
            _note(f"memory, {path.suffix[1:]}")
            run = fresh_process(path, source)
            hours = soundfile.info(path).duration / 3600
            report["memory"].append(
                {
                    "format": path.suffix[1:],
                    "hours": hours,
                    "peak_memory_mb": run["peak_memory_mb"],
                    "wall_s": run["wall_s"],
                }
            )
        for duration_s in [*seconds, *([3600 * long_hours] if long_hours else [])]:
            _note(f"identify, {duration_s:g} s")
            path = write_recording(folder / "timed.wav", duration_s)
            report["identify"].append(time_identify(identifier, path, duration_s))
        report["ecapa"], report["ecapa_note"] = None, "left out"
        if n_pairs:
            report["ecapa"], report["ecapa_note"] = _compare_all(identifier, folder, n_pairs)
    return report


def machine() -> dict:
    """What the figures hold for."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        cpu = models[0] if models else cpu
    return {
        "cpu": cpu,
        "n_cores": os.cpu_count(),
        "n_threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "langid": VERSION,
    }


def speech_like(duration_s: float, seed: int = 0) -> Iterator[np.ndarray]:
    """Bursts of a gliding voice and of hiss, four a second: blocks of float32 at 16 kHz."""
    time_s = np.arange(BLOCK_S * SAMPLE_RATE) / SAMPLE_RATE
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time_s)) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * time_s), 0, None)
    hiss = rng.standard_normal(len(time_s)) * np.clip(-np.sin(2 * np.pi * 4 * time_s), 0, None)
    minute = (0.1 * voice * syllables + 0.02 * hiss).astype(np.float32)
    n_left = round(duration_s * SAMPLE_RATE)
    while n_left > 0:
        yield minute[:n_left]
        n_left -= len(minute)


def write_recording(path: Path, duration_s: float) -> Path:
    """A recording in the format of the file's ending, written block by block."""
    if duration_s > 10 * BLOCK_S:
        _note(f"writing {duration_s / 3600:g} h of {path.suffix[1:]}")
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1) as file:
        for block in speech_like(duration_s):
            file.write(block)
    return path


def time_identify(identifier: LanguageIdentifier, path: Path, duration_s: float) -> dict:
    """Median of several runs, decoding included, after one that is not counted."""
    if duration_s <= BLOCK_S:
        identifier.identify(path)
    runs_s: list[float] = []
    while len(runs_s) < MIN_RUNS or (sum(runs_s) < ENOUGH_S and len(runs_s) < MAX_RUNS):
        runs_s.append(_seconds(lambda: identifier.identify(path)))
    wall_s = median(runs_s)
    return {
        "duration_s": duration_s,
        "n_runs": len(runs_s),
        "wall_s": wall_s,
        "min_wall_s": min(runs_s),
        "max_wall_s": max(runs_s),
        "real_time_factor": wall_s / duration_s,
        "times_real_time": duration_s / wall_s,
    }


def fresh_process(path: Path, source: str | None = None) -> dict:
    """Identify a file in a new Python: wall-clock seconds, those inside it, and peak memory."""
    command = [sys.executable, "-c", FRESH_PROCESS, str(path), source or ""]
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    start_s = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    wall_s = time.perf_counter() - start_s
    inner_s, peak_bytes = done.stdout.split()
    return {
        "wall_s": wall_s,
        "inner_s": float(inner_s),
        "peak_memory_mb": int(peak_bytes) / 1e6,
    }


def _compare_all(
    identifier: LanguageIdentifier, folder: Path, n_pairs: int
) -> tuple[list[dict] | None, str | None]:
    """The comparison on one window and on those of a minute; else the reason that there is none."""
    try:
        ecapa = load_ecapa()
    except ImportError as error:
        return None, f"{INSTALL_HINT} ({error})"
    config = identifier.model.config
    waveform, _ = load_audio(write_recording(folder / "pairs.wav", BLOCK_S))
    windows = torch.from_numpy(
        np.stack(
            [
                window.waveform
                for window in cut_windows(
                    [waveform], config.window_s, config.hop_s, config.sample_rate
                )
            ]
        )
    )
    rows = []
    for n_windows, pairs in ((1, n_pairs), (len(windows), max(3, n_pairs // 3))):
        _note(f"comparison on {n_windows} windows")
        batches = windows[:n_windows].split(BATCH_SIZE)
        rows.append(compare(identifier.model.predict, ecapa, batches, pairs))
    return rows, None


def format_bench(report: dict) -> str:
    """The report as text."""
    m = report["machine"]
    lines = [
        f"{m['cpu']}, {m['n_cores']} cores, {m['n_threads']} threads; {m['platform']}",
        f"langid {m['langid']} ({report['model']}), torch {m['torch']}, Python {m['python']}",
        "",
        "identify (16 kHz WAV)         wall s    min – max s    wall / audio  × real time  runs",
    ]
    for row in report["identify"]:
        span = f"{row['min_wall_s']:.3f} – {row['max_wall_s']:.3f}"
        lines.append(
            f"  {row['duration_s']:8,.0f} s of audio  {row['wall_s']:12.3f}{span:>17}"
            f"{row['real_time_factor']:16.4f}{row['times_real_time']:13,.0f}{row['n_runs']:6}"
        )
    cold = report["cold_start"]
    lines += [
        "",
        f"cold start: {cold['wall_s']:.2f} s for a new process up to its end, of which "
        f"{cold['import_load_identify_s']:.2f} s import, load and first answer",
        f"peak memory: {cold['peak_memory_mb']:,.0f} MB for the shortest recording",
    ]
    lines += [
        f"             {row['peak_memory_mb']:,.0f} MB for {row['hours']:.1f} h of {row['format']}"
        f", in {row['wall_s']:,.0f} s with the start"
        for row in report["memory"]
    ]
    lines += ["", "log-mel + ECAPA-TDNN of speechbrain (VoxLingua107 size), on the same windows"]
    if report["ecapa"] is None:
        lines.append(f"  not measured: {report['ecapa_note']}")
    for row in report["ecapa"] or []:
        lines.append(
            f"  {row['n_windows']:3} windows: langid {1e3 * row['langid_s']:,.1f} ms, ECAPA "
            f"{1e3 * row['ecapa_s']:,.1f} ms; langid is {row['ratio']:.1f} × as fast "
            f"({row['min_ratio']:.1f} – {row['max_ratio']:.1f} in {row['n_pairs']} pairs)"
        )
    return "\n".join(lines)


def _seconds(run: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    run()
    return time.perf_counter() - start_s


def _note(text: str) -> None:
    print(f"bench: {text} …", file=sys.stderr, flush=True)
