"""Clips → a Hugging Face ``DatasetDict`` on disk, in bounded memory, whole or not at all."""

import multiprocessing
import os
import signal
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path, PurePath

import datasets
from datasets import Audio, ClassLabel, Dataset, DatasetDict, Features, Value
from datasets.exceptions import DatasetGenerationError
from tqdm import tqdm

from langid.audio import SAMPLE_RATE
from langid.clips import Clip, DataError, Drops, Piece, UnusableClip, encode_clip
from langid.splits import SPLITS
from langid.tally import Tallies, Tally

# Rows held in memory before they go to disk: at 30 s of FLAC each, some 20 MB.
WRITER_BATCH_SIZE = 32
JOBS_AHEAD = 4  # clips in flight for each process
_COMPLETE_MARK = "dataset_dict.json"  # what save_to_disk writes into a DatasetDict's folder


def check_output(output: Path, overwrite: bool) -> None:
    """Refuse an output folder that holds something, before any work is done.

    Raises
    ------
    DataError
        Unless the folder is absent, empty, or a dataset that may be overwritten.
    """
    if not os.path.lexists(output):
        return
    if not output.is_dir():
        raise DataError(f"{output} is a file: give a folder for --output.")
    if not any(output.iterdir()):
        return
    if not (output / _COMPLETE_MARK).is_file():
        raise DataError(f"{output} holds something else than a dataset: choose another folder.")
    if not overwrite:
        raise DataError(
            f"{output} exists already: choose another folder, or replace it with --overwrite."
        )


def build_dataset(
    clips: list[Clip],
    output: Path,
    drops: Drops,
    *,
    min_duration_s: float = 0.5,
    max_duration_s: float = 30.0,
    n_processes: int = 1,
) -> Tallies:
    """Check and store ``clips`` (each with its split) in ``output``, replacing what is there.

    Columns: ``audio`` (16 kHz; FLAC or the original compressed bytes), ``language``,
    ``speaker_id``, ``source``, ``licence``, ``synthetic``, ``duration_s``, ``transcript``.
    Identical audio is stored once; of two splits, in the one that is not for training.
    Everything is written beside ``output`` and renamed at the end. ``drops`` receives what was
    left out.

    Raises
    ------
    DataError
        If no clip is usable, or the disk does not take the dataset.
    """
    tallies: Tallies = defaultdict(Tally)
    encode = partial(encode_clip, min_duration_s=min_duration_s, max_duration_s=max_duration_s)
    names = sorted({clip.language for clip in clips})
    seen: dict[bytes, Clip] = {}
    built = {}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-part-") as work,
            _no_bars_of_datasets(),
            _process_pool(n_processes) as pool,
            tqdm(total=len(clips), unit="clip", disable=None) as progress,
        ):
            for split in reversed(SPLITS):  # train last: it yields to the others
                of_split = [clip for clip in clips if clip.split == split]
                encoded = _encoded(of_split, encode, pool, JOBS_AHEAD * n_processes, drops)
                rows = _rows(encoded, seen, drops, tallies, progress)
                first = next(rows, None)
                if first is not None:
                    built[split] = _write(chain([first], rows), split, names, Path(work))
            if not built:
                raise DataError("No usable recording is left, so nothing was written.")
            _save(built, sorted({language for _, language in tallies}), output, Path(work))
    except BrokenProcessPool as error:
        raise DataError("A decoding process died: try again with --num-proc 1.") from error
    except OSError as error:
        raise DataError(f"Cannot write {output}: {error.strerror or error}.") from error
    return dict(tallies)


def _encoded(
    clips: list[Clip], encode: partial, pool: Executor | None, n_ahead: int, drops: Drops
) -> Iterator[tuple[Clip, list[Piece]]]:
    """Clips with their stored form, in order; an unusable one is counted and has no pieces."""

    def outcome(clip: Clip, result: Callable[[], list[Piece]]) -> tuple[Clip, list[Piece]]:
        try:
            return clip, result()
        except UnusableClip as reason:
            drops.add(str(reason), clip.file_name)
            return clip, []

    waiting: deque = deque()  # Executor.map would hold the results of the whole corpus
    for clip in clips:
        if pool is None:
            yield outcome(clip, partial(encode, clip.path))
            continue
        waiting.append((clip, pool.submit(encode, clip.path).result))
        if len(waiting) >= n_ahead:
            yield outcome(*waiting.popleft())
    while waiting:
        yield outcome(*waiting.popleft())


def _rows(
    encoded: Iterator[tuple[Clip, list[Piece]]],
    seen: dict[bytes, Clip],
    drops: Drops,
    tallies: Tallies,
    progress: tqdm,
) -> Iterator[dict]:
    """Rows of one split, without the audio that was ``seen`` before."""
    for clip, pieces in encoded:
        progress.update()
        for number, piece in enumerate(pieces):
            twin = seen.setdefault(piece.digest, clip)
            if twin is not clip:
                drops.add(_twin_reason(clip, twin), clip.file_name)
                continue
            tallies[clip.split, clip.language].add(clip.speaker_id, piece.duration_s)
            part = f"-{number:04d}" if len(pieces) > 1 else ""
            name = PurePath(clip.file_name).stem + part + piece.suffix
            yield {
                "audio": {"bytes": piece.data, "path": name},
                "language": clip.language,
                "speaker_id": clip.speaker_id,
                "source": clip.source,
                "licence": clip.licence,
                "synthetic": clip.synthetic,
                "duration_s": piece.duration_s,
                "transcript": clip.transcript if len(pieces) == 1 else None,
            }


def _twin_reason(clip: Clip, twin: Clip) -> str:
    if clip.language != twin.language:
        return "same audio as a clip of another language"
    if clip.split != twin.split:
        return f"same audio as a clip in {twin.split}"
    return "same audio as another clip"


def _write(rows: Iterator[dict], split: str, names: list[str], work: Path) -> Dataset:
    """Store rows in Arrow files below ``work``; the audio is not yet an ``Audio`` feature.

    Encoding into that feature would need torchcodec; casting to it at the end does not.
    """
    features = Features(
        {
            "audio": {"bytes": Value("binary"), "path": Value("string")},
            "language": ClassLabel(names=names),
            "speaker_id": Value("string"),
            "source": Value("string"),
            "licence": Value("string"),
            "synthetic": Value("bool"),
            "duration_s": Value("float32"),
            "transcript": Value("string"),
        }
    )
    try:
        return Dataset.from_generator(
            lambda: rows,
            features=features,
            cache_dir=str(work / "cache"),
            split=split,
            fingerprint=split,  # the folder is new, and hashing the rows would consume them
            writer_batch_size=WRITER_BATCH_SIZE,
        )
    except DatasetGenerationError as error:
        raise error.__cause__ or error from None


def _save(built: dict[str, Dataset], names: list[str], output: Path, work: Path) -> None:
    """Complete the features, save below ``work``, and put the result in the output's place."""
    splits = DatasetDict()
    for split in SPLITS:
        if split in built:
            dataset = _with_languages(built[split], names)
            splits[split] = dataset.cast_column("audio", Audio(sampling_rate=SAMPLE_RATE))
    splits.save_to_disk(work / "dataset")
    if output.exists():
        output.rename(work / "replaced")
    (work / "dataset").rename(output)


def _with_languages(dataset: Dataset, names: list[str]) -> Dataset:
    """Leave out of the labels the languages of which no clip was usable."""
    labels = dataset.features["language"]
    if labels.names == names:
        return dataset
    features = dataset.features.copy()
    features["language"] = ClassLabel(names=names)
    new_label = [names.index(name) if name in names else None for name in labels.names]
    return dataset.map(
        lambda old: {"language": [new_label[label] for label in old]},
        input_columns="language",
        batched=True,
        batch_size=WRITER_BATCH_SIZE,
        writer_batch_size=WRITER_BATCH_SIZE,
        features=features,
    )


@contextmanager
def _no_bars_of_datasets() -> Iterator[None]:
    """One progress bar is enough."""
    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()


@contextmanager
def _process_pool(n_processes: int) -> Iterator[Executor | None]:
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
