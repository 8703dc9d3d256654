"""Listening: chunks of a microphone in, about once a second the answer for the moment out.

Work and memory are the same in every second: one window of the newest audio, and arithmetic on
the windows of the last `HISTORY_S`.
"""

from collections import deque
from dataclasses import dataclass
from os import PathLike

import numpy as np
import soundfile
import soxr

from langid.audio import SAMPLE_RATE, AudioError
from langid.audio.arrays import checked_rate, time_first
from langid.audio.samples import full_scale
from langid.errors import Message
from langid.identification import Identification, summarise
from langid.identifier import LanguageIdentifier
from langid.languages import NONE
from langid.page.texts import ENGLISH
from langid.segments import label_windows
from langid.windows import aggregate, runs

STEP_S = 0.9  # of new audio between two answers, at least: chunks last about a second
HISTORY_S = 120.0  # how far back the answers look
NOW_S = 30.0  # of the language spoken now, at most: what the running answer is pooled over
MIN_STRETCH_S = 3.0  # of a language; a window lasts longer
PEAK_S = 0.25  # of the waveform that a drawn peak stands for
MAX_CHUNK_S = 10.0  # of a chunk: what comes later in it is left out
MAX_LISTENING_S = 600.0
MAX_SILENCE_S = 60.0
ENDED = ENGLISH("live.ended")
NOBODY_SPEAKS = ENGLISH("live.nobody_speaks")


@dataclass(frozen=True)
class Heard:
    """A stretch of one label, in seconds since the start."""

    start_s: float
    end_s: float
    language: str


@dataclass(frozen=True)
class LiveAnswer:
    """What is said of a stream after ``end_s`` of it.

    ``now`` is the answer for the newest stretch of one language, or of none, at most the last
    `NOW_S`. ``history`` are the stretches of the last `HISTORY_S`, in the order of time and without
    gaps, ``peaks`` (n,) in [0, 1] those of the waveform, each of `PEAK_S`, up to ``end_s``.
    ``ending`` is a sentence on why the listening ends now, None while it goes on.
    """

    now: Identification
    history: tuple[Heard, ...]
    peaks: np.ndarray
    end_s: float
    ending: str | None = None


class LiveListener:
    """Identifies a stream while it comes in.

    The newest 4 s (the model's window) are one window. As long as there are fewer, the window
    grows; beyond, windows overlap, and each counts for the time that it adds.
    """

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self.identifier = identifier
        self._labels = identifier.labels
        self._window_s = identifier.model.config.window_s
        self._none = self._labels.index(NONE)
        self._kept = np.ones(len(self._labels), dtype=bool)
        self._resampler: soxr.ResampleStream | None = None
        self._rate_hz = 0.0
        self._waveform = np.zeros(0, dtype=np.float32)  # the newest window
        self._n_samples = 0  # so far
        self._n_classified = 0  # of them, when the newest window was classified
        self._rows = np.zeros((0, len(self._labels)))  # (n_windows, n_labels)
        self._bounds: list[tuple[float, float]] = []  # of the windows, in seconds
        self._peaks: deque[float] = deque(maxlen=round(HISTORY_S / PEAK_S))
        self._unmeasured = self._waveform  # of a peak that the next chunk completes

    @property
    def duration_s(self) -> float:
        """Seconds so far."""
        return self._n_samples / SAMPLE_RATE

    def add(self, samples: np.ndarray, sample_rate: float) -> LiveAnswer | None:
        """Add a chunk of any length: the answer, or None where less than `STEP_S` is new.

        ``samples`` and ``sample_rate`` are those of an array as `AudioStream` reads it, in Hz.

        Raises
        ------
        AudioError
            If the samples are no audio.
        """
        waveform = self._resampled(samples, checked_rate(sample_rate))
        self._measure(waveform)
        n_window = round(self._window_s * SAMPLE_RATE)
        self._waveform = np.concatenate([self._waveform, waveform])[-n_window:]
        self._n_samples += len(waveform)
        if self._n_samples - self._n_classified < STEP_S * SAMPLE_RATE:
            return None
        self._n_classified = self._n_samples
        self._classify()
        return self._answer()

    def _resampled(self, samples: np.ndarray, rate_hz: float) -> np.ndarray:
        """The chunk as it continues the one before, mono at 16 kHz."""
        samples = time_first(samples)[: round(MAX_CHUNK_S * rate_hz)]
        mono = full_scale(samples).mean(axis=1, dtype=np.float32)
        if self._resampler is None or rate_hz != self._rate_hz:
            self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE, 1)
            self._rate_hz = rate_hz
        return self._resampler.resample_chunk(mono)

    def _measure(self, waveform: np.ndarray) -> None:
        """Keep the peaks of the waveform."""
        n_peak = round(PEAK_S * SAMPLE_RATE)
        waveform = np.concatenate([self._unmeasured, waveform])
        n_whole = len(waveform) - len(waveform) % n_peak
        self._unmeasured = waveform[n_whole:]
        self._peaks += np.abs(waveform[:n_whole]).reshape(-1, n_peak).max(axis=1).tolist()

    def _classify(self) -> None:
        """Add the newest window to the history, and drop what is too old for it."""
        end_s = self.duration_s
        start_s = end_s - len(self._waveform) / SAMPLE_RATE
        found = self.identifier.identify(self._waveform, SAMPLE_RATE)
        row = np.array(list(found.windows[-1].probabilities.values()))
        # A window from the start on has grown out of the one before, which it replaces.
        n_old = sum(old_s == start_s or old_s < end_s - HISTORY_S for old_s, _ in self._bounds)
        self._rows = np.concatenate([self._rows[n_old:], [row]])
        self._bounds = [*self._bounds[n_old:], (start_s, end_s)]

    def _answer(self) -> LiveAnswer:
        whole = int(aggregate(self._rows, self._none).argmax())
        path = label_windows(self._rows, self._bounds, self._none, self._kept, whole).tolist()
        found = list(runs(path, self._bounds))
        first = next(
            i
            for i in range(found[-1][0], len(path))
            if self._bounds[i][0] >= self.duration_s - NOW_S
        )
        length_s = self.duration_s - self._bounds[first][0]
        now = summarise(
            self._labels,
            self._kept,
            self._rows[first:],
            self._bounds[first:],
            (length_s, length_s),  # a few seconds: which of them are active makes no difference
            [],
        )
        return LiveAnswer(
            now,
            _settled(
                [Heard(start_s, end_s, self._labels[path[i]]) for i, _, start_s, end_s in found]
            ),
            np.array(self._peaks),
            self.duration_s,
            self._ending(found[-1][2] if path[-1] == self._none else self.duration_s),
        )

    def _ending(self, silent_since_s: float) -> str | None:
        if self.duration_s >= MAX_LISTENING_S:
            return ENDED
        if self.duration_s - silent_since_s >= MAX_SILENCE_S:
            return NOBODY_SPEAKS
        return None


def _settled(history: list[Heard]) -> tuple[Heard, ...]:
    """The stretches, too short ones of a language as part of a neighbour in another.

    They are made by windows that hold a word or two, where speech begins or ends. The newest one
    is not over yet, and one between two silences stays.
    """
    languages = [heard.language for heard in history]
    for i, heard in enumerate(history[:-1]):
        if heard.end_s - heard.start_s < MIN_STRETCH_S and languages[i] != NONE:
            around = [*languages[max(i - 1, 0) : i], languages[i + 1]]
            languages[i] = next((code for code in around if code != NONE), languages[i])
    bounds = [(heard.start_s, heard.end_s) for heard in history]
    return tuple(
        Heard(bounds[i][0], bounds[end - 1][1], languages[i])
        for i, end, _, _ in runs(languages, bounds)
    )


def read_chunk(path: str | PathLike) -> tuple[np.ndarray, int]:
    """Samples (n, channels) and sample rate in Hz of a chunk, a file; at most `MAX_CHUNK_S`.

    Raises
    ------
    AudioError
        If it is no sound that libsndfile reads.
    FileNotFoundError
        If it is no longer there.
    """
    with open(path, "rb") as file:
        try:
            with soundfile.SoundFile(file) as sound:
                rate = sound.samplerate
                return sound.read(round(MAX_CHUNK_S * rate), "float32", always_2d=True), rate
        except soundfile.LibsndfileError as error:
            raise AudioError(
                Message(
                    "The sound of the microphone cannot be read: reload the page and try again."
                )
            ) from error
