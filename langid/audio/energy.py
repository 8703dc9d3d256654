"""How much of a recording stands out of its silence, by the energy of short frames."""

import numpy as np

from langid.audio import SAMPLE_RATE

FRAME_S = 0.01
FRAME_SAMPLES = round(FRAME_S * SAMPLE_RATE)
SILENCE_DBFS = -60.0  # 0 dBFS is a square wave of full scale; a frame below is silent in any case
RANGE_DB = 30.0  # what is further below the loudest frames is the recording's silence
LOUD_S = 0.1  # the loudest frames: so much time, which a click does not last
LOWEST_DBFS, HIGHEST_DBFS = -120, 40  # of the histogram; beyond counts as its ends


class EnergyMeter:
    """Adds up the seconds of a recording that are louder than its silence.

    The level of a frame of 10 ms is its mean square without its mean, in dBFS. A frame is active
    when it reaches both -60 dBFS and the loud level less 30 dB, where the loud level is the one
    that the loudest 0.1 s reach. Levels are kept as a histogram of bins of 1 dB, so that hours
    need no more memory than seconds.

    This measures energy and knows nothing of speech: steady noise is active from end to end,
    and speech that is not 30 dB louder than the noise around it does not stand out of it.
    The idea is that of ITU-T P.56 (2011), where speech is active while its envelope exceeds a
    threshold 15.9 dB below the active level that results, and of Kaldi's ``compute-vad``, which
    compares log energies with a threshold derived from their mean. Unlike both, the threshold
    hangs on the loudest frames, so that it does not depend on how long the silence is, and
    nothing is smoothed: P.56 adds a hangover of 0.2 s, which counts short pauses as speech.
    """

    def __init__(self) -> None:
        self._n_frames = np.zeros(HIGHEST_DBFS - LOWEST_DBFS + 1, dtype=np.int64)  # by level
        self._rest = np.empty(0, dtype=np.float32)  # of a frame that the next block completes

    def add(self, waveform: np.ndarray) -> np.ndarray:
        """Add a block (n,) of float samples at 16 kHz, of any length; full scale is ±1.

        Returns the levels of the frames which that completes, (n_frames,) int8 in whole dBFS.
        """
        samples = np.concatenate([self._rest, waveform]) if len(self._rest) else waveform
        n_whole = len(samples) - len(samples) % FRAME_SAMPLES
        self._rest = samples[n_whole:].copy()
        frames = samples[:n_whole].reshape(-1, FRAME_SAMPLES)
        power = np.square(frames - frames.mean(axis=1, keepdims=True)).mean(axis=1)
        level_db = 10 * np.log10(np.maximum(power, 1e-13))
        levels = np.clip(np.floor(level_db), LOWEST_DBFS, HIGHEST_DBFS).astype(np.int8)
        bins = levels.astype(int) - LOWEST_DBFS
        self._n_frames += np.bincount(bins, minlength=len(self._n_frames))
        return levels

    def threshold_dbfs(self) -> int:
        """The least level of the frames so far that stand out."""
        n_reaching = np.cumsum(self._n_frames[::-1])[::-1]  # frames at this level or above
        n_loud = min(round(LOUD_S / FRAME_S), int(n_reaching[0]))
        loud_dbfs = LOWEST_DBFS + int(np.flatnonzero(n_reaching >= n_loud)[-1])
        return int(max(SILENCE_DBFS, loud_dbfs - RANGE_DB))

    def active_s(self) -> float:
        """Seconds of the frames so far that stand out; an unfinished frame does not count."""
        n_active = int(self._n_frames[self.threshold_dbfs() - LOWEST_DBFS :].sum())
        return n_active * FRAME_SAMPLES / SAMPLE_RATE
