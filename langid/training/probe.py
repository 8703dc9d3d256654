"""Probes: small classifiers over a teacher's states, which stay as they are (Alain & Bengio 2016,
arXiv:1610.01644).

The states of a large listener hold more of a language than its own posteriors say: probes that
learn from the labels find it. Several are fitted at once, each without one fold of the voices
(cross-fitting, Chernozhukov et al. 2018, arXiv:1608.00060).
"""

from collections import defaultdict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from langid.config import ModelConfig
from langid.model import AttentiveStatistics
from langid.training.clips import Clips
from langid.training.sampling import ClipSampler
from langid.training.trainer import (
    MAX_GRADIENT_NORM,
    Optimisation,
    learning_rate_at,
    mixed_precision,
    update_average,
)
from langid.training.units import UNIT_FRAME_S
from langid.windows import frame_windows

WIDTH = 192
N_LAYERS = 2
N_ATTENTION_HEADS = 4
FEED_FORWARD = 3  # times the width
DROPOUT = 0.15

N_BATCHES = 900
BATCH_SIZE = 64  # windows
LEARNING_RATE = 8e-4
WEIGHT_DECAY = 0.02
SHORT_PROBABILITY = 1 / 3  # of a batch to be of shorter windows
SHORTEST = 0.25  # of a window, in a batch of shorter ones; the longest is all of it but this
N_PREDICTED = 32  # windows at once


class Probe(nn.Module):
    """States (batch, n, state_size), 25 a second → logits (batch, n_labels).

    There are no positions: Whisper's states have them.
    """

    def __init__(self, state_size: int, n_labels: int, width: int = WIDTH):
        super().__init__()
        # States of different teachers differ in size.
        self.project = nn.Sequential(nn.LayerNorm(state_size), nn.Linear(state_size, width))
        self.encoder = nn.Sequential(
            *[
                nn.TransformerEncoderLayer(
                    width,
                    N_ATTENTION_HEADS,
                    FEED_FORWARD * width,
                    DROPOUT,
                    activation="gelu",
                    batch_first=True,
                    norm_first=True,
                )
                for _ in range(N_LAYERS)
            ]
        )
        self.pooling = AttentiveStatistics(width)
        self.classifier = nn.Linear(2 * width, n_labels)

    def forward(self, states: Tensor) -> Tensor:
        x = self.encoder(self.project(states))  # (batch, n, width)
        return self.classifier(self.pooling(x.transpose(1, 2)))


def fit_probes(
    clips: Clips,
    sampler: ClipSampler,
    folds: np.ndarray,
    n_folds: int,
    config: ModelConfig,
    seed: int,
    device: torch.device,
) -> nn.ModuleList:
    """``n_folds`` probes, the ``k``-th without the clips of which ``folds`` (n_clips,) is ``k``.

    All clips have states and a label. Equal seeds give equal probes, on the same device; torch's
    own generators are left as they were.
    """
    optimisation = Optimisation(N_BATCHES, LEARNING_RATE, WEIGHT_DECAY, 0.0, seed)
    rng = np.random.default_rng(seed)
    state_size = clips.states(0).shape[1]
    n_window = window_states(config)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        probes = nn.ModuleList(Probe(state_size, len(config.labels)) for _ in range(n_folds))
        probes.to(device).train()
        average = AveragedModel(probes, multi_avg_fn=update_average)
        optimiser = torch.optim.AdamW(probes.parameters(), weight_decay=WEIGHT_DECAY)
        for step in tqdm(range(N_BATCHES), "probes", unit="batch", disable=None):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate_at(step, optimisation)
            states, drawn = _batch(clips, sampler, n_window, rng)
            labels = torch.from_numpy(clips.labels[drawn]).to(device)
            own = torch.from_numpy(folds[drawn]).to(device)
            states = states.to(device)
            with mixed_precision(device):
                logits = [probe(states) for probe in probes]
            total = sum(_loss(x, labels, own != k) for k, x in enumerate(logits))
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            for probe in probes:  # together, one would depend on what the others have heard
                nn.utils.clip_grad_norm_(probe.parameters(), MAX_GRADIENT_NORM)
            optimiser.step()
            average.update_parameters(probes)
    return average.module.eval()


def window_states(config: ModelConfig) -> int:
    """States of a full window."""
    return round(config.window_s / UNIT_FRAME_S)


def _loss(logits: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    """Mean cross-entropy of the rows of which ``counts`` (batch,) is true."""
    each = F.cross_entropy(logits.float(), labels, reduction="none")
    return (each * counts).sum() / counts.sum().clamp_min(1)


def _batch(
    clips: Clips, sampler: ClipSampler, n_window: int, rng: np.random.Generator
) -> tuple[Tensor, list[int]]:
    """Windows of states (batch, n, state_size), all of one length, and their clips."""
    n = n_window
    if rng.random() < SHORT_PROBABILITY:
        shortest = round(SHORTEST * n_window)
        n = int(rng.integers(shortest, n_window - shortest + 1))
    drawn = [sampler.draw(rng) for _ in range(BATCH_SIZE)]
    windows = np.stack([_cut(clips, sampler, index, n, rng) for index in drawn])
    return torch.from_numpy(windows.astype(np.float32)), drawn


def _cut(
    clips: Clips, sampler: ClipSampler, index: int, n: int, rng: np.random.Generator
) -> np.ndarray:
    """States (n, state_size) from a random place of a clip, joined with others of its speaker if
    it is short."""
    joined = [clips.states(index)]
    while (n_available := sum(map(len, joined))) < n:
        joined.append(clips.states(sampler.companion(index, rng)))
    start = rng.integers(n_available - n + 1)
    return np.concatenate(joined)[start : start + n]


@torch.inference_mode()
def predict(
    probes: nn.ModuleList, clips: Clips, config: ModelConfig, device: torch.device
) -> list[np.ndarray]:
    """What each probe says of every window: of each clip (n_windows, n_probes, n_labels) float32,
    rows summing to 1. The windows are those of `langid.windows`, of states."""
    found: list[np.ndarray] = []
    waiting = defaultdict(list)  # of one length: clip, window, states

    def run(items: list[tuple[int, int, np.ndarray]]) -> None:
        states = np.stack([states for _, _, states in items]).astype(np.float32)
        batch = torch.from_numpy(states).to(device)
        p = torch.stack([probe(batch).softmax(dim=1) for probe in probes], dim=1).cpu().numpy()
        for (clip, window, _), own in zip(items, p, strict=True):
            found[clip][window] = own
        items.clear()

    n_hop = round(config.hop_s / UNIT_FRAME_S)
    for clip in tqdm(range(len(clips)), "soft targets", unit="clip", disable=None):
        states = clips.states(clip)
        windows = frame_windows(len(states), window_states(config), n_hop)
        found.append(np.empty((len(windows), len(probes), len(config.labels)), np.float32))
        for window, piece in enumerate(windows):
            items = waiting[piece.stop - piece.start]
            items.append((clip, window, states[piece]))
            if len(items) == N_PREDICTED:
                run(items)
    for items in waiting.values():
        if items:
            run(items)
    return found
