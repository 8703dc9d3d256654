import numpy as np
from datasets import Dataset

from langid.config import ModelConfig
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.clips import Clips
from langid.training.sampling import Shares

CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
N_FRAMES = 500


def batches(rank):
    """Of clips of noise, one of each label."""
    rng = np.random.default_rng(0)
    n = len(CONFIG.labels)
    log_mel = rng.normal(size=(n, N_FRAMES, CONFIG.n_mels)).astype(np.float16)
    clips = Clips(
        features=Dataset.from_dict({"log_mel": [row.tobytes() for row in log_mel]}),
        labels=np.arange(n),
        languages=list(CONFIG.labels),
        sources=["lab"] * n,
        speakers=list(CONFIG.labels),
        synthetic=np.zeros(n, dtype=bool),
        n_frames=np.full(n, N_FRAMES),
        phones=[[] for _ in range(n)],
        n_mels=CONFIG.n_mels,
    )
    return TrainingBatches(
        clips,
        CONFIG,
        n_steps=12,
        batch_size=4,
        utterance_share=0.0,
        shares=Shares(),
        augmentation=AugmentConfig(),
        seed=3,
        rank=rank,
    )


def test_processes_draw_other_windows_of_the_same_length():
    first, second = batches(rank=0), batches(rank=1)
    lengths = set()
    for step in range(12):
        one, other = first[step].log_mel, second[step].log_mel
        assert one.shape == other.shape
        assert not one.equal(other)
        lengths.add(one.shape[2])
    assert len(lengths) > 2


def test_a_batch_follows_from_its_step_alone():
    in_order, alone = batches(rank=1), batches(rank=1)
    _, second = in_order[0], in_order[1]
    assert second.log_mel.equal(alone[1].log_mel) and second.labels.equal(alone[1].labels)
