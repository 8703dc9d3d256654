"""Decode thousands of mutated recordings, and count what became of them.

    python tests/fuzz_audio.py 20000                   # the counts, and the failures
    python tests/fuzz_audio.py 500 --seed 7 --processes 2
    python tests/fuzz_audio.py --show 1234 out.bin     # the bytes of one mutation

Every number is one mutation of one clip, the same on every machine with the same encoders: bytes,
header fields, sizes, truncations, and, container by container, boxes, elements, chunks, objects
and pages that are lost, doubled, exchanged or whose sizes lie. A worker process decodes them one
after the other, with 512 MB of memory; one that takes longer than 20 s for a recording, or dies,
is replaced. Right is: samples that are finite, or an `AudioError`, each in one sentence, and
nothing printed. Exit status 1 if anything else happened.
"""

import argparse
import contextlib
import json
import os
import pickle
import resource
import select
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MEMORY_BYTES = 512 * 2**20
TIMEOUT_S = 20.0
FILES_PER_WORKER = 500  # then a fresh one, so that leaks do not add up to a failure
REFUSED, DECODED, WARNED = "refused", "decoded", "decoded with a warning"
RIGHT = (REFUSED, DECODED, WARNED)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("n", type=int, nargs="?", default=200, help="mutations (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first (default: 0)")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--show", nargs=2, metavar=("NUMBER", "FILE"), help="write one of them")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    if options.worker:
        work(Path(options.worker))
        return 0
    if options.show:
        Path(options.show[1]).write_bytes(mutation(int(options.show[0]), base_clips())[1])
        return 0
    counts, failures = run(range(options.seed, options.seed + options.n), options.processes)
    for name in sorted({name for name, _ in counts}):
        print(f"{name:20s}", *(f"{counts[name, outcome]:6d} {outcome}" for outcome in RIGHT))
    print(f"{options.n} mutations:", *(f"{n} {o}," for o, n in totals(counts).items()), end=" ")
    print(f"{len(failures)} failures")
    for number, name, outcome in failures:
        print(f"{number} ({name}): {outcome}")
    return 1 if failures else 0


def totals(counts: Counter) -> dict[str, int]:
    return {outcome: sum(n for (_, o), n in counts.items() if o == outcome) for outcome in RIGHT}


def run(numbers: range, n_processes: int = 1) -> tuple[Counter, list[tuple[int, str, str]]]:
    """Decode the mutations of these numbers; → how many of each clip had each right outcome, and
    (number, clip, what happened) of the others."""
    clips = base_clips()
    names = list(clips)
    counts, failures, waiting = Counter(), [], iter(numbers)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "clips").write_bytes(pickle.dumps(clips))
        workers: list[Worker | None] = [Worker(folder, waiting) for _ in range(n_processes)]
        while any(worker and worker.number is not None for worker in workers):
            for index, worker in enumerate(workers):
                if worker is None or worker.number is None:
                    continue
                outcome = worker.outcome()
                name = names[worker.number % len(names)]
                if outcome in RIGHT:
                    counts[name, outcome] += 1
                else:
                    failures.append((worker.number, name, outcome))
                if outcome not in RIGHT or worker.n_done == FILES_PER_WORKER:
                    worker.close()
                    workers[index] = Worker(folder, waiting)
                else:
                    worker.start_next()
        for worker in filter(None, workers):
            worker.close()
    return counts, failures


class Worker:
    """A process that decodes one mutation after the other."""

    def __init__(self, folder: str, numbers: Iterator[int]):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        self._numbers = numbers
        self.n_done = 0
        self._process.stdout.readline()  # it is ready
        self.start_next()

    def start_next(self) -> None:
        self.number = next(self._numbers, None)
        if self.number is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"%d\n" % self.number)
                self._process.stdin.flush()

    def outcome(self) -> str:
        """What became of the number that was started last."""
        self.n_done += 1
        ready, _, _ = select.select([self._process.stdout], [], [], TIMEOUT_S)
        if not ready:
            return f"longer than {TIMEOUT_S:.0f} s"
        line = self._process.stdout.readline()
        self._errors.seek(0)
        printed = self._errors.read().decode(errors="replace").strip()
        if not line:
            return f"crash, exit status {self._process.wait()}: {printed[-300:]}"
        return f"printed {printed!r}" if printed else json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                file.close()


def work(folder: Path) -> None:
    """The worker: numbers come on standard input, outcomes go to standard output as JSON."""
    from langid.audio import AudioStream
    from langid.errors import AudioError

    clips = pickle.loads(Path(folder, "clips").read_bytes())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    print(flush=True)
    for line in sys.stdin:
        _, data = mutation(int(line), clips)
        try:
            outcome = decode(AudioStream(data))
        except AudioError as error:
            outcome = REFUSED if is_sentence(str(error)) else f"no sentence: {error}"
        except Exception:
            outcome = traceback.format_exc(limit=-3)
        print(json.dumps(outcome), flush=True)


def decode(stream) -> str:
    for block in stream:
        if not np.isfinite(block).all() or block.dtype != np.float32 or block.ndim != 1:
            return "samples that are no samples"
    wrong = [warning for warning in stream.warnings if not is_sentence(warning)]
    if wrong:
        return f"no sentence: {wrong[0]}"
    return WARNED if stream.warnings else DECODED


def is_sentence(text: str) -> bool:
    return text.endswith(".") and ". " not in text and "\n" not in text and text.isprintable()


def base_clips() -> dict[str, bytes]:
    """A second of every format, and of what containers can hold besides."""
    from helpers.audio import FORMATS, clip, missing_encoder, mux_tracks, tone, two_tracks

    clips = {
        name: clip(name, duration_s=1.0, n_channels=1 if "amr" in name else 1 + len(name) % 2)
        for name, form in FORMATS.items()
        if missing_encoder(form) is None
    }
    late = [(1.0, tone(duration_s=1.0))]
    for container, codec, video_s in (
        ("mp4", "aac", 2.0),
        ("mov", "alac", 2.0),
        ("mpegts", "mp2", 2.0),
        ("flv", "aac", 0.0),
    ):
        clips[f"late_{container}"] = mux_tracks(late, container, codec, 44_100, video_s=video_s)
    clips["two_tracks"] = two_tracks()
    clips["ogg_chain"] = clips["ogg_opus"] + clips["ogg_vorbis"]
    clips["mp3_tags"] = (
        clips["mp3"] + b"LYRICSBEGIN" + b"la" * 90 + b"LYRICSEND" + b"TAG".ljust(128)
    )
    return clips


# Mutations.

EXTREMES = (0, 1, 7, 8, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1)


def mutation(number: int, clips: dict[str, bytes]) -> tuple[str, bytes]:
    """The name of the clip and the mutated bytes of a number."""
    name = list(clips)[number % len(clips)]
    rng = np.random.default_rng(number)
    data = bytearray(clips[name])
    for _ in range(1 + int(rng.integers(3))):
        mutate = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        data = bytearray(mutate(data, rng, clips)) or bytearray(b"\0")
    return name, bytes(data[: 2**22])


def place(data: bytes, rng: np.random.Generator) -> int:
    """An offset, half of the time near the beginning, where the headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 400)
    return int(rng.integers(max(1, end)))


def change_bytes(data, rng, clips):
    for _ in range(int(rng.integers(1, 20))):
        data[place(data, rng) % len(data)] = int(rng.integers(256))
    return data


def write_extreme(data, rng, clips):
    """A number that is a limit of something, in one of the widths and orders."""
    width = int(rng.choice([1, 2, 3, 4, 8]))
    value = int(EXTREMES[int(rng.integers(len(EXTREMES)))]) & ((1 << 8 * width) - 1)
    at = place(data, rng)
    data[at : at + width] = value.to_bytes(width, "little" if rng.random() < 0.5 else "big")
    return data


def cut_end(data, rng, clips):
    return data[: int(rng.integers(1, len(data) + 1))]


def cut_beginning(data, rng, clips):
    return data[place(data, rng) :]


def insert(data, rng, clips):
    at, n = place(data, rng), int(rng.integers(1, 2000))
    fill = rng.bytes(n) if rng.random() < 0.5 else bytes([int(rng.choice([0, 255]))]) * n
    return data[:at] + fill + data[at:]


def blank(data, rng, clips):
    at, n = place(data, rng), int(rng.integers(1, 3000))
    n = min(n, len(data) - at)
    data[at : at + n] = rng.bytes(n) if rng.random() < 0.5 else bytes(n)
    return data


def repeat(data, rng, clips):
    start, end = sorted((place(data, rng), place(data, rng)))
    return data[:end] + data[start:end] + data[end:]


def join(data, rng, clips):
    other = list(clips.values())[int(rng.integers(len(clips)))]
    at = place(data, rng) if rng.random() < 0.5 else len(data)
    return data[:at] + other + (data[at:] if rng.random() < 0.3 else b"")


def change_part(data, rng, clips):
    """Lose, double, exchange or change a part of the container, or lie about its size."""
    parts = list(container_parts(bytes(data)))
    if not parts:
        return write_extreme(data, rng, clips)
    start, end, size_at, n_size = parts[int(rng.integers(len(parts)))]
    how = int(rng.integers(6))
    if how == 0:
        return data[:start] + data[end:]
    if how == 1:
        return data[:end] + data[start:end] * int(rng.integers(1, 30)) + data[end:]
    if how == 2:
        other = parts[int(rng.integers(len(parts)))]
        first, second = sorted(((start, end), other[:2]))
        if first[1] <= second[0]:
            return (data[: first[0]] + data[slice(*second)] + data[first[1] : second[0]]
                    + data[slice(*first)] + data[second[1] :])  # fmt: skip
    if how == 3 and n_size:
        value = int(EXTREMES[int(rng.integers(len(EXTREMES)))]) & ((1 << 8 * n_size) - 1)
        data[size_at : size_at + n_size] = value.to_bytes(n_size, "big")
        return data
    at = start + int(rng.integers(max(1, min(end - start, 40))))
    data[at : at + 4] = rng.bytes(4) if how == 4 else b"\x7f\xff\xff\xff"
    return with_checksums(data) if data.startswith(b"OggS") else data


def with_checksums(data: bytes) -> bytes:
    from helpers.ogg import with_checksum

    pages = [(start, end) for start, end, _, _ in container_parts(bytes(data))]
    return b"".join(with_checksum(bytes(data[start:end])) for start, end in pages) or data


MUTATIONS = (
    change_bytes, write_extreme, write_extreme, cut_end, cut_beginning, insert, blank, repeat,
    join, change_part, change_part, change_part, change_part,
)  # fmt: skip


def container_parts(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, offset and width of its size) of each part, nested ones too."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat"):
        yield from boxes(data, 0, len(data))
    elif data[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        yield from chunks(data, 12, "big" if data[:4] in (b"RIFX", b"FORM") else "little")
    elif data.startswith(b"caff"):
        yield from wide_chunks(data)
    elif data.startswith(b"OggS"):
        yield from ogg_pages(data)
    elif data.startswith(b"\x1a\x45\xdf\xa3"):
        yield from elements(data, 0, len(data))
    elif data.startswith(b"\x30\x26\xb2\x75"):
        yield from objects(data)


def boxes(data, start, end):
    while start + 8 <= end:
        n = int.from_bytes(data[start : start + 4], "big")
        if n < 8 or start + n > end:
            return
        yield start, start + n, start, 4
        if data[start + 4 : start + 8] in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"):
            yield from boxes(data, start + 8, start + n)
        start += n


def chunks(data, start, order):
    while start + 8 <= len(data):
        n = 8 + int.from_bytes(data[start + 4 : start + 8], order)
        end = min(len(data), start + n + n % 2)
        yield start, end, start + 4, 4
        start = end


def wide_chunks(data):
    start = 8
    while start + 12 <= len(data):
        end = min(len(data), start + 12 + int.from_bytes(data[start + 4 : start + 12], "big"))
        yield start, end, start + 4, 8
        start = end


def objects(data):
    start, end = 30, len(data)  # within the header object
    while start + 24 <= end:
        n = int.from_bytes(data[start + 16 : start + 24], "little")
        if n < 24 or start + n > end:
            return
        yield start, start + n, start + 16, 8
        start += n


def elements(data, start, end):
    while start + 2 <= end:
        n_id = 9 - data[start].bit_length()
        at = start + n_id
        if n_id > 4 or at >= end:
            return
        n_size = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + n_size], "big") & ((1 << 7 * n_size) - 1)
        stop = min(end, at + n_size + size)
        yield start, stop, at, n_size
        if data[start:at] in (
            b"\x18\x53\x80\x67",
            b"\x16\x54\xae\x6b",
            b"\xae",
            b"\x1f\x43\xb6\x75",
        ):
            yield from elements(data, at + n_size, stop)
        start = stop


def ogg_pages(data):
    start = 0
    while data.startswith(b"OggS", start) and start + 27 <= len(data):
        n_segments = data[start + 26]
        end = start + 27 + n_segments + sum(data[start + 27 : start + 27 + n_segments])
        if end > len(data):
            return
        yield start, end, start + 6, 8  # its time stamp rather than a size
        start = end


if __name__ == "__main__":
    sys.exit(main())
