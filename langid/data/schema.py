"""The columns that every dataset of this project has."""

from dataclasses import asdict

import pyarrow as pa
from datasets import Audio, ClassLabel, Features, Value

from langid.audio import SAMPLE_RATE
from langid.data.utterance import Utterance


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


def label_names(schema: pa.Schema) -> list[str]:
    """What the numbers in the column ``language`` of a dataset's file stand for."""
    return Features.from_arrow_schema(schema)["language"].names
