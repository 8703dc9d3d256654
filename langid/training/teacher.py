"""A large listener as a teacher: states every 40 ms and language posteriors."""

from typing import Protocol

import numpy as np

from langid.evaluation.whisper import Whisper, chunks

STATES_PER_UNIT = 2  # Whisper's 50 states a second → 25 units
VERSION = 1  # another number makes all that a teacher said out of date


class Teacher(Protocol):
    """What training needs of a teacher; tests put a small one in its place."""

    languages: tuple[str, ...]  # codes, in the order of the posteriors
    state_size: int
    fingerprint: str  # equal only for teachers that say the same

    def infer(self, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Waveform (n_samples,) float32 in [-1, 1] at 16 kHz → states (n_frames, state_size)
        float32, one every 40 ms, and log-posteriors (n_languages,) float32. Thread-safe."""
        ...


class WhisperTeacher:
    """Whisper's encoder, and its decoder's first step; ``n_workers`` clips at the same time.

    Raises
    ------
    TeacherError
        See `langid.evaluation.whisper.Whisper`.
    """

    def __init__(self, model: str, n_workers: int = 1):
        self._whisper = Whisper(model, n_workers)
        self.languages = self._whisper.languages
        self.state_size = self._whisper.state_size
        self.fingerprint = f"{self._whisper.fingerprint} {VERSION}"

    def infer(self, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Teacher.infer`. Of more than 30 s, the posteriors are those of the first 30."""
        encoded = [self._whisper.encode(piece) for piece in chunks(waveform)]
        states = [pool_states(np.array(piece)[0]) for piece in encoded]
        return np.concatenate(states), self._whisper.log_posteriors(encoded[0])


def pool_states(states: np.ndarray) -> np.ndarray:
    """Means of neighbours: (n, state_size) at 50 a second → (n // 2, state_size) at 25."""
    n = len(states) // STATES_PER_UNIT
    return states[: n * STATES_PER_UNIT].reshape(n, STATES_PER_UNIT, -1).mean(axis=1)
