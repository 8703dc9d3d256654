"""A Whisper model on the same clips as ours, with the same questions: a peer, measured."""

import time
from collections.abc import Iterable, Iterator

import numpy as np

from langid.audio import AudioError, AudioInput, load_audio
from langid.identifier import Identification, WindowResult
from langid.languages import NONE, class_of, languages_of
from langid.whisper import Whisper, chunks
from langid.windows import cut_windows


class WhisperIdentifier:
    """Whisper behind the interface of `langid.identifier.LanguageIdentifier`.

    A clip is heard as a whole, in pieces of 30 s whose posteriors are multiplied; that is the
    answer, and what its speed is measured on. So that its windows can be compared with ours it also
    hears each of them, in time that does not count (``windows_s``). What it takes for one of the
    ``labels`` counts as that, all its other languages as ``"other"``, its own no-speech probability
    as ``"none"``.
    """

    revision = None

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
        self.windows_s = 0.0  # seconds of work on windows
        self._whisper = whisper
        self._bounds = (window_s, hop_s)
        own = languages_of(labels)
        self._classes = [labels.index(class_of(x, own)) for x in whisper.languages]

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
        heard = np.sum([self._whisper.log_posteriors(x) for x in encoded], axis=0)
        heard = np.exp(heard - np.logaddexp.reduce(heard))
        language = self._whisper.languages[heard.argmax()]
        silent = min(self._whisper.no_speech(x, language) for x in encoded)
        classes = np.bincount(self._classes, heard, minlength=len(self.labels))
        classes *= 1 - silent
        classes[self.labels.index(NONE)] += silent
        return classes

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        return dict(zip(self.labels, probabilities.tolist(), strict=True))
