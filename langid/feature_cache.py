"""Dataset rows → log-mel and phones, computed once and kept in the ``datasets`` cache."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from datasets import Dataset, Features, List, Value
from datasets.fingerprint import Hasher

from langid.audio import AudioError, load_audio
from langid.config import ModelConfig
from langid.features import LogMel
from langid.languages import class_of, languages_of
from langid.phones import espeak_available, transcript_to_phones

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


def prepare_clips(split: Dataset, config: ModelConfig, n_processes: int) -> Clips:
    """Clips of a split of ``langid.dataset``; log-mel and phones come from the cache if they can.

    Clips that cannot be decoded or are shorter than ``MIN_FRAMES`` are left out.
    """
    settings = {**asdict(config), "labels": None, "phones": None, "espeak": espeak_available()}
    compute = _FeatureComputer(config)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # inherited by the processes, which are parallel already
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
    torch.set_num_threads(n_threads)
    meta = features.remove_columns(["log_mel"])
    table = {name: meta[name][:] for name in meta.column_names}
    n_frames = np.array(table["n_frames"])
    languages = languages_of(config.labels)
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
    return clips.select(np.flatnonzero(n_frames >= MIN_FRAMES))


class _FeatureComputer:
    """Row → the same row with ``log_mel`` (bytes of float16), ``n_frames`` and ``phones``."""

    VERSION = 1

    def __init__(self, config: ModelConfig):
        self.config = config
        self._log_mel: LogMel | None = None  # built in the process that computes

    def __call__(self, row: dict) -> dict:
        c = self.config
        self._log_mel = self._log_mel or LogMel(c)
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
