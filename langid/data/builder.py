"""Recordings or archives → a Hugging Face dataset of Parquet files: bounded memory, resumable."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from langid.data.disjoint import Deduplicator, check_disjoint
from langid.data.processes import HOURS_BAR, process_pool, run_in_order
from langid.data.splits import SPLITS
from langid.data.store import BUILD_FILE, DATA_FOLDER, ShardWriter, number_shards, shard_paths
from langid.data.utterance import Job, Reading, ReasonCounts, Utterance
from langid.errors import DataError
from langid.files import exclusive_lock, read_json, write_json

JOURNAL_FILE = "journal.json"  # in the folder of an unfinished build
_FORMAT = 1  # of the stored rows: another number makes every dataset out of date


@dataclass(frozen=True)
class Recipe:
    """What a dataset is made of, and how; two equal recipes give equal datasets.

    ``settings`` are plain JSON types: all that decides over the content, apart from the jobs.
    """

    jobs: list[Job]
    languages: list[str]
    settings: dict

    @property
    def fingerprint(self) -> str:
        jobs = [(job.key, job.split, job.n_bytes, job.stamp) for job in self.jobs]
        content = [_FORMAT, self.languages, self.settings, jobs]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()


@dataclass
class Built:
    """What became of the recordings; ``is_new`` is false where there was nothing to do."""

    is_new: bool
    excluded: ReasonCounts = field(default_factory=ReasonCounts)
    changes: ReasonCounts = field(default_factory=ReasonCounts)


class Journal:
    """A file in the folder of the build, written anew, whole, with every finished shard.

    ``n_done`` jobs of each split are wholly in its ``n_shards`` finished shards; ``excluded`` and
    ``changes`` are what became of their recordings. A folder that holds another build's journal,
    or none that can be read, counts as empty.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._path = folder / JOURNAL_FILE
        self._fingerprint = fingerprint
        self.n_done: dict[str, int] = {}
        self.n_shards: dict[str, int] = {}
        self.excluded, self.changes = ReasonCounts(), ReasonCounts()
        state = read_json(self._path)
        self.resumes = state.get("fingerprint") == fingerprint
        if self.resumes:
            self.n_done, self.n_shards = state["n_done"], state["n_shards"]
            self.excluded = ReasonCounts.from_dict(state["drops"])
            self.changes = ReasonCounts.from_dict(state["changes"])

    def record(self, split: str, n_done: int, n_shards: int) -> None:
        """Call when a shard of ``split`` has its name; ``n_done`` jobs are in its shards."""
        self.n_done[split], self.n_shards[split] = n_done, n_shards
        self.save()

    def save(self) -> None:
        state = {
            "fingerprint": self._fingerprint,
            "n_done": self.n_done,
            "n_shards": self.n_shards,
            "drops": self.excluded.to_dict(),
            "changes": self.changes.to_dict(),
        }
        write_json(self._path, state)


def build_dataset(
    recipe: Recipe,
    read: Callable[[Job], Reading],
    output: Path,
    write_card: Callable[[Path, ReasonCounts, ReasonCounts], None],
    *,
    excluded: ReasonCounts,
    overwrite: bool = False,
    n_processes: int = 1,
    unit: str = "clip",
) -> Built:
    """Read every job and store its utterances in ``output``: Parquet files, card, build.json.

    Identical audio is stored once; of two splits, in the one that is not for training. The
    dataset grows in a folder beside ``output`` and takes its place when it is whole. What an
    interruption leaves there is taken up by the next build of the same recipe.

    Parameters
    ----------
    read
        Runs in the processes; ``functools.partial`` of a function of a module.
    write_card
        Writes README.md into a finished folder: takes the folder, what was left out and changed.
    excluded
        What was left out before, to be reported with the rest.
    unit
        Of the jobs' ``amount``, for the progress: ``"h"`` for hours of audio.

    Raises
    ------
    DataError
        If no recording is usable, a speaker stands in two splits, the disk does not take the
        dataset, a process dies, or ``output`` holds another one that may not be overwritten.
    """
    fingerprint = recipe.fingerprint
    if not overwrite and (output / BUILD_FILE).is_file():
        facts = read_json(output / BUILD_FILE)
        if facts.get("fingerprint") != fingerprint:
            raise DataError(
                f"{output} exists already, made of other recordings: choose another folder, or "
                "replace it with --overwrite."
            )
        if facts.get("n_rows") != _count_rows(output):
            raise DataError(
                f"{output} is damaged, some of its rows are gone: make it again with --overwrite."
            )
        return Built(
            False, ReasonCounts.from_dict(facts["drops"]), ReasonCounts.from_dict(facts["changes"])
        )
    try:
        with _work_folder(output) as work:
            folder = work / "dataset"
            # Files of other columns, an earlier version's, do not go together with today's.
            state = f"{fingerprint} {len(fields(Utterance))}"
            journal = _resume_or_start(work, folder, state, excluded)
            with process_pool(n_processes) as pool:
                _write_splits(recipe, read, folder, journal, pool, n_processes, unit)
            if not any(shard_paths(folder, split) for split in SPLITS):
                shutil.rmtree(folder)
                raise DataError(
                    "No usable recording is left, so nothing was written "
                    f"({journal.excluded.in_words() or 'there was none'})."
                )
            number_shards(folder, SPLITS)
            check_disjoint(folder)
            write_card(folder, journal.excluded, journal.changes)
            _write_facts(folder, fingerprint, recipe.settings, journal)
            if output.exists():
                output.rename(work / "replaced")
            folder.rename(output)
    except OSError as error:
        raise DataError(
            f"Cannot write {output} ({error.strerror or error}); the same command goes on from "
            "here when that is mended."
        ) from error
    return Built(True, journal.excluded, journal.changes)


@contextmanager
def _work_folder(output: Path) -> Iterator[Path]:
    """The folder where ``output`` grows, for this process alone; gone if nothing is in it."""
    work = work_path(output)
    work.mkdir(parents=True, exist_ok=True)
    busy = f"Another process is building {output}: wait for it to end."
    with exclusive_lock(work / "lock", busy):
        try:
            _clear_leftovers(work, output)
            yield work
        finally:
            if not (work / "dataset").exists():
                shutil.rmtree(work)


def work_path(output: Path) -> Path:
    """Where ``output`` grows."""
    return output.parent / f".{output.name}-part"


def _clear_leftovers(work: Path, output: Path) -> None:
    """What a process left that ended while one dataset was put in the place of another."""
    replaced = work / "replaced"
    if replaced.exists():
        if output.exists():
            shutil.rmtree(replaced)
        else:
            replaced.rename(output)
    if not (work / "dataset").exists():
        (work / JOURNAL_FILE).unlink(missing_ok=True)


def _resume_or_start(work: Path, folder: Path, fingerprint: str, excluded: ReasonCounts) -> Journal:
    """The journal of what an earlier run of the same build left in ``folder``, or a new one."""
    journal = Journal(work, fingerprint)
    if journal.resumes and _count_rows(folder) is None:  # what a power cut can do
        (work / JOURNAL_FILE).unlink()
        journal = Journal(work, fingerprint)
    if not journal.resumes:
        shutil.rmtree(folder, ignore_errors=True)
        journal.excluded.extend(excluded)
        journal.save()
    (folder / DATA_FOLDER).mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        for path in shard_paths(folder, split)[journal.n_shards.get(split, 0) :]:
            path.unlink()  # named, but not yet in the journal
    return journal


def _write_splits(
    recipe: Recipe,
    read: Callable[[Job], Reading],
    folder: Path,
    journal: Journal,
    pool: Executor | None,
    n_processes: int,
    unit: str,
) -> None:
    excluded, changes = journal.excluded, journal.changes
    unseen = Deduplicator()
    for split in SPLITS:
        unseen.remember_folder(folder, split)
    total = sum(job.amount for job in recipe.jobs)
    bar = {"bar_format": HOURS_BAR} if unit == "h" else {}
    with tqdm(total=total, unit=unit, disable=None, **bar) as progress:
        for split in reversed(SPLITS):  # train last: it yields to the others
            jobs = [job for job in recipe.jobs if job.split == split]
            n_done = journal.n_done.get(split, 0)
            progress.update(sum(job.amount for job in jobs[:n_done]))
            n_shards = journal.n_shards.get(split, 0)
            with ShardWriter(folder / DATA_FOLDER, split, recipe.languages, n_shards) as writer:
                readings = run_in_order(
                    pool, read, jobs[n_done:], n_processes, lambda job: job.n_bytes
                )
                for job, reading in readings:
                    progress.update(job.amount)
                    n_done += 1
                    excluded.extend(reading.excluded)
                    changes.extend(reading.changes)
                    for utterance in reading.utterances:
                        if (reason := unseen.reason_against(utterance, split)) is None:
                            writer.write(utterance)
                        else:
                            excluded.add(reason, utterance.file_name)
                    if writer.is_full:
                        writer.end_shard()
                        journal.record(split, n_done, writer.n_shards)
                writer.end_shard()
                journal.record(split, n_done, writer.n_shards)


def _count_rows(folder: Path) -> dict[str, int] | None:
    """Rows of each split by the ends of its files; None if one of them cannot be read."""
    try:
        return {
            split: sum(pq.read_metadata(path).num_rows for path in shard_paths(folder, split))
            for split in SPLITS
        }
    except (OSError, pa.ArrowException):
        return None


def _write_facts(folder: Path, fingerprint: str, settings: dict, journal: Journal) -> None:
    facts = {
        "fingerprint": fingerprint,
        "settings": settings,
        "n_rows": _count_rows(folder),
        "drops": journal.excluded.to_dict(),
        "changes": journal.changes.to_dict(),
    }
    write_json(folder / BUILD_FILE, facts)
