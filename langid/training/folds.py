"""Voices → folds: a classifier that is fitted without a fold has never heard the voices in it."""

from collections import defaultdict

import numpy as np

from langid.training.clips import Clips
from langid.training.sampling import family_of

# Speakers of a family that stays together, so that its channel is unheard as well …
SMALL_FAMILY = 8
# … unless more of a label than this comes from it: without it nobody would know the label.
MAX_FAMILY_SHARE = 0.5


def assign_folds(clips: Clips, weights: np.ndarray, n_folds: int) -> np.ndarray:
    """The fold of each clip, (n_clips,) in [0, ``n_folds``); a voice is in one fold only.

    ``weights`` (n_clips,) say how probable clips are to be drawn. Greedily, heaviest first, each
    voice goes to the fold that has least of its labels. All clips have a label.
    """
    shares = np.zeros((len(clips), clips.labels.max() + 1))  # of all that is drawn of a label
    shares[np.arange(len(clips)), clips.labels] = weights
    shares /= shares.sum(axis=0).clip(1e-12)
    groups = sorted(_groups(clips, shares), key=lambda group: -weights[group].sum())
    folds = np.zeros(len(clips), dtype=int)
    loads = np.zeros((n_folds, shares.shape[1]))
    for group in groups:
        own = shares[group].sum(axis=0)
        fold = np.lexsort((loads.sum(axis=1), loads @ own))[0]
        loads[fold] += own
        folds[group] = fold
    return folds


def _groups(clips: Clips, shares: np.ndarray) -> list[list[int]]:
    """Clips that are not to be parted: of a small family, or of a speaker of another one."""
    families: dict = defaultdict(lambda: defaultdict(list))
    for i, (source, speaker) in enumerate(zip(clips.sources, clips.speakers, strict=True)):
        families[family_of(source)][speaker].append(i)
    groups = []
    for speakers in families.values():
        family = [i for indices in speakers.values() for i in indices]
        is_small = len(speakers) <= SMALL_FAMILY
        if is_small and shares[family].sum(axis=0).max() <= MAX_FAMILY_SHARE:
            groups.append(family)
        else:
            groups += speakers.values()
    return groups
