"""One row of a dataset, and the columns that every dataset of this project has."""

from dataclasses import asdict, dataclass, field

from datasets import Audio, ClassLabel, Features, Value

from langid.audio import SAMPLE_RATE
from langid.clips import Drops


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


def dataset_features(languages: list[str]) -> Features:
    """Columns of a dataset whose ``language`` is one of ``languages``."""
    text = Value("string")
    return Features(
        {
            "audio": Audio(sampling_rate=SAMPLE_RATE),
            "language": ClassLabel(names=languages),
            "speaker_id": text,
            "source": text,
            "archive": text,
            "utterance_id": text,
            "transcript": text,
            "gender": text,
            "age_range": text,
            "dialect": text,
            "native_speaker": Value("bool"),
            "duration_s": Value("float32"),
            "licence": text,
            "synthetic": Value("bool"),
            "audio_digest": text,
        }
    )


def to_row(utterance: Utterance, languages: list[str]) -> dict:
    """The stored form of an utterance: what ``dataset_features(languages)`` describes."""
    row = asdict(utterance)
    row["audio"] = {"bytes": row["audio"], "path": row.pop("file_name")}
    row["language"] = languages.index(utterance.language)
    return row
