"""Soft targets of windows: mostly what probes say that never heard the window's voice.

A label says that a window is French; a probe says that it might as well be Italian. Learning from
such answers instead of labels alone is distillation (Hinton et al. 2015, arXiv:1503.02531). A probe
that knows the voice would only repeat its label.
"""

from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import torch
from datasets.fingerprint import Hasher
from safetensors.numpy import load_file, save_file

from langid.config import ModelConfig
from langid.files import replacing
from langid.languages import NONE, OTHER
from langid.training.clips import NO_LABEL, Clips
from langid.training.folds import assign_folds
from langid.training.probe import fit_probes, predict
from langid.training.sampling import ClipSampler, Shares

# Of the answer out of fold beside the mean of all probes, which are steadier together.
OUT_OF_FOLD = 0.7
# A language among the others may have a single voice: out of fold nobody knows it.
OUT_OF_FOLD_OTHER = 0.5
# Of the label: a probe that is certain of something else is not always right.
LABEL_SHARE = 0.3
LABEL_SHARE_OTHER = 0.4
VERSION = 1  # another number makes all that was kept out of date


def with_soft_targets(
    clips: Clips, config: ModelConfig, n_probes: int, seed: int, device: torch.device
) -> Clips:
    """Clips with ``soft`` in place of the teacher's states.

    They are kept in the ``datasets`` cache, under a name made of the clips and the settings: the
    same again is read.
    """
    facts = [clips.languages, clips.sources, clips.speakers, clips.synthetic.tolist()]
    settings = [config.labels, config.window_s, config.hop_s, n_probes, seed, VERSION]
    # Units and posteriors tell states apart, and are small.
    heard = [b" ".join(clips.state_rows["units"][:]), clips.posteriors.tobytes()]
    key = [*heard, str([clips.labels.tolist(), *facts, *settings])]
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "soft_targets"
    path = folder / f"{Hasher.hash(key)}.safetensors"
    if not path.is_file():
        soft = _fit(clips, config, n_probes, seed, device)
        folder.mkdir(parents=True, exist_ok=True)
        counts = np.array([len(rows) for rows in soft])
        with replacing(path) as part:
            save_file({"targets": np.concatenate(soft), "counts": counts}, part)
    kept = load_file(path)
    soft = np.split(kept["targets"], np.cumsum(kept["counts"])[:-1])
    return replace(clips, soft=soft, state_rows=None)


def _fit(
    clips: Clips, config: ModelConfig, n_probes: int, seed: int, device: torch.device
) -> list[np.ndarray]:
    """Of each clip (n_windows, n_labels) float32; no windows without states or a label."""
    soft = [np.zeros((0, len(config.labels)), np.float32)] * len(clips)
    n_states = np.array([len(units) for units in clips.state_rows["units"][:]])
    usable = np.flatnonzero((clips.labels != NO_LABEL) & (n_states > 0))
    if not len(usable):
        return soft
    own = clips.select(usable)
    sampler = ClipSampler(own, config.labels, Shares())
    folds = assign_folds(own, sampler.probabilities(), n_probes)
    probes = fit_probes(own, sampler, folds, n_probes, config, seed, device)
    right: list[np.ndarray] = []
    for i, p in enumerate(predict(probes, own, config, device)):
        soft[usable[i]] = mix(p, folds[i], own.labels[i], config.labels)
        right.append(p[:, folds[i]].argmax(axis=1) == own.labels[i])
    print(f"Probes name {np.concatenate(right).mean():.3f} of the windows of voices new to them.")
    return soft


def mix(p: np.ndarray, fold: int, label: int, labels: tuple[str, ...]) -> np.ndarray:
    """Answers of all probes to a clip's windows, (n_windows, n_probes, n_labels) → soft targets
    (n_windows, n_labels) float32 of a clip of ``fold``, with the index of its label."""
    is_other = labels[label] == OTHER
    unheard = OUT_OF_FOLD_OTHER if is_other else OUT_OF_FOLD
    certain = LABEL_SHARE_OTHER if is_other else LABEL_SHARE
    if labels[label] == NONE:
        certain = 1.0  # there is no neighbour that it might be as well
    answer = unheard * p[:, fold] + (1 - unheard) * p.mean(axis=1)
    one_hot = np.eye(len(labels))[label]
    return ((1 - certain) * answer + certain * one_hot).astype(np.float32)
