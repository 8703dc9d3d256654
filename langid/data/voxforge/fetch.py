"""From VoxForge's server, or a folder of its archives, to the plan of a dataset."""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from langid.data.utterance import ReasonCounts
from langid.data.voxforge.archive import Archive
from langid.data.voxforge.archives import find_archives, survey_readable
from langid.data.voxforge.http import DownloadFailed, Stop, download, polite_session
from langid.data.voxforge.index import list_archives
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.plan import Plan, make_plan, read_splits, splits_path
from langid.data.voxforge.selection import Caps, Planner
from langid.errors import DataError
from langid.files import exclusive_lock, write_json

# So many archives one after another that fail for the host's sake, and it is given up.
MAX_HOST_FAILURES = 5
DOWNLOAD_FAILED = "download failed"  # begins the reasons of what was not downloaded
LOCK_NAME = ".downloading.lock"
ESTIMATE_INTERVAL_S = 1.0
STOPPING_S = 1.5  # for what is just being written, before the threads are left behind
# Before the first archives of a language are known; only the progress bar depends on it.
_TYPICAL_DURATION_S = 50.0
_TYPICAL_BYTES = 1_500_000


def plan_voxforge(
    folder: Path,
    excluded: ReasonCounts,
    settings: dict,
    shares: Mapping[str, float],
    *,
    resumes: bool = False,
    **source,
) -> Plan:
    """Decide what a dataset is made of, and bring what is missing of it into ``folder``.

    The plan and the splits are written there; ``excluded`` receives all that is left out. Where a
    build ``resumes``, the plan that it began with is read again, if its archives are still there.

    Parameters
    ----------
    settings
        Options of the command line that decide what the dataset holds.
    shares
        Of ``"validation"`` and ``"test"`` among the speakers.
    source
        How ``survey_voxforge`` gets at the archives.

    Raises
    ------
    DataError
        If the record of splits is damaged, there is nothing to choose from, or as
        ``survey_voxforge`` does.
    """
    manifest = Manifest(folder)
    plan = Plan.read(folder, settings, manifest) if resumes else None
    if plan is not None:
        return plan
    splits_record = splits_path(folder, shares, settings["seed"])
    read_splits(splits_record)  # refused before hours of downloads
    planners = survey_voxforge(
        folder,
        manifest,
        excluded,
        Caps(settings["max_hours"], settings["max_minutes_per_speaker"]),
        languages=settings["languages"],
        sample_rates=settings["sample_rates"],
        **source,
    )
    known_splits = read_splits(splits_record)
    plan = make_plan(planners, folder, excluded, settings, shares, known_splits)
    split_of = {archive.speaker_id: archive.split for archive in plan.archives}
    try:
        write_json(splits_record, dict(sorted({**known_splits, **split_of}.items())))
        plan.write(folder)
    except OSError:
        print(f"The splits cannot be kept in {folder}: with more archives a few may change.")
    return plan


def survey_voxforge(
    folder: Path,
    manifest: Manifest,
    excluded: ReasonCounts,
    caps: Caps,
    *,
    languages: Sequence[str],
    sample_rates: Sequence[str],
    base_url: str | None,
    n_workers: int,
    n_processes: int,
) -> list[Planner]:
    """Of each language the planner, which knows all that it needs of the archives in ``folder``.

    Unless ``base_url`` is None, what ``caps`` ask for and the folder lacks is downloaded, over
    ``n_workers`` connections.

    Raises
    ------
    DataError
        As ``find_archives``, ``list_archives`` and ``fetch_archives`` do, or if the folder cannot
        be written or another run downloads to it.
    """

    def planners(listed: Sequence[Archive]) -> list[Planner]:
        archives = find_archives(
            folder,
            languages,
            manifest,
            excluded,
            listed=listed,
            sample_rates=sample_rates,
            n_processes=n_processes,
        )
        return [
            Planner(language, [a for a in archives if a.language == language], caps, excluded)
            for language in languages
        ]

    if base_url is None:
        return planners(listed=())
    # Its warnings at every new attempt would tear the progress bar.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    stop = Stop()
    with polite_session(n_workers, stop) as session:
        listed = [
            archive
            for language in languages
            for archive in list_archives(session, base_url, language, sample_rates)
        ]
        with _only_run(folder):
            needed = planners(listed)
            fetch_archives(session, stop, needed, folder, manifest, excluded, n_workers)
    return needed


def fetch_archives(
    session: requests.Session,
    stop: Stop,
    planners: Sequence[Planner],
    folder: Path,
    manifest: Manifest,
    excluded: ReasonCounts,
    n_workers: int,
) -> None:
    """Download what the planners ask for, until they need no more.

    Every archive is kept in the manifest as soon as it is complete. One that fails is named on
    standard error and counted in ``excluded``, as a corrupt one is.

    Raises
    ------
    DataError
        If the host gives nothing any more, or the disk takes nothing.
    KeyboardInterrupt
        Soon: a thread that still waits for the host is left behind, and writes nothing any more.
        Like the others it leaves what is downloaded, also in part, for the next run.
    """

    def fetch(archive: Archive) -> Archive:
        target = folder / archive.key
        is_surely_whole = download(session, archive.url, target, bar.add, stop)
        survey = survey_readable(target)
        if survey.problem is not None and not is_surely_whole:
            # Perhaps two pieces that do not belong together: once more, from the beginning.
            target.unlink()
            download(session, archive.url, target, bar.add, stop)
            survey = survey_readable(target)
        manifest.record_survey(archive.key, target, survey, archive.url)
        return replace(archive, path=target, survey=survey)

    turns = deque(planners)  # all languages advance alike
    in_flight: dict[Future, tuple[Planner, Archive]] = {}
    n_host_failures = 0
    with Bar(planners) as bar:
        try:
            while True:
                while len(in_flight) < n_workers and (job := _next_job(turns)):
                    in_flight[_in_thread(fetch, job[1])] = job
                if not in_flight:
                    return
                for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                    planner, archive = in_flight.pop(future)
                    n_host_failures = _enter(future, planner, archive, excluded, n_host_failures)
                    if n_host_failures == MAX_HOST_FAILURES:
                        raise DataError(
                            f"{urlsplit(archive.url).hostname} gives nothing any more "
                            f"({future.exception()}): what is downloaded is kept in {folder}, and "
                            "the same command goes on from there."
                        )
                    bar.show_left()
        except BaseException:
            stop.set()
            wait(in_flight, STOPPING_S)
            raise


def _enter(
    fetched: Future,
    planner: Planner,
    archive: Archive,
    excluded: ReasonCounts,
    n_host_failures: int,
) -> int:
    """Let the planner know what became of a download; how many have failed for the host's sake."""
    try:
        surveyed = fetched.result()
    except DownloadFailed as failure:
        planner.enter(archive.key, None)
        tqdm.write(f"{archive.key}: {failure}", file=sys.stderr)
        excluded.add(f"{DOWNLOAD_FAILED}: {failure}", archive.key)
        return n_host_failures + 1 if failure.is_host_fault else 0
    planner.enter(archive.key, surveyed)
    if surveyed.survey.problem is not None:
        excluded.add(f"corrupt archive: {surveyed.survey.problem}", archive.key)
    return 0


def _in_thread(fetch: Callable[[Archive], Archive], archive: Archive) -> Future:
    """What becomes of an archive, in a thread that the end of the program does not wait for.

    Those of ``ThreadPoolExecutor`` would hold it up until the host answers or time is out.
    """
    future: Future = Future()

    def run() -> None:
        try:
            future.set_result(fetch(archive))
        except BaseException as error:
            future.set_exception(error)  # raised again where the result is asked for

    threading.Thread(target=run, daemon=True).start()
    return future


def _next_job(turns: deque[Planner]) -> tuple[Planner, Archive] | None:
    for _ in range(len(turns)):
        planner = turns[0]
        turns.rotate(-1)
        archive = planner.next()
        if archive is not None:
            return planner, archive
    return None


class Bar(tqdm):
    """One progress bar: bytes and rate, and about how many archives are left."""

    def __init__(self, planners: Sequence[Planner], disable: bool | None = None, file=None):
        super().__init__(unit="B", unit_scale=True, desc="download", disable=disable, file=file)
        self._planners = planners
        self._next_estimate_s = 0.0
        self.show_left()

    def add(self, n_bytes: int) -> None:
        with self.get_lock():
            self.update(n_bytes)

    def show_left(self) -> None:
        """Estimate anew, but seldom: that takes a walk through all plans."""
        if self.disable or time.monotonic() < self._next_estimate_s:
            return
        self._next_estimate_s = time.monotonic() + ESTIMATE_INTERVAL_S
        left = [
            a for planner in self._planners for a in planner.likely_missing(_TYPICAL_DURATION_S)
        ]
        self.total = self.n + sum(archive.n_bytes or _TYPICAL_BYTES for archive in left)
        self.set_postfix_str(f"{len(left):,} archives left")


@contextmanager
def _only_run(folder: Path) -> Iterator[None]:
    """Keep two runs from writing the same parts.

    Raises
    ------
    DataError
        If another one is at work, or the folder cannot be written.
    """
    busy = f"Another run is downloading to {folder}: wait for it, or choose another folder."
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive_lock(folder / LOCK_NAME, busy))
        except OSError as error:
            raise DataError(f"Cannot write to {folder}: {error.strerror or error}.") from error
        yield
