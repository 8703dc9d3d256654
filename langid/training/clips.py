"""Dataset rows → log-mel and phones, and the columns of clips that training draws from."""

import zlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import torch
from datasets import Dataset

from langid.audio import load_audio
from langid.config import ModelConfig
from langid.data.espeak import espeak_available, transcript_to_phones
from langid.errors import AudioError, DataError
from langid.features import LogMel
from langid.languages import NONE, OTHER, languages_of
from langid.training.copies import degraded_copy
from langid.training.datasets import taught_classes
from langid.training.units import NO_UNIT, spread_over_log_mel

LOG_MEL = "log_mel"  # begins the names of the columns that hold it
MIN_CLIP_S = 0.25  # from its first frame to its last
MIN_PHONE_COUNT = 20  # rarer phones have no place in the CTC inventory
NO_LABEL = -1  # of a clip that the model has no answer for, or is not to learn one from


@dataclass(frozen=True)
class Clips:
    """The clips of one split, as parallel columns.

    ``log_mel(i)`` is (n_frames, n_mels) float16, and there may be further versions of it, of copies
    (`langid.training.copies`); everything else is known without reading audio.
    """

    features: Dataset
    labels: np.ndarray  # (n_clips,) index into the model's labels
    languages: list[str]  # as the dataset names them
    sources: list[str]
    speakers: list[str]
    licences: list[str | None]  # None where a dataset states none
    synthetic: np.ndarray  # (n_clips,) bool
    n_frames: np.ndarray  # (n_clips,)
    phones: list[list[str]]
    n_mels: int
    # A teacher's log-posteriors (n_clips, n_teacher_languages) float16, if there is a teacher.
    posteriors: np.ndarray | None = None
    # Rows of a teacher's states and units, apart from the features, which are read all the time.
    state_rows: Dataset | None = None
    # Of each clip (n_windows, n_labels) float32, of the windows of `langid.windows`; no windows
    # where only the label is known.
    soft: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_versions(self) -> int:
        """Of the log-mel of each clip: the clip itself and its copies."""
        return sum(name.startswith(LOG_MEL) for name in self.features.column_names)

    def log_mel(self, index: int, version: int = 0) -> np.ndarray:
        row = self.features[int(index)][log_mel_column(version)]
        return np.frombuffer(row, dtype=np.float16).reshape(-1, self.n_mels)

    def units(self, index: int) -> np.ndarray:
        """The teacher's unit of each frame of log-mel, (n_frames,) int16; -1 without a teacher."""
        n_frames = int(self.n_frames[index])
        if self.posteriors is None:
            return np.full(n_frames, NO_UNIT, dtype=np.int16)
        units = np.frombuffer(self.features[int(index)]["units"], dtype=np.int16)
        return spread_over_log_mel(units, n_frames)

    def states(self, index: int) -> np.ndarray:
        """The teacher's states (n_states, state_size) float16, 25 a second."""
        row = self.state_rows[int(index)]
        n_states = len(np.frombuffer(row["units"], dtype=np.int16))
        states = np.frombuffer(row["states"], dtype=np.float16)
        return states.reshape(n_states, len(states) // max(1, n_states))

    def select(self, indices: np.ndarray) -> "Clips":
        """The clips at ``indices``, in that order."""
        pick = [int(i) for i in indices]
        return Clips(
            features=self.features.select(pick),
            labels=self.labels[pick],
            languages=[self.languages[i] for i in pick],
            sources=[self.sources[i] for i in pick],
            speakers=[self.speakers[i] for i in pick],
            licences=[self.licences[i] for i in pick],
            synthetic=self.synthetic[pick],
            n_frames=self.n_frames[pick],
            phones=[self.phones[i] for i in pick],
            n_mels=self.n_mels,
            posteriors=None if self.posteriors is None else self.posteriors[pick],
            state_rows=None if self.state_rows is None else self.state_rows.select(pick),
            soft=None if self.soft is None else [self.soft[i] for i in pick],
        )


def log_mel_column(version: int) -> str:
    """Where the log-mel of clips (0) or of their first, second … copies is."""
    return f"{LOG_MEL}_{version}" if version else LOG_MEL


def is_usable(n_frames: np.ndarray, config: ModelConfig) -> np.ndarray:
    """(n_clips,) bool: clips that were decoded and are long enough."""
    return n_frames >= round(MIN_CLIP_S / config.frame_s)


def with_trained_labels(config: ModelConfig, train: Dataset) -> ModelConfig:
    """``config`` with the labels that the split ``train`` can teach.

    These are all its languages and "none", which has the built-in non-speech; "other" only where
    there are recordings of other languages: a label that nothing trains would still be answered.
    Rows that teach no language do not count.

    Raises
    ------
    DataError
        If there is no usable clip of a language.
    """
    languages = languages_of(config.labels)
    classes = taught_classes(train, languages)
    taught = set(classes[is_usable(np.array(train["n_frames"][:]), config)].tolist())
    if missing := [label for label in languages if label not in taught]:
        raise DataError(
            f"No clip of {', '.join(missing)} in the train split can be decoded and is as long as "
            f"{MIN_CLIP_S} s: choose other --languages or add data."
        )
    other = (OTHER,) if OTHER in taught else ()
    return replace(config, labels=(*languages, *other, NONE), training=())


def prepare_clips(split: Dataset, config: ModelConfig) -> Clips:
    """Clips of a split of ``langid.training.cache.load_training_data``.

    Left out are clips that could not be decoded or are shorter than ``MIN_CLIP_S``, and those of
    other languages where "other" is no label. Rows that teach no language make clips without label
    and phones, whatever they are in.
    """
    names = ("language", "source", "speaker_id", "licence", "synthetic", "n_frames", "phones")
    table = {name: split[name][:] for name in names}
    n_frames = np.array(table["n_frames"])
    languages = languages_of(config.labels)
    classes = taught_classes(split, languages).tolist()
    index_of = {label: i for i, label in enumerate(config.labels)}
    with_teacher = "units" in split.column_names
    with_states = "states" in split.column_names
    clips = Clips(
        features=split.select_columns(
            [name for name in split.column_names if name.startswith(LOG_MEL) or name == "units"]
        ),
        labels=np.array([index_of.get(label, NO_LABEL) for label in classes]),
        languages=table["language"],
        sources=table["source"],
        speakers=table["speaker_id"],
        licences=table["licence"],
        synthetic=np.array(table["synthetic"], dtype=bool),
        n_frames=n_frames,
        phones=[own if label else [] for own, label in zip(table["phones"], classes, strict=True)],
        n_mels=config.n_mels,
        posteriors=_posteriors(split) if with_teacher else None,
        state_rows=split.select_columns(["states", "units"]) if with_states else None,
    )
    has_answer = np.array([not label or label in index_of for label in classes], dtype=bool)
    return clips.select(np.flatnonzero(is_usable(n_frames, config) & has_answer))


def phone_inventory(train: Clips) -> tuple[str, ...]:
    """Phones frequent enough to be learnt, the most frequent first."""
    count = Counter(phone for phones in train.phones for phone in phones)
    return tuple(phone for phone, n in count.most_common() if n >= MIN_PHONE_COUNT)


def _posteriors(split: Dataset) -> np.ndarray:
    """A teacher's log-posteriors (n_clips, n_languages) float16."""
    return np.stack([np.frombuffer(row, dtype=np.float16) for row in split["posteriors"][:]])


class FeatureComputer:
    """Row → ``log_mel`` (bytes of float16), ``n_frames`` and ``phones``; from several threads.

    With a number of a ``copy``, the log-mel is that of this copy, and no phones are looked up. The
    same recording gives the same copies.
    """

    VERSION = 2  # another number makes all that was kept out of date

    def __init__(self, config: ModelConfig, copy: int = 0):
        self.config = config
        self.copy = copy
        self._log_mel = LogMel(config)

    def __call__(self, row: dict) -> dict:
        phones = []
        if not self.copy and row["transcript"] and row["language"] and espeak_available():
            phones = transcript_to_phones(row["transcript"], row["language"])
        try:
            waveform, _ = load_audio(row["audio"]["bytes"])
        except AudioError:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        if len(waveform) < self.config.n_fft:
            return {"log_mel": b"", "n_frames": 0, "phones": phones}
        if self.copy:
            seed = zlib.crc32(row["audio"]["bytes"])
            waveform = degraded_copy(waveform, np.random.default_rng([seed, self.copy]))
        log_mel = self._log_mel(torch.from_numpy(waveform)[None])[0].T
        return {
            "log_mel": log_mel.to(torch.float16).contiguous().numpy().tobytes(),
            "n_frames": len(log_mel),
            "phones": phones,
        }
