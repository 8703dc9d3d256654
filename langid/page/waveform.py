"""A waveform as it is drawn: the peaks of a recording, and their outline as SVG."""

import numpy as np

from langid.audio import SAMPLE_RATE

MAX_PEAKS = 2_048  # twice as many and two become one
FIRST_PEAK_S = 0.02
N_BARS = 240  # of a drawing


class PeakMeter:
    """The peaks of a waveform over stretches of equal length, in bounded memory."""

    def __init__(self) -> None:
        self._n_samples = round(FIRST_PEAK_S * SAMPLE_RATE)  # of a stretch
        self._peaks = np.zeros(0, dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)  # of a stretch that the next block completes

    def add(self, block: np.ndarray) -> None:
        """Add a block (n,) of float samples at 16 kHz."""
        samples = np.concatenate([self._rest, np.abs(block)])
        n_whole = len(samples) - len(samples) % self._n_samples
        self._rest = samples[n_whole:]
        stretches = samples[:n_whole].reshape(-1, self._n_samples)
        self._peaks = np.concatenate([self._peaks, stretches.max(axis=1, initial=0)])
        while len(self._peaks) >= 2 * MAX_PEAKS:
            # An odd one goes back, as if it had not been complete.
            n_even = len(self._peaks) // 2 * 2
            odd = np.repeat(self._peaks[n_even:], self._n_samples)
            self._rest = np.concatenate([odd, self._rest])
            self._peaks = self._peaks[:n_even].reshape(-1, 2).max(axis=1)
            self._n_samples *= 2

    def bars(self, n_bars: int = N_BARS) -> np.ndarray:
        """(at most n_bars,) peaks in [0, 1], 1 the highest; empty without samples."""
        peaks = self._peaks
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
