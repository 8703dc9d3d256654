"""A waveform as it is drawn: the peaks of a recording, and their outline as SVG."""

import math

import numpy as np

from langid.audio import SAMPLE_RATE

MAX_PEAKS = 2_048  # twice as many and two become one
FIRST_PEAK_S = 0.02
N_BARS = 240  # of a drawing


class PeakMeter:
    """The peaks of a waveform over stretches of equal length, in bounded memory."""

    def __init__(self) -> None:
        self._n_samples = round(FIRST_PEAK_S * SAMPLE_RATE)  # of a stretch
        # In one piece for good, as every block adds to it.
        self._peaks = np.zeros(2 * MAX_PEAKS, dtype=np.float32)
        self._n_done = 0  # samples so far

    def add(self, block: np.ndarray) -> None:
        """Add a block (n,) of float samples at 16 kHz."""
        levels = np.abs(block)
        while len(levels):
            first = self._n_done // self._n_samples
            if first >= len(self._peaks):  # full: two stretches become one
                half = self._peaks.reshape(-1, 2).max(axis=1)
                self._peaks[: len(half)], self._peaks[len(half) :] = half, 0
                self._n_samples *= 2
                continue
            n_left = len(self._peaks) * self._n_samples - self._n_done
            piece, levels = levels[:n_left], levels[n_left:]
            stretch = (self._n_done + np.arange(len(piece))) // self._n_samples
            starts = np.flatnonzero(np.diff(stretch, prepend=-1))
            place = slice(first, first + len(starts))
            highest = np.maximum.reduceat(piece, starts)
            self._peaks[place] = np.maximum(self._peaks[place], highest)
            self._n_done += len(piece)

    def bars(self, n_bars: int = N_BARS) -> np.ndarray:
        """(at most n_bars,) peaks in [0, 1], 1 the highest; empty without samples."""
        peaks = self._peaks[: math.ceil(self._n_done / self._n_samples)]
        if not len(peaks):
            return peaks
        edges = np.linspace(0, len(peaks), min(n_bars, len(peaks)) + 1).astype(int)[:-1]
        return np.maximum.reduceat(peaks, edges) / max(float(peaks.max()), 1e-6)


def waveform_svg(bars: np.ndarray, share: float = 1.0) -> str:
    """A drawing that fills its box: ``bars`` (n,) in [0, 1], over ``share`` of the width."""
    n_all = max(1, round(len(bars) / max(share, 1e-6)))
    path = "".join(
        f"M{i + 0.5:g} {50 - 48 * max(bar, 0.01):.1f}V{50 + 48 * max(bar, 0.01):.1f}"
        for i, bar in enumerate(bars.tolist())
    )
    return (
        f'<svg class="waveform" viewBox="0 0 {n_all} 100" preserveAspectRatio="none" '
        f'aria-hidden="true"><path d="{path}"/></svg>'
    )
