"""How fast VoxForge archives become a dataset, and in how much memory. Prints figures.

    python tests/bench_prepare.py --gigabytes 1
    python tests/bench_prepare.py --gigabytes 10 --speech ../speech --work /tmp/bench --num-proc 2

Archives of ten recordings each are made in --work, of speech found in --speech (any folder of
recordings) at another volume each time, so that no two recordings are identical; then
prepare_data.py runs on them as its users run it, twice: the second run has nothing to do.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from helpers.voxforge import README_FIELDS, audio_bytes

ROOT = Path(__file__).resolve().parents[1]
N_RECORDINGS = 10
LANGUAGES = ("en", "fr", "de", "es", "it")
N_SPEAKERS = 400  # of each language
DURATION_S = 5.0
SAMPLE_RATE = 16_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=1.0, help="of archives")
    parser.add_argument("--speech", type=Path, help="folder of recordings; noise without it")
    parser.add_argument("--work", type=Path, help="folder for archives and dataset (temporary)")
    parser.add_argument("--num-proc", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        n_archives, n_bytes = make_archives(work / "archives", options.gigabytes, options.speech)
        print(f"{n_archives:,} archives, {n_bytes / 1e9:.2f} GB")
        command = [
            *(sys.executable, str(ROOT / "prepare_data.py"), "voxforge"),
            *("--archives", str(work / "archives"), "--output", str(work / "dataset")),
            *("--max-hours", "inf", "--max-minutes-per-speaker", "inf"),
            *("--num-proc", str(options.num_proc)),
        ]
        for what in ("build", "second run"):
            wall_s, peak = run(command)
            rate = f"{n_archives / wall_s:,.1f} archives/s, {n_bytes / 1e6 / wall_s:,.1f} MB/s, "
            print(f"{what}: {wall_s:,.1f} s, {rate}peak memory {peak / 1e6:,.0f} MB")
        size = sum(path.stat().st_size for path in (work / "dataset").rglob("*.parquet"))
        print(f"dataset: {size / 1e9:.2f} GB")


def make_archives(folder: Path, gigabytes: float, speech: Path | None) -> tuple[int, int]:
    """Number and bytes of the archives in ``folder``, made unless enough are there."""
    wanted = gigabytes * 1e9
    clips = read_clips(speech)
    number = 0
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*.tgz"))
    if n_bytes < wanted:
        shutil.rmtree(folder, ignore_errors=True)
        n_bytes = 0
        with ProcessPoolExecutor(2, initializer=set_clips, initargs=(clips,)) as pool:
            while n_bytes < wanted:
                numbers = range(number, number + 64)
                n_bytes += sum(pool.map(make_one, [folder] * len(numbers), numbers))
                number += 64
    return len(list(folder.rglob("*.tgz"))), n_bytes


def read_clips(speech: Path | None) -> list[np.ndarray]:
    """Waveforms (n,) float32 of the same length, at 16 kHz."""
    n_samples = round(DURATION_S * SAMPLE_RATE)
    rng = np.random.default_rng(0)
    clips = [] if speech else list(0.1 * rng.standard_normal((50, n_samples)).astype(np.float32))
    for path in sorted(speech.rglob("*.*")) if speech else ():
        if len(clips) == 500:
            break
        try:
            waveform, rate = soundfile.read(path, dtype="float32")
        except soundfile.LibsndfileError:
            continue
        if rate == SAMPLE_RATE and waveform.ndim == 1 and len(waveform) >= n_samples:
            clips.append(waveform[:n_samples] / np.abs(waveform).max().clip(1e-3))
    return clips


def set_clips(clips: list[np.ndarray]) -> None:
    global CLIPS
    CLIPS = clips


def make_one(folder: Path, number: int) -> int:
    """Write archive ``number`` and give its size; weakly compressed, which reads no faster."""
    rng = np.random.default_rng(number)
    language = LANGUAGES[number % len(LANGUAGES)]
    speaker = f"speaker{number // len(LANGUAGES) % N_SPEAKERS}{language}"
    top = f"{speaker}-{20080101 + number // 10_000}-{number % 10_000:04d}"
    path = folder / language / f"{top}.tgz"
    path.parent.mkdir(parents=True, exist_ok=True)
    readme = {**README_FIELDS, "User Name": speaker, "Gender": ("Female", "Male")[number % 2]}
    members = {
        "etc/README": "".join(f"{key}: {value}\n" for key, value in readme.items()).encode(),
        "etc/PROMPTS": "".join(
            f"{top}/mfc/a{i:04d} SOME WORDS\n" for i in range(N_RECORDINGS)
        ).encode(),
    }
    for i, clip in enumerate(rng.choice(len(CLIPS), N_RECORDINGS)):
        samples = (CLIPS[clip] * rng.uniform(5_000, 30_000)).astype(np.int16)
        members[f"wav/a{i:04d}.wav"] = audio_bytes(samples)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path.stat().st_size


def run(command: list[str]) -> tuple[float, int]:
    """Seconds, and the most memory that the process and its children had at once, in bytes."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, sum(map(resident, family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        sys.exit(f"prepare_data.py ended with {code}")
    return time.monotonic() - started, peak


def family(pid: int) -> list[int]:
    """A process and all that it started (Linux)."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def resident(pid: int) -> int:
    """Memory of a process in bytes, what it shares with others divided among them (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
