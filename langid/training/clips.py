"""Dataset rows → log-mel and phones, and the columns of clips that training draws from."""

from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset

from langid.audio import load_audio
from langid.config import ModelConfig
from langid.data.espeak import espeak_available, transcript_to_phones
from langid.errors import AudioError
from langid.features import LogMel
from langid.languages import class_of, languages_of
from langid.training.units import NO_UNIT, spread_over_log_mel

MIN_FRAMES = 25  # a quarter of a second


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
    # A teacher's log-posteriors (n_clips, n_teacher_languages) float16, if there is a teacher.
    posteriors: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def log_mel(self, index: int) -> np.ndarray:
        row = self.features[int(index)]["log_mel"]
        return np.frombuffer(row, dtype=np.float16).reshape(-1, self.n_mels)

    def units(self, index: int) -> np.ndarray:
        """The teacher's unit of each frame of log-mel, (n_frames,) int16; -1 without a teacher."""
        n_frames = int(self.n_frames[index])
        if self.posteriors is None:
            return np.full(n_frames, NO_UNIT, dtype=np.int16)
        units = np.frombuffer(self.features[int(index)]["units"], dtype=np.int16)
        return spread_over_log_mel(units, n_frames)

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
            posteriors=None if self.posteriors is None else self.posteriors[pick],
        )


def prepare_clips(split: Dataset, config: ModelConfig) -> Clips:
    """Clips of a split of ``langid.training.cache.load_training_data``.

    Clips that could not be decoded or are shorter than ``MIN_FRAMES`` are left out.
    """
    names = ("language", "source", "speaker_id", "synthetic", "n_frames", "phones")
    table = {name: split[name][:] for name in names}
    n_frames = np.array(table["n_frames"])
    languages = languages_of(config.labels)
    taught = "units" in split.column_names
    clips = Clips(
        features=split.select_columns(["log_mel", "units"] if taught else ["log_mel"]),
        labels=np.array([config.labels.index(class_of(x, languages)) for x in table["language"]]),
        languages=table["language"],
        sources=table["source"],
        speakers=table["speaker_id"],
        synthetic=np.array(table["synthetic"], dtype=bool),
        n_frames=n_frames,
        phones=table["phones"],
        n_mels=config.n_mels,
        posteriors=_posteriors(split) if taught else None,
    )
    return clips.select(np.flatnonzero(n_frames >= MIN_FRAMES))


def _posteriors(split: Dataset) -> np.ndarray:
    """A teacher's log-posteriors (n_clips, n_languages) float16."""
    return np.stack([np.frombuffer(row, dtype=np.float16) for row in split["posteriors"][:]])


class FeatureComputer:
    """Row → ``log_mel`` (bytes of float16), ``n_frames`` and ``phones``; from several threads."""

    VERSION = 1  # another number makes all that was kept out of date

    def __init__(self, config: ModelConfig):
        self.config = config
        self._log_mel = LogMel(config)

    def __call__(self, row: dict) -> dict:
        phones = []
        if row["transcript"] and row["language"] and espeak_available():
            phones = transcript_to_phones(row["transcript"], row["language"])
        try:
            waveform, _ = load_audio(row["audio"]["bytes"])
        except AudioError:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        if len(waveform) < self.config.n_fft:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        log_mel = self._log_mel(torch.from_numpy(waveform)[None])[0].T
        return {
            "log_mel": log_mel.to(torch.float16).contiguous().numpy().tobytes(),
            "n_frames": len(log_mel),
            "phones": phones,
        }
