"""Decode thousands of mutated recordings, and count what became of them.

    python tests/fuzz_audio.py 20000                   # the counts, and the failures
    python tests/fuzz_audio.py 500 --seed 7 --processes 2
    python tests/fuzz_audio.py --show 1234 out.bin     # the bytes of one mutation

`helpers.mutations` makes them. A worker process decodes them one after the other, with 512 MB of
memory; one that takes longer than 20 s for a recording, or dies, is replaced. Right is: samples
that are finite, or an `AudioError`, each in one sentence, and nothing printed. Exit status 1 if
anything else happened.
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
from helpers.mutations import base_clips, mutation

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
    sys.path.insert(0, str(Path(__file__).parents[1]))  # where langid is
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


if __name__ == "__main__":
    sys.exit(main())
