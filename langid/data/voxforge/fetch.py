"""Downloads archives until every language has its hours, and surveys each on its way."""

from langid.errors import DataError
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from langid.files import exclusive_lock
from langid.data.utterance import Drops
from langid.data.voxforge.archive import Survey, unwanted
from langid.data.voxforge.download import download
from langid.data.voxforge.archives import survey_archives, survey_readable
from langid.data.voxforge.http_session import DownloadFailed, Stop, polite_session
from langid.data.voxforge.index import RemoteArchive, list_archives
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.selection import Caps, Plan

# So many archives one after another that fail for the host's sake, and it is given up.
MAX_HOST_FAILURES = 5
DOWNLOAD_FAILED = "download failed"  # begins the reasons of what was not downloaded
LOCK_NAME = ".downloading.lock"
ESTIMATE_INTERVAL_S = 1.0
STOPPING_S = 1.5  # for what is just being written, before the threads are left behind
# Before the first archives of a language are known; only the progress bar depends on it.
_TYPICAL_DURATION_S = 50.0
_TYPICAL_BYTES = 1_500_000


def fetch_voxforge(
    folder: Path,
    manifest: Manifest,
    drops: Drops,
    caps: Caps,
    *,
    languages: Sequence[str],
    sample_rates: Sequence[str],
    base_url: str,
    n_workers: int,
    n_processes: int,
) -> None:
    """Bring the archives of ``languages`` that ``caps`` ask for into ``folder``.

    Raises
    ------
    DataError
        As ``list_archives`` and ``fetch_archives`` do.
    """
    # Its warnings at every new attempt would tear the progress bar.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    stop = Stop()
    with polite_session(n_workers, stop) as session:
        remote = {
            language: list_archives(session, base_url, language, sample_rates)
            for language in languages
        }
        fetch_archives(
            session,
            stop,
            remote,
            folder,
            manifest,
            drops,
            caps,
            n_workers=n_workers,
            n_processes=n_processes,
        )


def fetch_archives(
    session: requests.Session,
    stop: Stop,
    remote: Mapping[str, Sequence[RemoteArchive]],
    folder: Path,
    manifest: Manifest,
    drops: Drops,
    caps: Caps,
    *,
    n_workers: int,
    n_processes: int,
) -> None:
    """Download, of the archives listed by language, those that are needed and not there.

    What is there is surveyed (in ``n_processes``) and never downloaded. Every archive is kept in
    the manifest as soon as it is complete. One that fails is named on standard error and counted
    in ``drops``; a corrupt one is not counted here, as it is found again in the folder.

    Raises
    ------
    DataError
        If the host gives nothing any more, the disk takes nothing, or another run is at work.
    KeyboardInterrupt
        Soon: a thread that still waits for the host is left behind, and writes nothing any more.
        Like the others it leaves what is downloaded, also in part, for the next run.
    """
    plans = [
        Plan(_of_speakers(language, archives, folder, drops), caps)
        for language, archives in remote.items()
    ]
    with _only_run(folder):
        paths = {a.key: folder / a.key for plan in plans for a in plan.order}
        there = {key: path for key, path in paths.items() if path.is_file()}
        surveys = survey_archives(there, manifest, n_processes)
        for plan in plans:
            for archive in plan.order:
                if archive.key in surveys:
                    plan.enter(archive.key, surveys[archive.key].usable_s)
        with _Bar(plans) as bar:
            fetcher = _Fetcher(session, stop, folder, manifest, bar)
            with closing(_fetch_all(fetcher, plans, n_workers)) as outcomes:
                for archive, outcome in outcomes:
                    if isinstance(outcome, DownloadFailed):
                        drops.add(f"{DOWNLOAD_FAILED}: {outcome}", archive.key)
                    bar.show_left()


def _of_speakers(
    language: str, archives: Sequence[RemoteArchive], folder: Path, drops: Drops
) -> Iterator[RemoteArchive]:
    """Archives of wanted speakers; of the others those are counted here that are not on disk."""
    for archive in archives:
        reason = unwanted(language, archive.speaker_id)
        if reason is None:
            yield archive
        elif not (folder / archive.key).exists():
            drops.add(reason, archive.key)


def _fetch_all(
    fetcher: "_Fetcher", plans: list[Plan], n_workers: int
) -> Iterator[tuple[RemoteArchive, Survey | DownloadFailed]]:
    """Archives with their outcomes, which stand in the plans already, as they come."""
    turns = deque(plans)  # all languages advance alike
    in_flight: dict[Future, tuple[Plan, RemoteArchive]] = {}
    n_host_failures = 0
    try:
        while True:
            while len(in_flight) < n_workers and (job := _next_job(turns)):
                in_flight[_in_thread(fetcher.fetch, job[1])] = job
            if not in_flight:
                return
            for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                plan, archive = in_flight.pop(future)
                outcome = future.result()
                has_failed = isinstance(outcome, DownloadFailed)
                plan.enter(archive.key, None if has_failed else outcome.usable_s)
                is_host_fault = has_failed and outcome.is_host_fault
                n_host_failures = n_host_failures + 1 if is_host_fault else 0
                yield archive, outcome
                if n_host_failures == MAX_HOST_FAILURES:
                    raise DataError(
                        f"{urlsplit(archive.url).hostname} gives nothing any more ({outcome}): "
                        f"what is downloaded is kept in {fetcher.folder}, and the same command "
                        "goes on from there."
                    )
    except BaseException:
        fetcher.stop.set()
        wait(in_flight, STOPPING_S)
        raise


def _in_thread(
    fetch: Callable[[RemoteArchive], Survey | DownloadFailed], archive: RemoteArchive
) -> Future:
    """What becomes of an archive, in a thread that the end of the program does not wait for.

    Those of ``ThreadPoolExecutor`` would hold it up until the host answers or time is out.
    """
    future: Future = Future()

    def work() -> None:
        try:
            future.set_result(fetch(archive))
        except BaseException as error:
            future.set_exception(error)  # raised again where the result is asked for

    threading.Thread(target=work, daemon=True).start()
    return future


def _next_job(turns: deque[Plan]) -> tuple[Plan, RemoteArchive] | None:
    for _ in range(len(turns)):
        plan = turns[0]
        turns.rotate(-1)
        archive = plan.next()
        if archive is not None:
            return plan, archive
    return None


@dataclass
class _Fetcher:
    """Fetches one archive, in any thread."""

    session: requests.Session
    stop: Stop
    folder: Path
    manifest: Manifest
    bar: "_Bar"

    def fetch(self, archive: RemoteArchive) -> Survey | DownloadFailed:
        """Its survey, which is in the manifest then, or why there is none."""
        target = self.folder / archive.key
        try:
            is_surely_whole = download(self.session, archive.url, target, self.bar.add, self.stop)
            survey = survey_readable(target)
            if survey.problem is not None and not is_surely_whole:
                # Perhaps two pieces that do not belong together: once more, from the beginning.
                target.unlink()
                download(self.session, archive.url, target, self.bar.add, self.stop)
                survey = survey_readable(target)
        except DownloadFailed as failure:
            self.stop.check()
            tqdm.write(f"{archive.key}: {failure}", file=sys.stderr)
            return failure
        self.manifest.record_survey(archive.key, target, survey, archive.url)
        return survey


class _Bar:
    """One progress bar: bytes and rate, and about how many archives are left."""

    def __init__(self, plans: list[Plan]):
        self._plans = plans
        self._next_s = 0.0
        self._bar = tqdm(unit="B", unit_scale=True, desc="download", disable=None)

    def __enter__(self) -> "_Bar":
        self.show_left()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def add(self, n_bytes: int) -> None:
        with self._bar.get_lock():
            self._bar.update(n_bytes)

    def show_left(self) -> None:
        """Estimate anew, but seldom: that takes a walk through all plans."""
        if self._bar.disable or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + ESTIMATE_INTERVAL_S
        left = [archive for plan in self._plans for archive in plan.likely(_TYPICAL_DURATION_S)]
        n_bytes = sum(archive.n_bytes or _TYPICAL_BYTES for archive in left)
        self._bar.total = self._bar.n + n_bytes
        self._bar.set_postfix_str(f"{len(left):,} archives left")


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
