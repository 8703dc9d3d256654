"""Any recording → blocks of mono float32 at 16 kHz, or an `AudioError` that says what is wrong.

A recording is decoded, mixed down and resampled in blocks of one second, so that three hours of
MP3 take no more memory than three seconds.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from langid.audio.decoding import decode
from langid.audio.samples import Chunk, downmix, full_scale, resample, second_blocks
from langid.audio.sources import open_source
from langid.errors import AudioError

__all__ = [
    "AUDIO_SUFFIXES",
    "MIN_DURATION_S",
    "SAMPLE_RATE",
    "AudioError",
    "AudioInput",
    "AudioStream",
    "NonFiniteError",
    "TooShortError",
    "load_audio",
]

SAMPLE_RATE = 16_000  # of everything this module gives out, in Hz
MIN_DURATION_S = 0.3  # a syllable
# How files of recordings end. Decoding goes by content; this is for telling them from others
# where nothing names them.
AUDIO_SUFFIXES = frozenset(
    {
        *(".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".au", ".caf", ".flac"),
        *(".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".oga", ".ogg"),
        *(".opus", ".snd", ".sph", ".w64", ".wav", ".webm", ".wma"),
    }
)
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 32  # 22.2 surround has 24; an array with more is a spectrogram
MAX_AMPLITUDE = 100.0  # 40 dB over full scale: no recording, but a scale that was forgotten

AudioInput = str | os.PathLike | bytes | BinaryIO | np.ndarray


class NonFiniteError(AudioError):
    """The samples include NaN or infinity."""


class TooShortError(AudioError):
    """There is sound, but less than `MIN_DURATION_S` of it."""


class AudioStream:
    """An iterator, for once, over a recording in blocks of float32 (n,), mono, 16 kHz.

    Blocks last about a second, the last one less; they are finite and nominally in [-1, 1].

    Parameters
    ----------
    audio : path, bytes, binary file object or array
        Path or bytes of any usual audio or video format. A file object is read from its beginning
        if it can seek, else from where it stands, and stays open.
        Arrays are (samples,), (samples, channels) or (channels, samples): the longer axis is time,
        of two equal ones the first. Floats have full scale ±1, integers of 8 to 32 bits that of
        their width, with unsigned ones centred on the middle.
    sample_rate : float, optional
        In Hz; required for an array and an error with anything else, which carries its own.

    Attributes
    ----------
    warnings : list of str
        What was left out, one sentence each; complete after the iteration.
    duration_s : float
        Seconds yielded so far.
    source_rate_hz : float or None
        Sample rate in which the recording starts; None before the first block.
    n_channels : int or None
        Channels with which it starts.

    Raises
    ------
    AudioError
        On construction for a wrong array or sample rate; while iterating for everything that only
        opening and reading show, from a missing file to less than 0.3 s of sound.
    """

    def __init__(self, audio: AudioInput, sample_rate: float | None = None) -> None:
        self.warnings: list[str] = []
        self.duration_s = 0.0
        self.source_rate_hz: float | None = None
        self.n_channels: int | None = None
        if isinstance(audio, np.ndarray):
            self._name = "The array"
            chunks = _array_chunks(_time_first(audio), _checked_rate(sample_rate))
        else:
            if sample_rate is not None:
                raise AudioError(
                    "sample_rate is only for arrays: leave it out, a file carries its own."
                )
            self._name = "The input"
            chunks = self._file_chunks(audio)
        mono = self._mono(second_blocks(self._checked(chunks)))
        self._blocks = self._long_enough(resample(mono, SAMPLE_RATE))

    def __iter__(self) -> "AudioStream":
        return self

    def __next__(self) -> np.ndarray:
        block = next(self._blocks)
        self.duration_s += len(block) / SAMPLE_RATE
        return block

    def _file_chunks(self, audio: str | os.PathLike | bytes | BinaryIO) -> Iterator[Chunk]:
        with open_source(audio) as source:
            self._name = source.name
            yield from decode(source, self.warnings)

    def _checked(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks, while their rate and channel count are those of a recording."""
        for sample_rate, samples in chunks:
            if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
                raise AudioError(
                    f"{self._name} has a sample rate of {sample_rate:,.0f} Hz, outside 1 to 768 "
                    "kHz: export it again, at 16 kHz for instance."
                )
            if samples.shape[1] > MAX_CHANNELS:
                raise AudioError(
                    f"{self._name} has {samples.shape[1]} channels, more than {MAX_CHANNELS}: "
                    "mix it down to mono first."
                )
            if self.n_channels is None:
                self.source_rate_hz, self.n_channels = sample_rate, samples.shape[1]
            yield sample_rate, samples

    def _mono(self, blocks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Blocks (rate, (n, channels)) → (rate, (n,)), while they are finite and in scale."""
        for sample_rate, samples in blocks:
            peak = float(np.abs(samples).max())
            if not np.isfinite(peak):
                raise NonFiniteError(
                    f"{self._name} contains NaN or infinite samples: repair or export it again."
                )
            if peak > MAX_AMPLITUDE:
                raise AudioError(
                    f"{self._name} reaches ±{peak:.4g} where full scale is ±1: divide floats by "
                    "their full scale (32768 for 16 bit) or give integers."
                )
            yield sample_rate, downmix(samples)

    def _long_enough(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The blocks, the first held back until it is known that there are 0.3 s."""
        held = np.empty(0, dtype=np.float32)
        for block in blocks:
            held = np.concatenate([held, block]) if len(held) else block
            if len(held) >= MIN_DURATION_S * SAMPLE_RATE:
                yield held
                yield from blocks
                return
        if len(held) == 0:
            raise AudioError(
                f"{self._name} contains no samples, perhaps cut off: record or export it again."
            )
        raise TooShortError(
            f"{self._name} lasts {len(held) / SAMPLE_RATE:.2f} s: at least {MIN_DURATION_S} s are "
            "needed, and several seconds are better."
        )


def load_audio(audio: AudioInput, sample_rate: float | None = None) -> tuple[np.ndarray, list[str]]:
    """A whole recording: waveform float32 (n,), mono, 16 kHz, and warnings; see `AudioStream`."""
    stream = AudioStream(audio, sample_rate)
    return np.concatenate(list(stream)), stream.warnings


def _checked_rate(sample_rate: float | None) -> float:
    if sample_rate is None:
        raise AudioError("An array needs its sample rate: give sample_rate in Hz.")
    try:
        rate = float(sample_rate)
    except (TypeError, ValueError):
        rate = float("nan")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise AudioError(
            f"A sample_rate of {sample_rate!r} is outside 1,000 to 768,000: give that of the "
            "array, in Hz."
        )
    return rate


def _time_first(array: np.ndarray) -> np.ndarray:
    """Check an array; → (samples, channels), a view."""
    kind, n_bytes = array.dtype.kind, array.dtype.itemsize
    if kind not in "fiu" or (kind in "iu" and n_bytes > 4):
        raise AudioError(
            f"An array of {array.dtype} is no audio: give floats in [-1, 1] or integers of 8, 16 "
            "or 32 bits."
        )
    if array.ndim == 1:
        return array[:, np.newaxis]
    if array.ndim != 2:
        raise AudioError(
            f"An array of shape {array.shape} is no recording: give (samples,), "
            "(samples, channels) or (channels, samples)."
        )
    if array.size == 0:
        return array.reshape(0, 1)
    return array if array.shape[0] >= array.shape[1] else array.T


def _array_chunks(samples: np.ndarray, sample_rate: float) -> Iterator[Chunk]:
    n_block = round(sample_rate)
    for start in range(0, len(samples), n_block):
        yield sample_rate, full_scale(samples[start : start + n_block])
