"""A Hugging Face dataset → clips with cached log-mel and phones, ready for batches."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import (
    Audio,
    Dataset,
    DatasetDict,
    Features,
    List,
    Value,
    concatenate_datasets,
    load_dataset,
    load_from_disk,
)
from datasets.fingerprint import Hasher

from langid.audio import AudioError, load_audio
from langid.config import ModelConfig
from langid.features import LogMel
from langid.languages import class_of
from langid.phones import espeak_available, transcript_to_phones

REQUIRED_COLUMNS = ("audio", "language", "speaker_id", "source")


class DatasetError(ValueError):
    """A dataset that training cannot use; the message says what is missing."""


@dataclass(frozen=True)
class Clips:
    """The clips of one split, as parallel columns.

    ``log_mel(i)`` is (n_frames, n_mels) float16; everything else is known without reading audio.
    """

    features: Dataset
    labels: np.ndarray  # (n_clips,) index into the model's labels
    languages: list[str]  # as the dataset names them
    sources: list[str]
    speakers: list[str]
    synthetic: np.ndarray  # (n_clips,) bool
    n_frames: np.ndarray  # (n_clips,)
    phones: list[list[str]]
    n_mels: int

    def __len__(self) -> int:
        return len(self.labels)

    def log_mel(self, index: int) -> np.ndarray:
        row = self.features[int(index)]["log_mel"]
        return np.frombuffer(row, dtype=np.float16).reshape(-1, self.n_mels)

    def select(self, indices: np.ndarray) -> "Clips":
        """The clips at ``indices``, in that order."""
        pick = [int(i) for i in indices]
        return Clips(
            features=self.features.select(pick),
            labels=self.labels[pick],
            languages=[self.languages[i] for i in pick],
            sources=[self.sources[i] for i in pick],
            speakers=[self.speakers[i] for i in pick],
            synthetic=self.synthetic[pick],
            n_frames=self.n_frames[pick],
            phones=[self.phones[i] for i in pick],
            n_mels=self.n_mels,
        )

    def join(self, other: "Clips") -> "Clips":
        """These clips and then those of ``other``."""
        return Clips(
            features=concatenate_datasets([self.features, other.features]),
            labels=np.concatenate([self.labels, other.labels]),
            languages=self.languages + other.languages,
            sources=self.sources + other.sources,
            speakers=self.speakers + other.speakers,
            synthetic=np.concatenate([self.synthetic, other.synthetic]),
            n_frames=np.concatenate([self.n_frames, other.n_frames]),
            phones=self.phones + other.phones,
            n_mels=self.n_mels,
        )


def load_splits(source: str) -> DatasetDict:
    """The dataset of a folder written by ``prepare_data.py``, or of a Hub repository.

    Raises
    ------
    DatasetError
        If there is none, or it lacks a split or a column.
    """
    try:
        splits = load_from_disk(source) if Path(source).is_dir() else load_dataset(source)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise DatasetError(
            f"{source} is neither a dataset folder nor a dataset on the Hub: make one with "
            "prepare_data.py."
        ) from error
    if not isinstance(splits, DatasetDict) or "train" not in splits:
        raise DatasetError(f"{source} has no train split: make it with prepare_data.py.")
    if missing := sorted(set(REQUIRED_COLUMNS) - set(splits["train"].column_names)):
        raise DatasetError(f"{source} lacks the columns {', '.join(missing)}.")
    return splits


def merge(datasets: list[DatasetDict]) -> DatasetDict:
    """One ``DatasetDict`` of several: a split holds the clips of all that have it."""
    names = dict.fromkeys(name for splits in datasets for name in splits)
    return DatasetDict(
        {
            name: concatenate_datasets([_comparable(d[name]) for d in datasets if name in d])
            for name in names
        }
    )


def prepare_clips(split: Dataset, config: ModelConfig, n_processes: int) -> Clips:
    """Clips of a split, computing log-mel and phones unless the library has them cached.

    Clips that cannot be decoded, or are shorter than a few frames, are left out.
    """
    split = _comparable(split)
    settings = {**asdict(config), "labels": None, "phones": None, "espeak": espeak_available()}
    compute = _FeatureComputer(config)
    columns = {name: kind for name, kind in split.features.items() if name != "audio"}
    features = split.map(
        compute,
        remove_columns=["audio"],
        # Said, not inferred: the first rows may have no transcript and so no phones.
        features=Features(
            **columns,
            log_mel=Value("binary"),
            n_frames=Value("int64"),
            phones=List(Value("string")),
        ),
        num_proc=n_processes if n_processes > 1 else None,
        writer_batch_size=200,
        # Not left to the library, which would hash the torch module.
        new_fingerprint=Hasher.hash([split._fingerprint, settings, _FeatureComputer.VERSION]),
        desc="log-mel",
    )
    meta = features.remove_columns(["log_mel"])
    table = {name: meta[name][:] for name in meta.column_names}
    n_frames = np.array(table["n_frames"])
    languages = config.labels[:-2]
    clips = Clips(
        features=features,
        labels=np.array([config.labels.index(class_of(x, languages)) for x in table["language"]]),
        languages=table["language"],
        sources=table["source"],
        speakers=table["speaker_id"],
        synthetic=np.array(table["synthetic"], dtype=bool),
        n_frames=n_frames,
        phones=table["phones"],
        n_mels=config.n_mels,
    )
    return clips.select(np.flatnonzero(n_frames >= compute.min_frames))


class _FeatureComputer:
    """Row → the same row with ``log_mel`` (bytes of float16), ``n_frames`` and ``phones``."""

    VERSION = 1

    def __init__(self, config: ModelConfig):
        self.config = config
        self.min_frames = 25
        self._log_mel: LogMel | None = None  # built in the process that computes

    def __call__(self, row: dict) -> dict:
        c = self.config
        if self._log_mel is None:
            torch.set_num_threads(1)
            self._log_mel = LogMel(c)
        phones = []
        if row["transcript"] and espeak_available():
            phones = transcript_to_phones(row["transcript"], row["language"])
        try:
            waveform, _ = load_audio(row["audio"]["bytes"])
        except AudioError:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        if len(waveform) < c.n_fft:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        log_mel = self._log_mel(torch.from_numpy(waveform)[None])[0].T
        return {
            "log_mel": log_mel.to(torch.float16).contiguous().numpy().tobytes(),
            "n_frames": len(log_mel),
            "phones": phones,
        }


def _comparable(split: Dataset) -> Dataset:
    """Undecoded audio, language names as text, and every optional column present."""
    split = split.cast_column("audio", Audio(decode=False))
    feature = split.features["language"]
    if hasattr(feature, "names"):
        names = np.array([*feature.names, None])[np.array(split["language"][:])]
        split = split.remove_columns("language").add_column("language", names.tolist())
    for column, default in (("synthetic", False), ("transcript", None), ("licence", None)):
        if column not in split.column_names:
            split = split.add_column(column, [default] * len(split))
    return split
