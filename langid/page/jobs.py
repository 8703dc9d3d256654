"""Recordings take turns on the processor; long ones never keep short ones waiting."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from langid.audio.duration import announced_duration_s
from langid.identification import Identification
from langid.identifier import LanguageIdentifier
from langid.page.lanes import Lane
from langid.page.texts import ENGLISH
from langid.page.waveform import PeakMeter

MAX_DURATION_S = 4 * 3600.0  # of a recording
LONG_S = 120.0  # of audio: a recording that lasts longer takes its turn among the long ones
N_SHORT, N_LONG, N_BATCH = 2, 1, 1  # at a time
MAX_JOBS = 64  # running and waiting
POLL_S = 0.5
BUSY = ENGLISH("work.busy")


class BusyError(Exception):
    """There are `MAX_JOBS` jobs already; the message is a sentence for people."""


@dataclass(frozen=True)
class Step:
    """How far an identification is.

    ``answer`` is the one for what was decoded so far, None before the first; ``fraction`` is the
    share of the recording that it covers and ``left_s`` a guess at the seconds of work that are
    left, both None where the length is not known.
    """

    answer: Identification | None
    peaks: PeakMeter
    fraction: float | None = None
    left_s: float | None = None
    is_waiting: bool = False
    is_last: bool = False


class Scheduler:
    """Runs identifications: `N_SHORT` at a time, `N_LONG` beyond `LONG_S`, `N_BATCH` of batches."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self.identifier = identifier
        self.n_jobs = 0
        self._lock = threading.Lock()
        self._short, self._long, self._batch = Lane(N_SHORT), Lane(N_LONG), Lane(N_BATCH)

    def identify(
        self,
        audio: str,
        languages: tuple[str, ...] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        audio_track: int | None = None,
        is_batch: bool = False,
    ) -> Iterator[Step]:
        """Identify a recording of at most `MAX_DURATION_S`, with a step about every second.

        It takes turns with others, in the order of arrival: a step may be one of waiting. What
        does not announce its length begins among the short ones. Recordings of a batch
        (``is_batch``) have a turn of their own as long as they are short, so single ones never
        wait for them. Closing the iterator ends the work.

        Raises
        ------
        AudioError, ValueError, IdentificationCancelled
            As `LanguageIdentifier.identify`.
        BusyError
            If too many are running or waiting.
        """
        peaks, answer = PeakMeter(), None
        length_s = announced_duration_s(audio, estimate=True)
        short = self._batch if is_batch else self._short
        lane = self._long if is_long(length_s) else short
        with self._counted():
            for _ in lane.acquire(should_stop, POLL_S):
                yield Step(None, peaks, is_waiting=True)
            try:
                answers = self.identifier.identify_incrementally(
                    audio,
                    languages=languages,
                    max_duration_s=MAX_DURATION_S,
                    should_stop=should_stop,
                    on_block=peaks.add,
                    audio_track=audio_track,
                )
                work_s, start_s = 0.0, time.monotonic()
                for answer in answers:
                    work_s += time.monotonic() - start_s
                    step = _step(answer, peaks, length_s, work_s)
                    yield step
                    if lane is short and answer.duration_s > LONG_S:
                        lane.release()
                        lane = None
                        for _ in self._long.acquire(should_stop, POLL_S):
                            yield replace(step, is_waiting=True)
                        lane = self._long
                    start_s = time.monotonic()
                yield Step(answer, peaks, fraction=1.0, left_s=0.0, is_last=True)
            finally:
                if lane:
                    lane.release()

    def counts(self) -> dict[str, int]:
        """Jobs that are running and waiting, and how many there may be."""
        return {"jobs": self.n_jobs, "max_jobs": MAX_JOBS}

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            if self.n_jobs >= MAX_JOBS:
                raise BusyError(BUSY)
            self.n_jobs += 1
        try:
            yield
        finally:
            with self._lock:
                self.n_jobs -= 1


def is_long(length_s: float | None) -> bool:
    """Whether a recording that announces this length takes its turn among the long ones."""
    return length_s is not None and length_s > LONG_S


def short_first(recordings: Sequence[str]) -> list[int]:
    """The indices of recordings, of those that announce a long duration last."""
    lengths_s = [announced_duration_s(audio, estimate=True) for audio in recordings]
    return sorted(range(len(recordings)), key=lambda i: is_long(lengths_s[i]))


def _step(answer: Identification, peaks: PeakMeter, length_s: float | None, work_s: float) -> Step:
    if not length_s:
        return Step(answer, peaks)
    fraction = min(answer.duration_s / length_s, 1.0)
    return Step(answer, peaks, fraction, work_s * (1 - fraction) / fraction)
