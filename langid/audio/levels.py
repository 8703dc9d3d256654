"""How loud a recording is, and gain for one that is nearly silent.

A microphone that is switched off, or what a lossy codec leaves of silence, peaks below -90 dBFS,
the last bit of 16; above it, up to -60 dBFS, there can be speech of a recorder whose gain was at
its lowest.
"""

from collections.abc import Iterator

import numpy as np

SILENT_DBFS = -90.0  # a lower peak is no recording of anything
QUIET_DBFS = -60.0  # a lower peak gets gain
AMPLIFIED_DBFS = -20.0  # the peak after that
MAX_HELD_S = 300.0  # while it is not known whether a recording stays so quiet: 19 MB


class LevelMeter:
    """The peak of a recording, without its constant offset (DC), in full scales.

    Attributes
    ----------
    peak : float
    """

    def __init__(self) -> None:
        self.peak = 0.0

    def add(self, waveform: np.ndarray) -> None:
        """Add a block (n,) of float samples, of about a second."""
        low, high = float(waveform.min()), float(waveform.max())
        offset = float(waveform.mean(dtype=np.float64))
        self.peak = max(self.peak, high - offset, offset - low)

    @property
    def dbfs(self) -> float:
        """The peak in dBFS, -inf for digital silence."""
        return float(20 * np.log10(self.peak)) if self.peak > 0 else float("-inf")

    @property
    def is_silent(self) -> bool:
        return self.dbfs < SILENT_DBFS

    @property
    def is_quiet(self) -> bool:
        return self.dbfs < QUIET_DBFS


class Amplifier:
    """Gives a quiet recording the level of others, block by block.

    Attributes
    ----------
    gain_db : float
        What the quiet part was amplified by; 0 if nothing was.
    """

    def __init__(self, meter: LevelMeter, sample_rate: int) -> None:
        self.gain_db = 0.0
        self._meter = meter
        self._max_held = round(MAX_HELD_S * sample_rate)

    def blocks(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The blocks (n,), each measured by the meter before it comes.

        While they are quiet they are held, for five minutes at most, except for digital silence
        that begins a recording. From the first loud one on they pass as they are.
        """
        held: list[np.ndarray] = []
        n_held = 0
        for block in blocks:
            if not self._meter.is_quiet:
                yield from held
                yield block
                yield from blocks
                return
            if self.gain_db or (not held and not block.any()):
                yield self._amplified(block)
                continue
            held.append(block)
            n_held += len(block)
            if n_held >= self._max_held:
                yield from self._released(held)
                held, n_held = [], 0
        yield from self._released(held)

    def _released(self, held: list[np.ndarray]) -> Iterator[np.ndarray]:
        if held and not self._meter.is_silent:
            self.gain_db = AMPLIFIED_DBFS - self._meter.dbfs
        yield from map(self._amplified, held)

    def _amplified(self, block: np.ndarray) -> np.ndarray:
        if not self.gain_db:
            return block
        self.gain_db = min(self.gain_db, -self._meter.dbfs)  # to full scale and not beyond
        offset = block.mean(dtype=np.float64)
        return ((block - offset) * 10 ** (self.gain_db / 20)).astype(np.float32)
