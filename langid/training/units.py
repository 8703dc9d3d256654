"""Units: what a teacher's states sound like, in a few hundred classes.

A frame of a large listener's last layer is put into the nearest of some hundred centroids (k-means,
as HuBERT's targets are made, arXiv:2106.07447). A small network that learns to name the unit of
each frame learns the sounds of speech without a transcript.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from langid.errors import DataError

UNITS_FILE = "units.safetensors"
UNIT_FRAME_S = 0.04  # one unit for each frame of the network's encoder
LOG_MEL_FRAMES_PER_UNIT = 4
NO_UNIT = -1  # of a frame without a target
N_UNITS = 512  # unless another number is asked for
N_ITERATIONS = 25
_CHUNK = 16_384  # frames whose distances are in memory at once


@dataclass(frozen=True)
class Units:
    """Standardisation and centroids of a teacher's states.

    Shapes: ``mean`` and ``scale`` (state_size,), ``centroids`` (n_units, state_size) in
    standardised units, all float32.
    """

    mean: Tensor
    scale: Tensor
    centroids: Tensor

    def __len__(self) -> int:
        return len(self.centroids)

    @property
    def state_size(self) -> int:
        return len(self.mean)

    @property
    def digest(self) -> str:
        """Equal only for equal units."""
        digest = sha256()
        for tensor in (self.mean, self.scale, self.centroids):
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def assign(self, states: np.ndarray) -> np.ndarray:
        """States (n_frames, state_size) → the nearest centroid of each, (n_frames,) int16."""
        standardised = (torch.from_numpy(states) - self.mean) / self.scale
        return _nearest(standardised, self.centroids)[0].to(torch.int16).numpy()

    def save(self, path: Path) -> None:
        """Write them, atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        tensors = {"mean": self.mean, "scale": self.scale, "centroids": self.centroids}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> "Units":
        """Read what ``save`` wrote.

        Raises
        ------
        DataError
            If the file is not one of those.
        """
        try:
            return cls(**load_file(path))
        except (OSError, SafetensorError, TypeError) as error:
            raise DataError(
                f"{path} holds no units of a teacher: delete it, and they are fitted again."
            ) from error


def fit_units(states: np.ndarray, n_units: int, seed: int) -> Units:
    """K-means (Lloyd 1982) over standardised states (n_frames, state_size).

    Starts from random frames; a centroid that loses all its frames is put where the fit is worst.

    Raises
    ------
    DataError
        If there are fewer frames than units.
    """
    if len(states) < n_units:
        raise DataError(
            f"{len(states)} frames are too few for {n_units} units: give more speech or fewer "
            "--units."
        )
    frames = torch.from_numpy(np.ascontiguousarray(states, dtype=np.float32))
    mean, scale = frames.mean(dim=0), frames.std(dim=0).clamp_min(1e-5)
    frames = (frames - mean) / scale
    generator = torch.Generator().manual_seed(seed)
    centroids = frames[torch.randperm(len(frames), generator=generator)[:n_units]].clone()
    for _ in range(N_ITERATIONS):
        nearest, distances = _nearest(frames, centroids)
        count = torch.bincount(nearest, minlength=n_units)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, frames)
        centroids = sums / count.clamp_min(1)[:, None]
        empty = (count == 0).nonzero()[:, 0]
        centroids[empty] = frames[distances.topk(max(1, len(empty))).indices[: len(empty)]]
    return Units(mean, scale, centroids)


def _nearest(frames: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Index of, and squared distance to, the nearest centroid of each frame."""
    lengths = centroids.square().sum(dim=1)
    indices, distances = [], []
    for chunk in frames.split(_CHUNK):
        nearest = (lengths - 2 * chunk @ centroids.T).min(dim=1)
        indices.append(nearest.indices)
        distances.append(nearest.values + chunk.square().sum(dim=1))
    return torch.cat(indices), torch.cat(distances)


def spread_over_log_mel(units: np.ndarray, n_frames: int) -> np.ndarray:
    """Units (n_units,), one every 40 ms → the unit of each of ``n_frames`` frames of log-mel.

    Log-mel frame ``f`` has its middle at 10 f + 16 ms, unit ``j`` at 40 j + 10 ms: the nearest one.
    """
    if not len(units):
        return np.full(n_frames, NO_UNIT, dtype=np.int16)
    nearest = (np.arange(n_frames) + 2) // LOG_MEL_FRAMES_PER_UNIT
    return units[np.minimum(nearest, len(units) - 1)]


def warp_units(units: np.ndarray, n_frames: int, lengths: np.ndarray) -> np.ndarray:
    """Follow ``augment.warp`` in time: the unit of each encoder frame.

    ``units`` (batch, n_available) as `spread_over_log_mel` gives them, of which row ``i``'s first
    ``lengths[i]`` frames become ``n_frames`` → (batch, ceil(n_frames / 4)).
    """
    frames = np.arange(0, n_frames, LOG_MEL_FRAMES_PER_UNIT)
    positions = frames[None] / max(1, n_frames - 1) * (np.asarray(lengths)[:, None] - 1)
    positions = np.clip(np.rint(positions).astype(int), 0, units.shape[1] - 1)
    return np.take_along_axis(units, positions, axis=1)
