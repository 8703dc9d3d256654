"""Whisper through CTranslate2: states and language posteriors of recordings.

``faster-whisper`` runs Whisper (arXiv:2212.04356; MIT licence). It is needed to train with a
teacher and to be compared with, never to serve.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np

from langid.errors import TeacherError
from langid.hub import HUB_ERRORS, hub_reason

CHUNK_S = 30.0  # the most that Whisper takes at once
MODEL_FILE = "model.bin"
_SAMPLE_RATE_HZ = 16_000
_HASH_CHUNK = 2**20  # bytes


class Whisper:
    """A multilingual Whisper model.

    Recordings are not padded to 30 s: a second of speech costs a second's work. They are encoded
    one by one: padding several to a batch changes the states and gains no speed on a CPU. Calls
    from ``n_workers`` threads run beside each other, each with ``n_threads`` threads of its own.

    Parameters
    ----------
    model
        A folder of faster-whisper, a Hub id or one of faster-whisper's names (``base`` …).

    Raises
    ------
    TeacherError
        If faster-whisper is not installed, or the model is none of its, cannot be had or knows one
        language only.
    """

    def __init__(
        self, model: str, n_workers: int = 1, n_threads: int = 1, compute_type: str = "int8"
    ):
        try:
            import ctranslate2
            from faster_whisper.feature_extractor import FeatureExtractor
        except ImportError as error:
            raise TeacherError(
                "A Whisper model needs faster-whisper, which only training and comparing use: "
                "pip install faster-whisper."
            ) from error
        folder = model_folder(model)
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                compute_type=compute_type,
                inter_threads=n_workers,
                intra_threads=n_threads,
            )
        except (RuntimeError, ValueError) as error:
            raise TeacherError(
                f"{model} is no Whisper model that faster-whisper can load: {error}."
            ) from error
        if not self._model.is_multilingual:
            raise TeacherError(f"{model} knows English only: take a multilingual Whisper model.")
        self._to_tensor = ctranslate2.StorageView.from_array
        self._log_mel = FeatureExtractor(feature_size=self._model.n_mels)
        self.weights_bytes = (folder / MODEL_FILE).stat().st_size
        self.fingerprint = f"{_digest(folder / MODEL_FILE)} {compute_type}"
        silence = self.encode(np.zeros(_SAMPLE_RATE_HZ // 10, np.float32))
        self.state_size = silence.shape[-1]
        self.languages = tuple(sorted(self._by_language(silence)))

    def encode(self, waveform: np.ndarray):
        """Waveform (n_samples,) float32 at 16 kHz, at most 30 s → CTranslate2's states
        (1, n_states, state_size), 50 a second."""
        log_mel = self._log_mel(waveform, padding=0)
        # Its convolutions halve the frames: an even number.
        n_frames = max(4, log_mel.shape[1] // 2 * 2)
        log_mel = np.pad(log_mel, ((0, 0), (0, max(0, n_frames - log_mel.shape[1]))), mode="edge")
        log_mel = np.ascontiguousarray(log_mel[None, :, :n_frames], dtype=np.float32)
        return self._model.encode(self._to_tensor(log_mel))

    def log_posteriors(self, encoded) -> np.ndarray:
        """States of ``encode`` → natural logarithm of the posterior of each of ``languages``,
        (n_languages,) float32."""
        found = self._by_language(encoded)
        return np.log(np.array([found[x] for x in self.languages], np.float32).clip(1e-7))

    def no_speech(self, encoded, language: str) -> float:
        """Whisper's own probability that nobody speaks, 0 to 1; ``language`` as a prompt."""
        prompt = [f"<|{t}|>" for t in ("startoftranscript", language, "transcribe", "notimestamps")]
        answer = self._model.generate(
            encoded, [prompt], beam_size=1, max_length=len(prompt) + 1, return_no_speech_prob=True
        )
        return float(answer[0].no_speech_prob)

    def _by_language(self, encoded) -> dict[str, float]:
        return {token[2:-2]: p for token, p in self._model.detect_language(encoded)[0]}


def chunks(waveform: np.ndarray) -> list[np.ndarray]:
    """A recording in pieces of `CHUNK_S`; a rest of under a second is left out."""
    n = round(CHUNK_S * _SAMPLE_RATE_HZ)
    pieces = [waveform[start : start + n] for start in range(0, max(1, len(waveform)), n)]
    return [piece for i, piece in enumerate(pieces) if i == 0 or len(piece) >= _SAMPLE_RATE_HZ]


def model_folder(model: str) -> Path:
    """The files of a model."""
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
    if not (folder / MODEL_FILE).is_file():
        raise TeacherError(
            f"{model} holds no {MODEL_FILE}: it is no Whisper model of faster-whisper."
        )
    return folder


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
