"""Blocks of samples → overlapping windows; window probabilities → one answer and its segments.

A *passage* is some neighbouring windows in one piece: what was spoken shows better in a longer
stretch, when it was spoken in a shorter one.

The contract of the windows, for a recording of ``n`` samples, windows of ``w`` and a hop of ``h``:

- a recording no longer than a window gives one window, as long as itself;
- any other gives ``1 + ceil((n - w) / h)`` windows, all of them ``w`` long: they start at 0, h,
  2 h …, and the last one is moved back to end with the recording, so that the tail counts;
- a recording with at least one sample never gives zero windows.

In log-mel frames, where training cuts them, the same holds with frames for samples.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Longest passage. For recordings of up to 20 s, 12, 16 and 24 s are as good, and 8 s give half of
# what passages give.
PASSAGE_S = 16.0
# Share of the windows, the most speech-like ones, that show speech on their own.
SPEECH_SHARE = 0.1
# Fewer show it together when they are neighbours with so much evidence, in nats: two windows at
# 95:5. No window counts for more than 98:2, so that a single one is not enough. Chosen on minutes
# of silence, hum, noise and music with and without a sentence in them: at 4 more music is taken
# for speech, at 8 a fifth of the sentences is lost.
SPEECH_EVIDENCE = 6.0
MAX_LOG_ODDS = 4.0
# A window with less speech has no say in what was spoken: hours of silence are not to outvote it.
MIN_SPEECH = 0.1


@dataclass(frozen=True)
class Window:
    """A piece of a recording: ``waveform`` is (n_samples,) float32."""

    start_s: float
    end_s: float
    waveform: np.ndarray


def cut_windows(
    blocks: Iterable[np.ndarray], window_s: float, hop_s: float, sample_rate: int
) -> Iterator[Window]:
    """Windows of a stream of mono blocks (n,), each yielded as soon as it is complete.

    Holds no more than one window and one block at a time.
    """
    n_window, n_hop = round(window_s * sample_rate), round(hop_s * sample_rate)
    buffer = np.zeros(0, dtype=np.float32)  # from the newest window's start on
    start = 0  # of the buffer, in samples
    n_cut = 0

    def window(offset: int) -> Window:
        waveform = buffer[offset : offset + n_window]
        begin = start + offset
        return Window(begin / sample_rate, (begin + len(waveform)) / sample_rate, waveform)

    for block in blocks:
        buffer = np.concatenate([buffer, block])
        # The buffer begins with the newest complete window: the tail is cut back into it.
        offset = 0 if n_cut == 0 else n_hop
        while len(buffer) - offset >= n_window:
            yield window(offset)
            n_cut += 1
            buffer, start = buffer[offset:], start + offset
            offset = n_hop
    if n_cut == 0 and len(buffer):
        yield window(0)
    elif len(buffer) > n_window:
        yield window(len(buffer) - n_window)


def windows_per_passage(window_s: float, hop_s: float) -> int:
    """How many windows fit into `PASSAGE_S`; where it is one, there are no passages."""
    return 1 + max(0, math.floor(round((PASSAGE_S - window_s) / hop_s, 6)))


class Passage(Window):
    """The waveform of several neighbouring windows, once."""


def with_passages(
    windows: Iterable[Window], n_windows: int, sample_rate: int
) -> Iterator[Window | Passage]:
    """The windows as they come, and after every ``n_windows`` of them, and after the last one,
    the passage that these make. A window alone makes none."""
    group: list[Window] = []
    for window in windows:
        yield window
        group = [*group, window] if len(group) < n_windows else [window]
        if len(group) == n_windows > 1:
            yield _join(group, sample_rate)
    if 1 < len(group) < n_windows:
        yield _join(group, sample_rate)


def _join(group: list[Window], sample_rate: int) -> Passage:
    pieces = [group[0].waveform]
    for before, window in pairwise(group):
        n_new = round((window.end_s - before.end_s) * sample_rate)
        pieces.append(window.waveform[-n_new:])
    return Passage(group[0].start_s, group[-1].end_s, np.concatenate(pieces))


class Classified:
    """Windows of a recording, or its passages, in the order of time, with their probabilities."""

    def __init__(self):
        self.bounds: list[tuple[float, float]] = []  # (start_s, end_s) of each
        self._rows: list[np.ndarray] = []  # (n, n_labels) each

    def add(self, window: Window, row: np.ndarray) -> None:
        self.bounds.append((window.start_s, window.end_s))
        self._rows.append(row[np.newaxis])

    def probabilities(self, n_labels: int) -> np.ndarray:
        """(n, n_labels), in one piece from now on."""
        self._rows = [np.concatenate([np.zeros((0, n_labels)), *self._rows])]
        return self._rows[0]


def frame_windows(n_frames: int, n_window: int, n_hop: int) -> list[slice]:
    """The windows of a recording whose ``n_frames`` log-mel frames are all there."""
    if n_frames <= n_window:
        return [slice(0, n_frames)] if n_frames else []
    starts = [*range(0, n_frames - n_window, n_hop), n_frames - n_window]
    return [slice(start, start + n_window) for start in starts]


def frame_passages(windows: list[slice], n_windows: int) -> list[slice]:
    """The passages of `frame_windows`, as `with_passages` has them of samples."""
    groups = [windows[i : i + n_windows] for i in range(0, len(windows), n_windows)]
    return [slice(group[0].start, group[-1].stop) for group in groups if len(group) > 1]


def aggregate(probabilities: np.ndarray, none_index: int) -> np.ndarray:
    """One answer for a recording: a speech-weighted geometric mean of its windows.

    ``probabilities`` (n_windows, n_labels), rows summing to 1 and in the order of time →
    (n_labels,), summing to 1.

    Speech probability is ``1 - none``. Whether anybody spoke is the larger of two figures:

    - the mean speech probability of the tenth of the windows (at least one) that are most
      speech-like: ten seconds of talk within a minute of silence are a recording of talk;
    - that of the `strongest_run` of neighbours, times how far its evidence S exceeds
      `SPEECH_EVIDENCE`, ``1 / (1 + exp(SPEECH_EVIDENCE - S))``: a sentence within an hour of
      silence is a recording of talk as well, but a moment that could be speech is none, because
      an hour of music has many of them.

    What was spoken is the geometric mean (a logarithmic opinion pool, Genest & Zidek 1986) of the
    windows' distributions over the other labels, each window weighing as much as it holds speech.
    A single window is returned as it is.
    """
    log_p = np.log(np.clip(probabilities, 1e-12, None))
    speech = 1 - probabilities[:, none_index]
    n_top = math.ceil(SPEECH_SHARE * len(speech))
    first, end, evidence = strongest_run(speech_log_odds(probabilities, none_index))
    p_run = speech[first:end].mean() / (1 + math.exp(SPEECH_EVIDENCE - evidence))
    p_speech = max(np.sort(speech)[-n_top:].mean(), p_run)

    spoken = np.delete(log_p, none_index, axis=1)
    spoken -= np.logaddexp.reduce(spoken, axis=1, keepdims=True)
    pooled = np.average(spoken, axis=0, weights=np.where(speech < MIN_SPEECH, 1e-6, speech))
    pooled = np.exp(pooled - np.logaddexp.reduce(pooled))
    return np.insert(pooled * p_speech, none_index, 1 - p_speech)


def speech_log_odds(probabilities: np.ndarray, none_index: int) -> np.ndarray:
    """Evidence of each window for speech and against none, (n_windows,) nats, at most
    ±`MAX_LOG_ODDS`."""
    none = probabilities[:, none_index].clip(1e-12, 1 - 1e-12)
    return (np.log1p(-none) - np.log(none)).clip(-MAX_LOG_ODDS, MAX_LOG_ODDS)


def strongest_run(log_odds: np.ndarray) -> tuple[int, int, float]:
    """The neighbours with the largest sum of ``log_odds`` (n,), n > 0: first, last + 1, the sum.

    The sum is the maximum of the statistic of Page's cumulative sum test (1954,
    doi:10.1093/biomet/41.1-2.100).
    """
    sums = np.concatenate([[0.0], np.cumsum(log_odds)])
    gains = sums[1:] - np.minimum.accumulate(sums[:-1])
    end = int(gains.argmax()) + 1
    return int(sums[:end].argmin()), end, float(gains[end - 1])


def merge(
    probabilities: np.ndarray, bounds: list[tuple[float, float]], max_windows: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """At most ``max_windows`` windows, each the mean of as many neighbours as that takes.

    ``probabilities`` (n_windows, n_labels), ``bounds`` their (start_s, end_s). Up to
    ``max_windows`` they come back as they are; beyond, the last one may hold fewer neighbours.
    """
    n_merged = math.ceil(len(bounds) / max_windows)
    if n_merged <= 1:
        return probabilities, bounds
    firsts = np.arange(0, len(bounds), n_merged)
    counts = np.diff(firsts, append=len(bounds))
    lasts = firsts + counts - 1
    means = np.add.reduceat(probabilities, firsts) / counts[:, np.newaxis]
    return means, [(bounds[i][0], bounds[j][1]) for i, j in zip(firsts, lasts, strict=True)]


def restrict(probabilities: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Renormalise over the labels ``kept`` (n_labels,) bool; the others become 0.

    ``probabilities`` (..., n_labels).
    """
    masked = np.where(kept, np.clip(probabilities, 1e-12, None), 0.0)
    return masked / masked.sum(axis=-1, keepdims=True)


def runs(
    labels: list[str], bounds: list[tuple[float, float]]
) -> Iterator[tuple[int, int, float, float]]:
    """Neighbouring windows of one label: (first, last + 1, start_s, end_s).

    ``bounds`` are the windows' (start_s, end_s). Where the label changes between two overlapping
    windows, the border is the middle of their overlap, so that the runs tile the recording.
    """
    first = 0
    start_s = bounds[0][0] if bounds else 0.0
    for i in range(1, len(labels) + 1):
        if i < len(labels) and labels[i] == labels[first]:
            continue
        end_s = bounds[-1][1] if i == len(labels) else (bounds[i - 1][1] + bounds[i][0]) / 2
        yield first, i, start_s, end_s
        first, start_s = i, end_s
