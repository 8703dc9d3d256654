"""``LanguageIdentifier``: audio in, ``Identification`` out, for one recording or many."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from langid.audio import AudioInput, AudioStream
from langid.audio.energy import EnergyMeter
from langid.checkpoint import load_model
from langid.errors import AudioError
from langid.languages import NONE, languages_of
from langid.model import LanguageCNN
from langid.windows import Window, aggregate, cut_windows, restrict, runs

BATCH_SIZE = 8  # windows a forward pass: more is no faster and takes 40 MB more
LITTLE_S = 1.0  # less than this above the silence comes with a warning


@dataclass(frozen=True)
class WindowResult:
    start_s: float
    end_s: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Segment:
    """Neighbouring windows with one most probable label, and its mean probability there."""

    start_s: float
    end_s: float
    language: str
    confidence: float


@dataclass(frozen=True)
class Identification:
    """What was heard. ``language`` and ``confidence`` are the maximum of ``probabilities``.

    ``probabilities`` are over the model's labels (ISO 639-1 codes, ``"other"``, ``"none"``) in
    their order and sum to 1; ``windows`` and ``segments`` are in the order of time. ``active_s``
    are the seconds that stand out of the recording's silence, by `EnergyMeter`.
    """

    language: str
    confidence: float
    probabilities: dict[str, float]
    windows: list[WindowResult]
    segments: list[Segment]
    duration_s: float
    active_s: float
    warnings: list[str]

    def to_dict(self) -> dict:
        """The same as plain JSON types."""
        return dataclasses.asdict(self)


class LanguageIdentifier:
    """Tells which language is spoken in a recording.

    >>> identifier = LanguageIdentifier.from_pretrained()
    >>> identifier.identify("examples/french.flac").language
    'fr'
    """

    def __init__(self, model: LanguageCNN, source: str, revision: str | None = None):
        self.model = model.eval()
        self.source = source
        self.revision = revision
        self.labels = tuple(model.config.labels)
        self.languages = languages_of(self.labels)

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike | None = None,
        revision: str | None = None,
        device: str | torch.device | None = None,
    ) -> "LanguageIdentifier":
        """Load weights with their configuration.

        Parameters
        ----------
        source
            A folder, a Hugging Face Hub repository id, or ``None`` for the value of
            ``LANGID_MODEL`` in the environment and otherwise the weights in this package.
        revision
            Branch, tag or commit of a Hub repository; default ``LANGID_REVISION``.
        device
            A torch device; default CPU.

        Raises
        ------
        WeightsError
            If the weights cannot be had or do not fit their configuration.
        """
        loaded = load_model(source, revision)
        return cls(loaded.model.to(device or "cpu"), loaded.source, loaded.revision)

    def identify(
        self,
        audio: AudioInput,
        sample_rate: int | None = None,
        languages: Iterable[str] | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Identification:
        """Identify one recording, in constant memory however long it is.

        Parameters
        ----------
        audio
            A path, the bytes of a file, a binary file object, or an array with ``sample_rate``.
        languages
            Labels to choose among (``"other"`` and ``"none"`` may be among them); the
            probabilities of the rest become 0 and these are renormalised. Default: all.
        progress
            Called with the seconds heard so far after every batch of windows.

        Raises
        ------
        AudioError
            If the audio cannot be used; the message is one sentence for people.
        ValueError
            If ``languages`` names none or something the model does not know.
        """
        kept = self._kept(languages)
        answer = next(self._identify([(None, audio, sample_rate)], kept, progress))[1]
        if isinstance(answer, AudioError):
            raise answer
        return answer

    def identify_many(
        self, paths: Iterable[AudioInput], languages: Iterable[str] | None = None
    ) -> Iterator[tuple[AudioInput, Identification | AudioError]]:
        """Identify many recordings, batching windows over files.

        Yields each path with its answer, or with the error of that file, as soon as it is known;
        the order is that of ``paths`` up to a batch.
        """
        kept = self._kept(languages)
        return self._identify(((path, path, None) for path in paths), kept, None)

    def _kept(self, languages: Iterable[str] | None) -> np.ndarray:
        """(n_labels,) bool: the labels an answer may be."""
        if languages is None:
            return np.ones(len(self.labels), dtype=bool)
        wanted = set([languages] if isinstance(languages, str) else languages)
        unknown = sorted(wanted - set(self.labels))
        if unknown or not wanted:
            what = f"does not know {', '.join(unknown)}" if unknown else "needs a candidate"
            raise ValueError(f"This model {what}: choose among {', '.join(self.labels)}.")
        return np.array([label in wanted for label in self.labels])

    def _identify(
        self,
        jobs: Iterable[tuple[AudioInput | None, AudioInput, int | None]],
        kept: np.ndarray,
        progress: Callable[[float], None] | None,
    ) -> Iterator[tuple[AudioInput | None, Identification | AudioError]]:
        """Answers for jobs of (key, audio, sample_rate); windows wait until a batch is full."""
        waiting: list[tuple[_Recording, Window]] = []
        for key, audio, sample_rate in jobs:
            recording = _Recording(key)
            try:
                recording.stream = AudioStream(audio, sample_rate)
                config = self.model.config
                blocks = recording.metered_blocks()
                for window in cut_windows(
                    blocks, config.window_s, config.hop_s, config.sample_rate
                ):
                    waiting.append((recording, window))
                    if len(waiting) == BATCH_SIZE:
                        yield from self._run(waiting, kept)
                        waiting = []
                        if progress:
                            progress(window.end_s)
                recording.complete = True
            except AudioError as error:
                waiting = [item for item in waiting if item[0] is not recording]
                yield key, error
                continue
            if all(item[0] is not recording for item in waiting):
                yield key, self._answer(recording, kept)
        yield from self._run(waiting, kept)

    def _run(
        self, waiting: list[tuple["_Recording", Window]], kept: np.ndarray
    ) -> Iterator[tuple[AudioInput | None, Identification]]:
        """Classify the waiting windows and yield the answers which that completes."""
        # Only a recording shorter than a window has a window of another length.
        by_length = sorted(waiting, key=lambda item: len(item[1].waveform))
        for _, group in groupby(by_length, key=lambda item: len(item[1].waveform)):
            items = list(group)
            batch = torch.from_numpy(np.stack([window.waveform for _, window in items]))
            for (recording, window), row in zip(items, self.model.predict(batch), strict=True):
                recording.bounds.append((window.start_s, window.end_s))
                recording.probabilities.append(row.cpu().numpy().astype(np.float64))
        for recording in dict.fromkeys(recording for recording, _ in waiting):
            if recording.complete:
                yield recording.key, self._answer(recording, kept)

    def _answer(self, recording: "_Recording", kept: np.ndarray) -> Identification:
        windows = np.stack(recording.probabilities)
        none = self.labels.index(NONE)
        whole = aggregate(windows, none)
        warnings = list(recording.stream.warnings)
        if whole.argmax() == none and not kept[none]:
            warnings.append(
                "No speech was heard: the answer is only the likelier of the candidates."
            )
        windows, whole = restrict(windows, kept), restrict(whole, kept)
        language = self.labels[whole.argmax()]
        duration_s, active_s = recording.stream.duration_s, recording.energy.active_s()
        if active_s < LITTLE_S < duration_s and language != NONE:
            amount = f"Only {active_s:.1f} s of" if active_s >= 0.05 else "Nothing in"
            warnings.append(
                f"{amount} this recording is louder than silence: the answer may be wrong."
            )
        tops = [self.labels[i] for i in windows.argmax(axis=1)]
        return Identification(
            language=language,
            confidence=float(whole.max()),
            probabilities=self._named(whole),
            windows=[
                WindowResult(start_s, end_s, self._named(row))
                for (start_s, end_s), row in zip(recording.bounds, windows, strict=True)
            ],
            segments=[
                Segment(
                    start_s,
                    end_s,
                    tops[first],
                    float(windows[first:end, self.labels.index(tops[first])].mean()),
                )
                for first, end, start_s, end_s in runs(tops, recording.bounds)
            ],
            duration_s=duration_s,
            active_s=active_s,
            warnings=warnings,
        )

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        return dict(zip(self.labels, probabilities.tolist(), strict=True))


class _Recording:
    """What is known of a recording while its windows pass through the batches."""

    def __init__(self, key: AudioInput | None):
        self.key = key
        self.stream: AudioStream | None = None
        self.energy = EnergyMeter()
        self.bounds: list[tuple[float, float]] = []
        self.probabilities: list[np.ndarray] = []
        self.complete = False

    def metered_blocks(self) -> Iterator[np.ndarray]:
        """The blocks of the stream, each measured on its way."""
        for block in self.stream:
            self.energy.add(block)
            yield block
