"""What is to be read, what came of it, and what is stored of a piece of speech."""

from dataclasses import dataclass, field
from typing import Any

from langid.data.drops import Drops

HAS_ENOUGH = "speaker has enough"  # why an utterance was left out


@dataclass(frozen=True)
class Job:
    """One thing to read, a recording or an archive, on its way into one split."""

    key: str  # its name among the jobs
    split: str
    n_bytes: int  # about as much as its result takes
    item: Any
    stamp: str = ""  # changes whenever its result might


@dataclass(frozen=True)
class Utterance:
    """A piece of speech as it is stored; what is not known of it is None."""

    audio: bytes  # a file: FLAC, or the compressed mono 16 kHz original
    file_name: str  # of ``audio``, unlike that of any other utterance
    language: str
    speaker_id: str
    source: str
    duration_s: float
    audio_digest: str  # of the samples in 16 bits, hexadecimal: equal for identical audio
    archive: str | None = None
    utterance_id: str | None = None
    transcript: str | None = None
    gender: str | None = None  # "female", "male" or "other"
    age_range: str | None = None  # "youth", "adult" or "senior"
    dialect: str | None = None
    native_speaker: bool | None = None
    licence: str | None = None
    synthetic: bool = False


@dataclass
class Reading:
    """What came out of one recording or archive: utterances, and what happened to the others."""

    utterances: list[Utterance] = field(default_factory=list)
    drops: Drops = field(default_factory=Drops)  # left out, and why
    changes: Drops = field(default_factory=Drops)  # kept, but cut, resampled …
