"""One recording on its way into a dataset: what is known of it, and the bytes to store."""

import hashlib
import io
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from langid.audio import MIN_DURATION_S, SAMPLE_RATE, AudioError, AudioStream
from langid.drops import Drops  # noqa: F401

# Compressed containers that libsndfile reads: such bytes are stored as they are.
KEPT_FORMATS = ("FLAC", "OGG", "MP3")


class DataError(ValueError):
    """The data cannot be prepared; the message is one sentence that says what to do."""


class UnusableClip(ValueError):
    """This recording stays out of the dataset; the message is the reason, for the count."""


@dataclass(frozen=True)
class Clip:
    """What a folder says of one recording, before anything is decoded."""

    path: Path
    file_name: str  # path inside its folder, for messages and for the dataset's "path"
    language: str
    speaker_id: str
    source: str
    split: str | None = None  # "train", "validation", "test", or None: not yet decided
    licence: str | None = None
    synthetic: bool = False
    transcript: str | None = None


@dataclass(frozen=True)
class ClipLimits:
    """Which recordings are kept, and how long one may be before it is cut."""

    min_duration_s: float = 0.5
    max_duration_s: float = 30.0
    min_speech_s: float = 0.0  # of sound that stands out of the silence


@dataclass(frozen=True)
class Piece:
    """Audio to store: a whole recording, or a part of one that was too long."""

    data: bytes
    suffix: str  # of the format of ``data``, with the dot
    duration_s: float
    digest: bytes  # of the samples in 16 bits, so that the container does not count
    is_silent: bool  # every sample is zero in 16 bits


class _PieceWriter:
    """Collects the samples of one piece: digest, peak and, if asked for, FLAC bytes."""

    def __init__(self, flac: bool):
        self.n_samples = 0
        self.is_silent = True
        self._hash = hashlib.blake2b(digest_size=16)
        self._buffer = io.BytesIO()
        self._file = None
        if flac:
            self._file = soundfile.SoundFile(
                self._buffer, "w", SAMPLE_RATE, 1, subtype="PCM_16", format="FLAC"
            )

    def write(self, waveform: np.ndarray) -> None:
        """Append float samples (n,) in [-1, 1]."""
        samples = np.clip(np.rint(waveform * 32768.0), -32768, 32767).astype("<i2")
        self.n_samples += len(samples)
        self.is_silent = self.is_silent and not samples.any()
        self._hash.update(samples.tobytes())
        if self._file is not None:
            self._file.write(samples)

    def finish(self) -> Piece:
        if self._file is not None:
            self._file.close()
        return Piece(
            self._buffer.getvalue(),
            ".flac",
            self.n_samples / SAMPLE_RATE,
            self._hash.digest(),
            self.is_silent,
        )


def _decode(path: Path, max_samples: int, flac: bool) -> tuple[list[Piece], list[str]]:
    """Decode block by block into pieces of at most ``max_samples``; also the warnings."""
    stream = AudioStream(path)
    pieces, writer = [], _PieceWriter(flac)
    for block in stream:
        while len(block):
            if writer.n_samples == max_samples:
                pieces.append(writer.finish())
                writer = _PieceWriter(flac)
            room = max_samples - writer.n_samples
            writer.write(block[:room])
            block = block[room:]
    return [*pieces, writer.finish()], stream.warnings


def _is_kept_as_it_is(path: Path, max_duration_s: float) -> bool:
    """Whether the file is compressed mono 16 kHz audio (Opus: recorded at 16 kHz) already."""
    try:
        info = soundfile.info(os.fspath(path))
    except (soundfile.LibsndfileError, OSError):
        return False
    return (
        info.format in KEPT_FORMATS
        and info.channels == 1
        and info.samplerate == SAMPLE_RATE
        and info.duration <= max_duration_s
    )


def _is_shorter_than(path: Path, duration_s: float) -> bool:
    """Whether a file that did not decode is sound, as far as its header says, but too short."""
    try:
        return 0 < soundfile.info(os.fspath(path)).duration < duration_s
    except (soundfile.LibsndfileError, OSError):
        return False


def encode_clip(path: Path, min_duration_s: float, max_duration_s: float) -> list[Piece]:
    """Check a recording and give the bytes to store; only they are held in memory.

    A compressed mono 16 kHz file keeps its bytes; everything else becomes 16-bit FLAC at
    16 kHz. A recording over ``max_duration_s`` is cut into pieces of that length.

    Raises
    ------
    UnusableClip
        If the file does not decode, is too short or is silent (all zero in 16 bits).
    """
    too_short = f"shorter than {max(min_duration_s, MIN_DURATION_S):g} s"
    max_samples = max(1, round(max_duration_s * SAMPLE_RATE))
    keep = _is_kept_as_it_is(path, max_duration_s)
    try:
        pieces, warnings = _decode(path, max_samples, flac=not keep)
        if keep and (warnings or len(pieces) > 1):  # damaged, or its header understates it
            keep = False
            pieces, warnings = _decode(path, max_samples, flac=True)
    except AudioError as error:
        if _is_shorter_than(path, MIN_DURATION_S):
            raise UnusableClip(too_short) from error
        raise UnusableClip("undecodable") from error
    except OSError as error:
        raise UnusableClip("cannot be read") from error
    pieces = [piece for piece in pieces if piece.duration_s >= min_duration_s]
    if not pieces:
        raise UnusableClip(too_short)
    pieces = [piece for piece in pieces if not piece.is_silent]
    if not pieces:
        raise UnusableClip("silent (all zero)")
    if keep:
        return [replace(pieces[0], data=path.read_bytes(), suffix=path.suffix.lower())]
    return pieces
