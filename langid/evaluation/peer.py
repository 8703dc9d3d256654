"""A Whisper model on the same clips as ours, with the same questions: a peer, measured."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from langid.audio import AudioInput, load_audio
from langid.errors import AudioError
from langid.evaluation.evaluate import evaluate_folder
from langid.evaluation.report import Report
from langid.evaluation.whisper import Whisper, chunks
from langid.identification import Identification, WindowResult
from langid.identifier import LanguageIdentifier
from langid.languages import NONE, class_of, languages_of
from langid.windows import cut_windows


class WhisperIdentifier:
    """Whisper behind the interface of `langid.identifier.LanguageIdentifier`.

    The answer for a clip is that for the whole of it, in chunks of 30 s whose posteriors are
    multiplied; this is what its speed is measured on. So that windows can be compared as well, it
    also identifies each of them, in time that does not count (``windows_s``). Languages outside
    ``labels`` count as ``"other"``, its own no-speech probability as ``"none"``.
    """

    revision = None
    n_parameters = None  # the converted model does not say

    def __init__(
        self,
        whisper: Whisper,
        name: str,
        labels: tuple[str, ...],
        window_s: float,
        hop_s: float,
    ):
        self.source = name
        self.labels = labels
        self.languages = languages_of(labels)
        self.weights_bytes = whisper.weights_bytes
        self.windows_s = 0.0  # seconds of work on windows
        self._whisper = whisper
        self._bounds = (window_s, hop_s)
        self._classes = [labels.index(class_of(x, self.languages)) for x in whisper.languages]

    def identify_many(
        self, paths: Iterable[AudioInput]
    ) -> Iterator[tuple[AudioInput, Identification | AudioError]]:
        """Each path with its answer or the error of that file, in order."""
        for path in paths:
            try:
                waveform, _ = load_audio(path)
            except AudioError as error:
                yield path, error
            else:
                yield path, self._answer(waveform)

    def _answer(self, waveform: np.ndarray) -> Identification:
        whole = self._probabilities(waveform)
        start_s = time.perf_counter()
        windows = [
            WindowResult(w.start_s, w.end_s, self._named(self._probabilities(w.waveform)))
            for w in cut_windows([waveform], *self._bounds, 16_000)
        ]
        self.windows_s += time.perf_counter() - start_s
        return Identification(
            language=self.labels[whole.argmax()],
            confidence=float(whole.max()),
            probabilities=self._named(whole),
            windows=windows,
            segments=[],
            duration_s=len(waveform) / 16_000,
            active_s=0.0,
            warnings=[],
        )

    def _probabilities(self, waveform: np.ndarray) -> np.ndarray:
        """Waveform (n_samples,) → probabilities of the labels (n_labels,)."""
        encoded = [self._whisper.encode(piece) for piece in chunks(waveform)]
        joint = np.sum([self._whisper.log_posteriors(x) for x in encoded], axis=0)
        posteriors = np.exp(joint - np.logaddexp.reduce(joint))
        language = self._whisper.languages[posteriors.argmax()]
        silent = min(self._whisper.no_speech(x, language) for x in encoded)
        classes = np.bincount(self._classes, posteriors, minlength=len(self.labels))
        classes *= 1 - silent
        classes[self.labels.index(NONE)] += silent
        return classes

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        return dict(zip(self.labels, probabilities.tolist(), strict=True))


def evaluate_peer(
    model: str, identifier: LanguageIdentifier, folder: Path, split: str | None
) -> Report:
    """The report of a Whisper model on the clips and labels that ``identifier`` is measured on.

    Raises
    ------
    TeacherError
        If the model cannot be had; see `langid.evaluation.whisper.Whisper`.
    DataError
        See `langid.evaluation.evaluate.evaluate_folder`.
    """
    config = identifier.model.config
    whisper = Whisper(model, n_threads=torch.get_num_threads())
    peer = WhisperIdentifier(
        whisper, Path(model).name, identifier.labels, config.window_s, config.hop_s
    )
    report = evaluate_folder(peer, folder, split)
    processing_s = report.processing_s - peer.windows_s
    return replace(
        report, processing_s=processing_s, real_time_factor=processing_s / report.audio_s
    )
