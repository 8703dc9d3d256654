"""CutMix in time (Yun et al. 2019, arXiv:1905.04899): windows that go on as another window.

No recording changes its language and its channel within a second, so a network that would know a
clip by heart has to listen to either part.
"""

import numpy as np
from torch import Tensor

from langid.training.clips import NO_LABEL
from langid.training.units import LOG_MEL_FRAMES_PER_UNIT

CUTS = (0.3, 0.7)  # of the window's frames, where the other one begins


def choose_cuts(
    labels: np.ndarray, none: int, n_frames: int, probability: float, rng: np.random.Generator
) -> np.ndarray:
    """(batch,) int: the frame from which each window is the next one of the batch; 0 for never.

    Only windows with a language are cut, and only where the next one has one, too; ``none`` is the
    label of those without speech. A cut lies between two units.
    """
    speaks = (labels != NO_LABEL) & (labels != none)
    chosen = speaks & np.roll(speaks, -1) & (rng.random(len(labels)) < probability)
    cuts = rng.uniform(*CUTS, len(labels)) * n_frames // LOG_MEL_FRAMES_PER_UNIT
    return np.where(chosen, cuts, 0).astype(int) * LOG_MEL_FRAMES_PER_UNIT


def cutmix(
    log_mel: Tensor, units: np.ndarray, targets: np.ndarray, cuts: np.ndarray
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Log-mel (batch, n_mels, n_frames), units (batch, n_units) and targets (batch, n_labels), with
    the cuts of `choose_cuts`; targets count by their share of the frames.

    The second part is as loud as the first: a step would give the cut away.
    """
    mixed, mixed_units, mixed_targets = log_mel.clone(), units.copy(), targets.copy()
    n_frames = log_mel.shape[2]
    for i in np.flatnonzero(cuts):
        cut, other = int(cuts[i]), (i + 1) % len(cuts)
        first, second = log_mel[i, :, :cut], log_mel[other, :, cut:]
        mixed[i, :, cut:] = second + (first.amax() - second.amax())
        mixed_units[i, cut // LOG_MEL_FRAMES_PER_UNIT :] = units[
            other, cut // LOG_MEL_FRAMES_PER_UNIT :
        ]
        share = cut / n_frames
        mixed_targets[i] = share * targets[i] + (1 - share) * targets[other]
    return mixed, mixed_units, mixed_targets
