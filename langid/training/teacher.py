"""A large listener as a teacher: its states and its opinion on the language of a recording.

``faster-whisper`` runs Whisper (arXiv:2212.04356; MIT licence) through CTranslate2. It is needed to
train with ``--teacher`` only, never to serve.
"""

from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from langid.errors import TeacherError
from langid.hub import HUB_ERRORS, hub_reason

SAMPLE_RATE_HZ = 16_000
CHUNK_S = 30.0  # Whisper hears no more at once
STATES_PER_UNIT = 2  # 50 states a second, 25 units
_HASH_CHUNK = 2**20


class Teacher(Protocol):
    """What training needs of a teacher; tests put a small one in its place."""

    languages: tuple[str, ...]  # codes, in the order of the posteriors
    fingerprint: str  # equal only for teachers that say the same

    def listen(self, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Waveform (n_samples,) float32 in [-1, 1] at 16 kHz → states (n_frames, state_size)
        float32, one every 40 ms, and log-posteriors (n_languages,) float32. Thread-safe."""
        ...


class WhisperTeacher:
    """Whisper's encoder, and its decoder's first step.

    Recordings are not padded to 30 s: a second of speech costs a second's work. They are heard one
    by one, ``n_workers`` of them at the same time, each on a thread of its own: padding them to a
    batch changes the states and gains no speed on a CPU.

    Raises
    ------
    TeacherError
        If faster-whisper is not installed, or the model is none of its, cannot be had or knows one
        language only.
    """

    def __init__(self, model: str, n_workers: int = 1, compute_type: str = "int8"):
        try:
            import ctranslate2
            from faster_whisper.feature_extractor import FeatureExtractor
        except ImportError as error:
            raise TeacherError(
                "A Whisper model needs faster-whisper, which only training and comparing use: "
                "pip install faster-whisper."
            ) from error
        folder = _folder_of(model)
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), compute_type=compute_type, inter_threads=n_workers, intra_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise TeacherError(
                f"{model} is no Whisper model that faster-whisper can load: {error}."
            ) from error
        if not self._model.is_multilingual:
            raise TeacherError(f"{model} knows English only: take a multilingual Whisper model.")
        self._to_tensor = ctranslate2.StorageView.from_array
        self._log_mel = FeatureExtractor(feature_size=self._model.n_mels)
        self.fingerprint = f"{_digest(folder / 'model.bin')} {compute_type} 1"
        self.languages = tuple(sorted(self._posteriors(self.encode(np.zeros(1600, np.float32)))))

    def encode(self, waveform: np.ndarray):
        """Waveform (n_samples,) of at most 30 s → CTranslate2's states (1, n_states, state_size),
        50 a second."""
        log_mel = self._log_mel(waveform, padding=0)
        # Its two convolutions halve the frames: an even number, and at least one state of 40 ms.
        n_frames = max(4, log_mel.shape[1] // 2 * 2)
        log_mel = np.pad(log_mel, ((0, 0), (0, max(0, n_frames - log_mel.shape[1]))), mode="edge")
        log_mel = np.ascontiguousarray(log_mel[None, :, :n_frames], dtype=np.float32)
        return self._model.encode(self._to_tensor(log_mel))

    def listen(self, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Teacher.listen`. Of more than 30 s, the posteriors are those of the first 30."""
        n_chunk = round(CHUNK_S * SAMPLE_RATE_HZ)
        states, posteriors = [], None
        for start in range(0, max(1, len(waveform)), n_chunk):
            encoded = self.encode(waveform[start : start + n_chunk])
            states.append(pool_states(np.array(encoded)[0]))
            posteriors = posteriors or self._posteriors(encoded)
        values = np.array([posteriors[language] for language in self.languages], np.float32)
        return np.concatenate(states), np.log(values.clip(1e-7))

    def _posteriors(self, encoded) -> dict[str, float]:
        return {token[2:-2]: p for token, p in self._model.detect_language(encoded)[0]}


def pool_states(states: np.ndarray) -> np.ndarray:
    """Means of neighbours: (n, state_size) at 50 a second → (n // 2, state_size) at 25."""
    n = len(states) // STATES_PER_UNIT
    return states[: n * STATES_PER_UNIT].reshape(n, STATES_PER_UNIT, -1).mean(axis=1)


def _folder_of(model: str) -> Path:
    """The files of a model: a folder, a Hub id, or one of faster-whisper's names."""
    if Path(model).is_dir():
        folder = Path(model)
    else:
        from faster_whisper.utils import download_model

        try:
            folder = Path(download_model(model))
        except HUB_ERRORS as error:
            raise TeacherError(
                f"The Whisper model {model} is neither a folder here nor to be had from the Hub "
                f"({hub_reason(error)}): give a folder, a Hub id or a name such as base."
            ) from error
    if not (folder / "model.bin").is_file():
        raise TeacherError(f"{model} holds no model.bin: it is no Whisper model of faster-whisper.")
    return folder


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
