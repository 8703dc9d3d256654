"""One recording on its way into a dataset: what is known of it, and the bytes to store."""

import hashlib
import io
import math
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import numpy as np
import soundfile

from langid.audio import MIN_DURATION_S, SAMPLE_RATE, AudioStream, NonFiniteError, TooShortError
from langid.audio.energy import SILENCE_DBFS, EnergyMeter
from langid.data.utterance import Job, Reading, Utterance
from langid.errors import AudioError

# Compressed formats that the Hub's viewer plays: bytes of them are stored as they are.
KEPT_FORMATS = {"FLAC": ".flac", "Ogg": ".ogg", "Opus": ".opus", "MP3": ".mp3"}
CLIPPED_LEVEL = 0.99  # of full scale: where converters and editors hold what is louder
CLIPPED_SHARE = 0.1  # of the samples there: shouting into a microphone that was set too high

FAINT = f"silent (nothing above {SILENCE_DBFS:g} dBFS)"


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
    language_text: str = field(default="", compare=False, repr=False)  # as the folder writes it


@dataclass(frozen=True)
class ClipLimits:
    """Which recordings are kept, and how long one may be before it is cut."""

    min_duration_s: float = 0.5  # in any case 0.3 s, what decoding gives out
    max_duration_s: float = 30.0
    min_speech_s: float = 0.0  # of sound that stands out of the silence, by `EnergyMeter`


@dataclass(frozen=True)
class Piece:
    """Audio to store: a whole recording, or a part of one that was too long."""

    data: bytes
    suffix: str  # of the format of ``data``, with the dot
    duration_s: float
    digest: str  # of the samples in 16 bits, so that the container does not count; hexadecimal
    is_whole: bool = True  # and no part: what is said in the recording is said in it

    def utterance(
        self, recording_id: str, number: int, transcript: str | None, folder: str = "", **facts
    ) -> Utterance:
        """What is stored of it as the piece ``number`` that is kept of a recording."""
        utterance_id = recording_id if self.is_whole else f"{recording_id}-{number:04d}"
        return Utterance(
            audio=self.data,
            file_name=folder + utterance_id + self.suffix,
            duration_s=self.duration_s,
            audio_digest=self.digest,
            utterance_id=utterance_id,
            transcript=transcript if self.is_whole else None,
            **facts,
        )


class _PieceWriter:
    """Collects the samples of one piece: digest, levels and, if asked for, FLAC bytes."""

    def __init__(self, flac: bool):
        self.n_samples = 0
        self._n_clipped = 0
        self._is_zero = True
        self._energy = EnergyMeter()
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
        self._n_clipped += int(np.count_nonzero(np.abs(waveform) >= CLIPPED_LEVEL))
        self._is_zero = self._is_zero and not samples.any()
        self._energy.add(waveform)
        self._hash.update(samples.tobytes())
        if self._file is not None:
            self._file.write(samples)

    def fault(self, limits: ClipLimits) -> str | None:
        """Why this piece is not worth keeping, if it is not."""
        min_duration_s = max(limits.min_duration_s, MIN_DURATION_S)
        if self.n_samples < min_duration_s * SAMPLE_RATE:
            return f"shorter than {min_duration_s:g} s"
        if self._is_zero:
            return "silent (all zero)"
        active_s = self._energy.active_s()
        if active_s == 0:
            return FAINT
        if self._n_clipped >= CLIPPED_SHARE * self.n_samples:
            return "clipped throughout"
        if active_s < limits.min_speech_s:
            return f"less than {limits.min_speech_s:g} s above its silence"
        return None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def finish(self) -> Piece:
        self.close()
        duration_s = self.n_samples / SAMPLE_RATE
        return Piece(self._buffer.getvalue(), ".flac", duration_s, self._hash.hexdigest())


class _Cutter:
    """Blocks of a recording → pieces of the longest duration, and what is wrong with others."""

    def __init__(self, limits: ClipLimits):
        self.n_samples = 0
        self._limits = limits
        is_endless = math.isinf(limits.max_duration_s)
        self._max = (
            sys.maxsize if is_endless else max(1, round(limits.max_duration_s * SAMPLE_RATE))
        )
        self._pieces: list[Piece] = []
        self._faults: list[str] = []
        self.restart(flac=False)

    def restart(self, flac: bool) -> None:
        """Begin a piece, with FLAC bytes or without any."""
        self._flac = flac
        self._writer = _PieceWriter(flac)

    def write(self, block: np.ndarray) -> None:
        self.n_samples += len(block)
        while len(block):
            if self._writer.n_samples == self._max:
                self._complete()
                self.restart(self._flac)
            room = self._max - self._writer.n_samples
            self._writer.write(block[:room])
            block = block[room:]

    def close(self) -> None:
        self._writer.close()

    def finish(self) -> tuple[list[Piece], list[str]]:
        """The pieces that are worth keeping, and the faults of those that are not."""
        self._complete()
        return self._pieces, self._faults

    def _complete(self) -> None:
        piece, fault = self._writer.finish(), self._writer.fault(self._limits)
        if fault is None:
            self._pieces.append(piece)
        else:
            self._faults.append(fault)


def encode_clip(
    recording: Path | bytes, limits: ClipLimits, max_total_s: float = math.inf
) -> tuple[list[Piece], list[str]]:
    """Check a recording, a file or its bytes, and give the bytes to store.

    A compressed mono 16 kHz recording keeps its bytes; everything else becomes 16-bit FLAC at
    16 kHz. A recording over ``max_duration_s`` is cut into pieces of that length, each of which
    must hold against ``limits`` by itself. What comes after about ``max_total_s`` is not even
    decoded. Only what is stored is held in memory.

    Returns
    -------
    pieces : list of Piece
        At least one, in the order of time.
    changes : list of str
        What distinguishes them from the recording, such as ``"resampled from 8,000 Hz"``.

    Raises
    ------
    UnusableClip
        If it cannot be read or decoded, or no piece is worth keeping: too short, silent, clipped
        in a tenth of its samples, or with too little sound.
    """
    try:
        pieces, changes, suffix = _decode(recording, limits, max_total_s, keep=True)
        if suffix and changes:  # damaged, or too long
            pieces, changes, suffix = _decode(recording, limits, max_total_s, keep=False)
    except NonFiniteError as error:
        raise UnusableClip("NaN or infinite samples") from error
    except AudioError as error:
        raise UnusableClip("undecodable") from error
    except OSError as error:
        raise UnusableClip("cannot be read") from error
    if suffix:
        data = recording if isinstance(recording, bytes) else recording.read_bytes()
        pieces = [replace(pieces[0], data=data, suffix=suffix)]
    return pieces, changes


def _decode(
    recording: Path | bytes, limits: ClipLimits, max_total_s: float, keep: bool
) -> tuple[list[Piece], list[str], str | None]:
    """Decode block by block into pieces that are worth keeping; see `encode_clip`.

    With ``keep``, a compressed mono 16 kHz recording is only measured: its pieces have no bytes,
    and the third value is the suffix to store it with.
    """
    stream = AudioStream(recording)
    cutter, suffix, is_cut_off = _Cutter(limits), None, False
    try:
        for block in stream:
            if cutter.n_samples == 0:  # now the format is known
                suffix = _suffix_if_kept(stream) if keep else None
                cutter.restart(flac=suffix is None)
            cutter.write(block)
            if stream.duration_s >= max_total_s:
                is_cut_off = next(stream, None) is not None
                break
    except TooShortError:
        if stream.is_incomplete:  # who knows how long it was
            raise
    finally:
        cutter.close()
    pieces, faults = cutter.finish()
    if pieces and stream.peak_dbfs < SILENCE_DBFS:
        pieces, faults = [], [FAINT]
    if not pieces:
        raise UnusableClip(faults[0])
    if len(pieces) + len(faults) > 1:
        pieces = [replace(piece, is_whole=False) for piece in pieces]
    changes = _changes(stream, pieces, faults, limits)
    if is_cut_off:
        changes.append(f"the rest left out after {max_total_s / 60:g} min")
        pieces = [replace(piece, is_whole=False) for piece in pieces]
    return pieces, changes, suffix


def _changes(
    stream: AudioStream, pieces: list[Piece], faults: list[str], limits: ClipLimits
) -> list[str]:
    changes = []
    if stream.is_incomplete:
        changes.append("damaged, kept as far as it decodes")
    if stream.n_repaired:
        changes.append("single bad samples interpolated")
    if stream.n_audio_tracks > 1:
        changes.append(f"track {stream.audio_track} of {stream.n_audio_tracks}")
    if stream.n_channels != 1:
        changes.append(f"mixed down from {stream.n_channels} channels")
    if stream.source_rate_hz != SAMPLE_RATE:
        changes.append(f"resampled from {stream.source_rate_hz:,.0f} Hz")
    if not pieces[0].is_whole:
        changes.append(f"longer than {limits.max_duration_s:g} s, cut into pieces")
    changes += [f"a piece left out: {fault}" for fault in dict.fromkeys(faults)]
    return changes


def _suffix_if_kept(stream: AudioStream) -> str | None:
    """The suffix to store a recording with if it is compressed mono 16 kHz audio already.

    Opus counts by the rate at which it was recorded.
    """
    is_mono_16_khz = (stream.n_channels, stream.source_rate_hz) == (1, SAMPLE_RATE)
    return KEPT_FORMATS.get(stream.format) if is_mono_16_khz else None


def recording_jobs(clips: list[Clip]) -> list[Job]:
    jobs = []
    for clip in clips:
        stat = clip.path.stat()
        facts = replace(clip, path=Path(clip.file_name))
        jobs.append(
            Job(clip.file_name, clip.split, stat.st_size, clip, f"{stat.st_mtime_ns} {facts}")
        )
    return jobs


def read_recording(job: Job, limits: ClipLimits) -> Reading:
    """The utterances of a ``Clip``: one, or several pieces of a recording that was too long."""
    clip: Clip = job.item
    reading = Reading()
    try:
        pieces, changes = encode_clip(clip.path, limits)
    except UnusableClip as reason:
        reading.excluded.add(str(reason), clip.file_name)
        return reading
    for change in changes:
        reading.changes.add(change, clip.file_name)
    recording_id = PurePath(clip.file_name).with_suffix("").as_posix()
    facts = ("language", "speaker_id", "source", "licence", "synthetic")
    kept = {fact: getattr(clip, fact) for fact in facts}
    reading.utterances = [
        piece.utterance(recording_id, number, clip.transcript, **kept)
        for number, piece in enumerate(pieces)
    ]
    return reading
