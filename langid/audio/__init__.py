"""Any recording → blocks of mono float32 at 16 kHz, or an `AudioError` that says what is wrong.

A recording is decoded, mixed down and resampled in blocks of one second, so that three hours of
MP3 take no more memory than three seconds.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from langid.audio.arrays import MAX_RATE_HZ, MIN_RATE_HZ, array_chunks, checked_rate, time_first
from langid.audio.channels import downmix
from langid.audio.decoding import decode
from langid.audio.ffmpeg import check_track
from langid.audio.info import StreamInfo
from langid.audio.levels import QUIET_DBFS, Amplifier, LevelMeter
from langid.audio.samples import Chunk, beyond_scale, interpolate, resample, second_blocks
from langid.audio.sources import open_source
from langid.errors import AudioError, Message

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
MAX_CHANNELS = 32  # 22.2 surround has 24; an array with more is a spectrogram
MAX_BAD_SHARE, MAX_BAD_SAMPLES = 0.01, 10  # beyond both a file is not repaired

AudioInput = str | os.PathLike | bytes | BinaryIO | np.ndarray


class NonFiniteError(AudioError):
    """The samples include NaN or infinity."""


class TooShortError(AudioError):
    """There is sound, but less than `MIN_DURATION_S` of it."""


class AudioStream:
    """An iterator, for once, over a recording in blocks of float32 (n,), mono, 16 kHz.

    Blocks last about a second, the last one less; they are finite and nominally in [-1, 1]. Time
    is a player's: what the recording's time stamps leave out, or start later with, is silence.

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
    audio_track : int, optional
        Of a file with several audio tracks the one to decode, counted from 1; default: the one
        that the file marks as its default, or else the first.

    Attributes
    ----------
    warnings : list of str
        What was left out, repaired, chosen or amplified, one sentence each; complete after the
        iteration.
    is_incomplete : bool
        Whether samples of the recording are missing, because it is damaged or cut off.
    duration_s : float
        Seconds yielded so far.
    source_rate_hz : float or None
        Sample rate in which the recording starts, of Opus the one it was recorded at; None before
        the first block.
    n_channels : int or None
        Channels with which it starts.
    format : str or None
        ``"Opus"`` for Ogg with Opus, else the container, such as ``"WAV"``; None before the first
        block, for an array and where nothing names it.
    n_repaired : int
        Samples of a file that were no numbers or far out of range, and were interpolated.
    n_audio_tracks, audio_track : int
        Audio tracks of the file, and which one is decoded, counted from 1.
    peak_dbfs : float
        The highest level so far, without a constant offset and before any gain: of full scale, in
        dB; -inf for digital silence.
    is_silent : bool
        Whether that is below -90 dBFS, the last bit of 16, where no speech can be. What is louder
        but stays below -60 dBFS is amplified to a peak of -20 dBFS.

    Raises
    ------
    AudioError
        On construction for a wrong array, sample rate or track; while iterating for everything
        that only opening and reading show, from a missing file to less than 0.3 s of sound.
    """

    def __init__(
        self,
        audio: AudioInput,
        sample_rate: float | None = None,
        audio_track: int | None = None,
    ) -> None:
        self._info = StreamInfo()
        self._level = LevelMeter()
        self.duration_s = 0.0
        self.source_rate_hz: float | None = None
        self.n_channels: int | None = None
        self.n_repaired = 0
        self._is_array = isinstance(audio, np.ndarray)
        if self._is_array:
            self._name = "The array"
            if audio_track is not None:
                check_track(self._name, audio_track, 1)
            chunks = array_chunks(time_first(audio), checked_rate(sample_rate))
        else:
            if sample_rate is not None:
                raise AudioError(
                    "sample_rate is only for arrays: leave it out, a file carries its own."
                )
            self._name = "The input"
            chunks = self._file_chunks(audio, audio_track)
        channels = self._repaired(second_blocks(self._checked(chunks)))
        mono = self._measured(downmix(channels))
        self._blocks = self._long_enough(self._amplified(resample(mono, SAMPLE_RATE)))

    def __iter__(self) -> "AudioStream":
        return self

    def __next__(self) -> np.ndarray:
        block = next(self._blocks)
        self.duration_s += len(block) / SAMPLE_RATE
        return block

    @property
    def warnings(self) -> list[str]:
        return self._info.warnings

    @property
    def is_incomplete(self) -> bool:
        return self._info.is_incomplete

    @property
    def format(self) -> str | None:
        return self._info.format

    @property
    def n_audio_tracks(self) -> int:
        return self._info.n_audio_tracks

    @property
    def audio_track(self) -> int:
        return self._info.audio_track

    @property
    def peak_dbfs(self) -> float:
        return self._level.dbfs

    @property
    def is_silent(self) -> bool:
        return self._level.is_silent

    def _file_chunks(
        self, audio: str | os.PathLike | bytes | BinaryIO, audio_track: int | None
    ) -> Iterator[Chunk]:
        with open_source(audio) as source:
            self._name = source.name
            yield from decode(source, self._info, audio_track)

    def _checked(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks, while their rate and channel count are those of a recording."""
        for sample_rate, samples in chunks:
            if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
                raise AudioError(
                    Message(
                        "{name} has a sample rate of {rate_hz:,.0f} Hz, outside 1 to 768 kHz: "
                        "export it again, at 16 kHz for instance.",
                        name=self._name,
                        rate_hz=sample_rate,
                    )
                )
            if samples.shape[1] > MAX_CHANNELS:
                raise AudioError(
                    Message(
                        "{name} has {n} channels, more than {n_most}: mix it down to mono first.",
                        name=self._name,
                        n=samples.shape[1],
                        n_most=MAX_CHANNELS,
                    )
                )
            if self.n_channels is None:
                self.source_rate_hz = self._info.recorded_rate_hz or sample_rate
                self.n_channels = samples.shape[1]
            yield sample_rate, samples

    def _repaired(self, blocks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The blocks (rate, (n, channels)), finite and in scale: of a file, single samples that are
        not are interpolated."""
        n_samples = 0
        for sample_rate, samples in blocks:
            n_samples += samples.size
            is_bad = beyond_scale(samples, spikes=not self._is_array)
            if is_bad is not None:
                self.n_repaired += int(np.count_nonzero(is_bad))
                limit = max(MAX_BAD_SAMPLES, MAX_BAD_SHARE * n_samples)
                if self._is_array or self.n_repaired > limit:
                    raise self._out_of_scale(samples)
                samples = interpolate(samples, is_bad)
            yield sample_rate, samples
        if self.n_repaired:
            self._info.warn(
                Message(
                    "{name} has {n} of {n_samples:,} samples that are no numbers or far out of "
                    "range: their neighbours stand in for them.",
                    name=self._name,
                    n=self.n_repaired,
                    n_samples=n_samples,
                )
            )

    def _out_of_scale(self, samples: np.ndarray) -> AudioError:
        peak = float(np.abs(samples).max())
        if not np.isfinite(peak):
            return NonFiniteError(
                Message(
                    "{name} contains NaN or infinite samples: repair or export it again.",
                    name=self._name,
                )
            )
        if self._is_array:
            return AudioError(
                f"{self._name} reaches ±{peak:.4g} where full scale is ±1: divide floats by their "
                "full scale (32768 for 16 bit) or give integers."
            )
        return AudioError(
            Message(
                "{name} reaches ±{peak:.4g} where full scale is ±1: export it again with 16 bits, "
                "which have a full scale of their own.",
                name=self._name,
                peak=peak,
            )
        )

    def _measured(self, blocks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The mono blocks, each measured on its way."""
        for sample_rate, mono in blocks:
            self._level.add(mono)
            yield sample_rate, mono

    def _amplified(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The blocks, louder where the recording is quiet."""
        amplifier = Amplifier(self._level, SAMPLE_RATE)
        yield from amplifier.blocks(blocks)
        if amplifier.gain_db:
            self._info.warn(
                Message(
                    "{name} is hardly louder than silence, below {level_dbfs:.0f} dBFS, and was "
                    "amplified by {gain_db:.0f} dB: the answer may be wrong.",
                    name=self._name,
                    level_dbfs=QUIET_DBFS,
                    gain_db=amplifier.gain_db,
                )
            )

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
                Message(
                    "{name} contains no samples, perhaps cut off: record or export it again.",
                    name=self._name,
                )
            )
        raise TooShortError(
            Message(
                "{name} lasts {length_s:.2f} s: at least {least_s} s are needed, and several "
                "seconds are better.",
                name=self._name,
                length_s=len(held) / SAMPLE_RATE,
                least_s=MIN_DURATION_S,
            )
        )


def load_audio(
    audio: AudioInput, sample_rate: float | None = None, audio_track: int | None = None
) -> tuple[np.ndarray, list[str]]:
    """A whole recording: waveform float32 (n,), mono, 16 kHz, and warnings; see `AudioStream`."""
    stream = AudioStream(audio, sample_rate, audio_track)
    return np.concatenate(list(stream)), stream.warnings
