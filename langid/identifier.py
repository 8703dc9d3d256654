"""``LanguageIdentifier``: audio in, ``Identification`` out, for one recording or many."""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import numpy as np
import torch

from langid.audio import AudioInput, AudioStream
from langid.audio.duration import announced_duration_s, too_long
from langid.audio.energy import FRAME_S, EnergyMeter
from langid.checkpoint import load_model
from langid.errors import AudioError, IdentificationCancelled, Message
from langid.identification import Identification, kept_labels, little_speech, summarise
from langid.languages import NONE, languages_of
from langid.model import LanguageCNN, usable_device
from langid.segments import speech_spans
from langid.windows import (
    Classified,
    Passage,
    Window,
    cut_windows,
    windows_per_passage,
    with_passages,
)

BATCH_SIZE = 8  # windows a forward pass: more is no faster and takes 40 MB more


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

    @property
    def n_parameters(self) -> int:
        """Of the network."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def weights_bytes(self) -> int:
        """Size of its tensors as `write_weights` stores them, floats in 16 bits."""
        tensors = self.model.state_dict().values()
        return sum(t.numel() * (2 if t.is_floating_point() else t.itemsize) for t in tensors)

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
        DeviceError
            If torch cannot use the device.
        """
        device = usable_device(device or "cpu")
        loaded = load_model(source, revision)
        return cls(loaded.model.to(device), loaded.source, loaded.revision)

    def identify(
        self,
        audio: AudioInput,
        sample_rate: int | None = None,
        languages: str | Iterable[str] | None = None,
        progress: Callable[[float], None] | None = None,
        max_duration_s: float | None = None,
        should_stop: Callable[[], bool] | None = None,
        audio_track: int | None = None,
    ) -> Identification:
        """Identify one recording, in constant memory however long it is.

        Parameters
        ----------
        audio
            A path, the bytes of a file, a binary file object, or an array with ``sample_rate``.
        languages
            Labels to choose among, as `langid.languages.choose_labels` reads them (codes, tags,
            names, ``"other"``, ``"none"``); the probabilities of the rest become 0 and these are
            renormalised. Default: all.
        progress
            Called with the seconds identified so far after every batch of windows.
        max_duration_s
            Longer recordings are refused, as soon as their headers say so or so much was decoded.
            Default: no limit.
        should_stop
            Asked before the first and between all batches of windows (about 14 s of audio):
            whether to end the work.
        audio_track
            Of a file with several audio tracks the one to identify, counted from 1. Default: the
            one that the file marks as its default, or else the first.

        Raises
        ------
        AudioError
            If the audio cannot be used; the message is one sentence for people.
        IdentificationCancelled
            If ``should_stop`` said so.
        ValueError
            If ``languages`` names none or something the model does not know.
        """
        answers = self.identify_incrementally(
            audio,
            sample_rate,
            languages,
            progress,
            max_duration_s,
            should_stop,
            math.inf,
            audio_track,
        )
        return next(answers)

    def identify_incrementally(
        self,
        audio: AudioInput,
        sample_rate: int | None = None,
        languages: str | Iterable[str] | None = None,
        progress: Callable[[float], None] | None = None,
        max_duration_s: float | None = None,
        should_stop: Callable[[], bool] | None = None,
        interval_s: float = 1.0,
        audio_track: int | None = None,
        on_block: Callable[[np.ndarray], None] | None = None,
    ) -> Iterator[Identification]:
        """As `identify`, with answers about every ``interval_s`` seconds of work.

        Each is the answer for what was decoded until then, its ``duration_s``; the last one is
        that of `identify`. Errors come with the first answer at the earliest. Closing the
        iterator ends the work. ``on_block`` is called with each block of the decoded audio,
        (n_samples,) float32 at 16 kHz.
        """
        kept = kept_labels(self.labels, languages)
        due_s = time.monotonic() + interval_s
        if should_stop and should_stop():
            raise IdentificationCancelled("The identification was stopped before its start.")
        jobs = [(None, audio, sample_rate)]
        for recording in self._classified(jobs, max_duration_s, audio_track, on_block):
            if recording.error:
                raise recording.error
            end_s = recording.windows.bounds[-1][1]
            if progress:
                progress(end_s)
            if recording.is_read:
                yield recording.answer(self.labels, kept)
                return
            if should_stop and should_stop():
                raise IdentificationCancelled(
                    f"The identification was stopped after {end_s:.0f} s of audio."
                )
            if time.monotonic() >= due_s:
                yield recording.answer(self.labels, kept)
                due_s = time.monotonic() + interval_s

    def identify_many(
        self,
        paths: Iterable[AudioInput],
        languages: str | Iterable[str] | None = None,
        audio_track: int | None = None,
    ) -> Iterator[tuple[AudioInput, Identification | AudioError]]:
        """Identify many recordings, batching windows over files.

        Yields each path with its answer, or with the error of that file, as soon as it is known;
        the order is that of ``paths`` up to a batch. ``audio_track`` is that of `identify`, of
        every file.
        """
        kept = kept_labels(self.labels, languages)
        jobs = ((path, path, None) for path in paths)
        recordings = self._classified(jobs, audio_track=audio_track)
        return (
            (recording.key, recording.error or recording.answer(self.labels, kept))
            for recording in recordings
            if recording.error or recording.is_read
        )

    def _classified(
        self,
        jobs: Iterable[tuple[AudioInput | None, AudioInput, int | None]],
        max_duration_s: float | None = None,
        audio_track: int | None = None,
        on_block: Callable[[np.ndarray], None] | None = None,
    ) -> Iterator["_Recording"]:
        """Recordings of jobs of (key, audio, sample_rate), with the probabilities of their windows.

        Windows wait until a batch is full. A recording is yielded after every batch with windows
        of it: the last time with ``is_read`` or an ``error``.
        """
        config = self.model.config
        n_windows = windows_per_passage(config.window_s, config.hop_s)
        waiting: list[tuple[_Recording, Window]] = []
        for key, audio, sample_rate in jobs:
            recording = _Recording(key)
            try:
                blocks = recording.blocks(audio, sample_rate, max_duration_s, audio_track, on_block)
                windows = cut_windows(blocks, config.window_s, config.hop_s, config.sample_rate)
                for window in with_passages(windows, n_windows, config.sample_rate):
                    waiting.append((recording, window))
                    if len(waiting) == BATCH_SIZE:
                        yield from self._classify(waiting)
                        waiting = []
                recording.is_read = True
            except AudioError as error:
                waiting = [item for item in waiting if item[0] is not recording]
                recording.error = error
                yield recording
                continue
            if all(item[0] is not recording for item in waiting):
                yield recording
        yield from self._classify(waiting)

    def _classify(self, waiting: list[tuple["_Recording", Window]]) -> Iterator["_Recording"]:
        """Give the waiting windows and passages their probabilities; yields their recordings."""
        # Only passages, and recordings shorter than a window, are of other lengths.
        by_length = sorted(waiting, key=lambda item: len(item[1].waveform))
        found: list[tuple[_Recording, Window, np.ndarray]] = []
        for _, group in groupby(by_length, key=lambda item: len(item[1].waveform)):
            items = list(group)
            batch = torch.from_numpy(np.stack([window.waveform for _, window in items]))
            rows = self.model.predict(batch).cpu().numpy().astype(np.float64)
            found += [(*item, row) for item, row in zip(items, rows, strict=True)]
        # The last passage may be shorter than the one before, and come first up to here.
        for recording, window, row in sorted(found, key=lambda item: item[1].start_s):
            known = recording.passages if isinstance(window, Passage) else recording.windows
            known.add(window, row)
        yield from dict.fromkeys(recording for recording, _ in waiting)


class _Recording:
    """What is known of a recording while its windows pass through the batches."""

    def __init__(self, key: AudioInput | None):
        self.key = key
        self.error: AudioError | None = None
        self.is_read = False
        self.windows, self.passages = Classified(), Classified()
        self._stream: AudioStream | None = None
        self._energy = EnergyMeter()
        # int8 of each frame of the energy meter. In one piece: small arrays that outlive the large
        # ones around them would keep the heap from being used again, 1.6 GB an hour.
        self._levels = bytearray()

    def blocks(
        self,
        audio: AudioInput,
        sample_rate: int | None,
        max_duration_s: float | None,
        audio_track: int | None,
        on_block: Callable[[np.ndarray], None] | None,
    ) -> Iterator[np.ndarray]:
        """The blocks of its audio, each measured on its way; `AudioError` beyond the limit."""
        self._stream = AudioStream(audio, sample_rate, audio_track)
        if max_duration_s is not None:
            announced_s = (
                max(audio.shape, default=0) / sample_rate
                if isinstance(audio, np.ndarray)
                else announced_duration_s(audio)
            )
            if announced_s and announced_s > max_duration_s:
                raise too_long(max_duration_s)
        for block in self._stream:
            if max_duration_s is not None and self._stream.duration_s > max_duration_s:
                raise too_long(max_duration_s)
            self._levels += self._energy.add(block).tobytes()
            if on_block:
                on_block(block)
            yield block

    def answer(self, labels: tuple[str, ...], kept: np.ndarray) -> Identification:
        """The answer for the windows so far, among the labels ``kept`` (n_labels,) bool."""
        windows, passages = (
            known.probabilities(len(labels)) for known in (self.windows, self.passages)
        )
        if self._stream.is_silent:  # whatever the network makes of the last bit
            silence = np.eye(len(labels))[labels.index(NONE)]
            windows, passages = (np.tile(silence, (len(rows), 1)) for rows in (windows, passages))
        lengths_s = self._stream.duration_s, self._energy.active_s()
        warnings = [*self._stream.warnings, *self._little_speech(labels, windows)]
        return summarise(
            labels,
            kept,
            windows,
            self.windows.bounds,
            lengths_s,
            warnings,
            passages,
            self.passages.bounds,
        )

    def _little_speech(self, labels: tuple[str, ...], windows: np.ndarray) -> list[Message]:
        """A warning where a short stretch of speech stands in a long recording."""
        levels = np.frombuffer(self._levels, dtype=np.int8)
        active = np.flatnonzero(levels >= self._energy.threshold_dbfs()) * FRAME_S
        speech_s = 0.0  # from the first to the last active frame of each span
        for span_s in speech_spans(windows, self.windows.bounds, labels.index(NONE)):
            first, end = np.searchsorted(active, span_s)
            speech_s += active[end - 1] - active[first] + FRAME_S if end > first else 0.0
        return little_speech(speech_s, self._energy.active_s(), self._stream.duration_s)
