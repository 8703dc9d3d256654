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

# Compressed containers that libsndfile reads: such bytes are stored as they are.
KEPT_FORMATS = {"FLAC": ".flac", "OGG": ".ogg", "MP3": ".mp3"}
CLIPPED_LEVEL = 0.99  # of full scale: where converters and editors hold what is louder
CLIPPED_SHARE = 0.1  # of the samples there: shouting into a microphone that was set too high


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
            return f"silent (nothing above {SILENCE_DBFS:g} dBFS)"
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
    suffix = _suffix_if_kept(recording, limits.max_duration_s)
    try:
        pieces, changes = _decode(recording, limits, max_total_s, flac=suffix is None)
        if suffix and changes:  # damaged, or its header understates it
            suffix = None
            pieces, changes = _decode(recording, limits, max_total_s, flac=True)
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
    recording: Path | bytes, limits: ClipLimits, max_total_s: float, flac: bool
) -> tuple[list[Piece], list[str]]:
    """Decode block by block into pieces that are worth keeping; see `encode_clip`."""
    is_endless = math.isinf(limits.max_duration_s)
    max_samples = sys.maxsize if is_endless else max(1, round(limits.max_duration_s * SAMPLE_RATE))
    stream = AudioStream(recording)
    pieces, faults, writer = [], [], _PieceWriter(flac)
    is_cut_off = False

    def complete() -> None:
        piece, fault = writer.finish(), writer.fault(limits)
        if fault is None:
            pieces.append(piece)
        else:
            faults.append(fault)

    try:
        for block in stream:
            while len(block):
                if writer.n_samples == max_samples:
                    complete()
                    writer = _PieceWriter(flac)
                room = max_samples - writer.n_samples
                writer.write(block[:room])
                block = block[room:]
            if stream.duration_s >= max_total_s:
                is_cut_off = next(stream, None) is not None
                break
    except TooShortError:
        if stream.warnings:  # who knows how long it was
            raise
    finally:
        writer.close()
    complete()
    if not pieces:
        raise UnusableClip(faults[0])
    if len(pieces) + len(faults) > 1:
        pieces = [replace(piece, is_whole=False) for piece in pieces]
    changes = _changes(stream, pieces, faults, limits)
    if is_cut_off:
        changes.append(f"the rest left out after {max_total_s / 60:g} min")
        pieces = [replace(piece, is_whole=False) for piece in pieces]
    return pieces, changes


def _changes(
    stream: AudioStream, pieces: list[Piece], faults: list[str], limits: ClipLimits
) -> list[str]:
    changes = []
    if stream.warnings:
        changes.append("damaged, kept as far as it decodes")
    if stream.n_channels != 1:
        changes.append(f"mixed down from {stream.n_channels} channels")
    if stream.source_rate_hz != SAMPLE_RATE:
        changes.append(f"resampled from {stream.source_rate_hz:,.0f} Hz")
    if not pieces[0].is_whole:
        changes.append(f"longer than {limits.max_duration_s:g} s, cut into pieces")
    changes += [f"a piece left out: {fault}" for fault in dict.fromkeys(faults)]
    return changes


def _suffix_if_kept(recording: Path | bytes, max_duration_s: float) -> str | None:
    """The suffix to store it with if it is compressed mono 16 kHz audio already, else None.

    Opus counts by the rate at which it was recorded.
    """
    try:  # open here: soundfile cannot encode every name
        with (
            io.BytesIO(recording) if isinstance(recording, bytes) else recording.open("rb") as file
        ):
            info = soundfile.info(file)
    except (soundfile.LibsndfileError, OSError):
        return None
    if (info.channels, info.samplerate) != (1, SAMPLE_RATE) or info.duration > max_duration_s:
        return None
    return ".opus" if info.subtype == "OPUS" else KEPT_FORMATS.get(info.format)


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
