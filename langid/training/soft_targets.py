"""Soft targets of windows: mostly what probes say that never heard the window's voice.

A label says that a window is French; a probe says that it might as well be Italian. Learning from
such answers instead of labels alone is distillation (Hinton et al. 2015, arXiv:1503.02531). A probe
that knows the voice would only repeat its label.
"""

import os
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import torch
from datasets.fingerprint import Hasher
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from langid.config import ModelConfig
from langid.files import put_in_place
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
# More of a label's draws in one fold: without it a probe hardly knows the label.
MAX_FOLD_SHARE = 0.75
VERSION = 1  # another number makes all that was kept out of date


def with_soft_targets(
    clips: Clips, config: ModelConfig, n_probes: int, seed: int, device: torch.device
) -> Clips:
    """Clips with ``soft`` in place of the teacher's states.

    They are kept in the ``datasets`` cache, under a name made of the clips and the settings: the
    same again is read.
    """
    facts = [clips.languages, clips.sources, clips.speakers, clips.synthetic.tolist()]
    settings = [config.labels, config.window_s, config.hop_s, n_probes, seed, device.type, VERSION]
    # Units and posteriors tell states apart, and are small.
    heard = [b" ".join(clips.state_rows["units"][:]), clips.posteriors.tobytes()]
    key = [*heard, str([clips.labels.tolist(), *facts, *settings])]
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "soft_targets"
    path = folder / f"{Hasher.hash(key)}.safetensors"
    kept = _kept(path)
    if kept is None:
        soft = _fit(clips, config, n_probes, seed, device)
        counts = np.array([len(rows) for rows in soft])
        kept = {"targets": np.concatenate(soft), "counts": counts}
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.tmp")  # other runs may fit the same
        save_file(kept, part)
        put_in_place(part, path)
    soft = np.split(kept["targets"], np.cumsum(kept["counts"])[:-1])
    return replace(clips, soft=soft, state_rows=None)


def _kept(path: Path) -> dict[str, np.ndarray] | None:
    """None where there is no file, or a damaged one."""
    try:
        return load_file(path)
    except (OSError, SafetensorError):
        return None


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
    weights = sampler.probabilities()
    folds = assign_folds(own, weights, n_probes)
    shares = np.zeros((len(config.labels), n_probes))
    np.add.at(shares, (own.labels, folds), weights)
    shares /= shares.sum(axis=1, keepdims=True).clip(1e-12)
    probes = fit_probes(own, sampler, folds, n_probes, config, seed, device)
    right: list[np.ndarray] = []
    for i, p in enumerate(predict(probes, own, config, device)):
        label, fold = own.labels[i], folds[i]
        is_known = config.labels[label] == OTHER or shares[label, fold] <= MAX_FOLD_SHARE
        soft[usable[i]] = mix(p, fold, label, config.labels, is_known)
        right.append(p[:, fold].argmax(axis=1) == label)
    print(f"Probes name {np.concatenate(right).mean():.3f} of the windows of voices new to them.")
    return soft


def mix(
    p: np.ndarray, fold: int, label: int, labels: tuple[str, ...], is_known: bool = True
) -> np.ndarray:
    """Answers of all probes to a clip's windows, (n_windows, n_probes, n_labels) → soft targets
    (n_windows, n_labels) float32 of a clip of ``fold``, with the index of its label, which the
    probe without that fold knows or does not know."""
    is_other = labels[label] == OTHER
    unheard = OUT_OF_FOLD_OTHER if is_other else OUT_OF_FOLD
    certain = LABEL_SHARE_OTHER if is_other else LABEL_SHARE
    if labels[label] == NONE or not is_known:
        certain = 1.0  # there is no neighbour that it might be as well, or nobody to ask
    answer = unheard * p[:, fold] + (1 - unheard) * p.mean(axis=1)
    one_hot = np.eye(len(labels))[label]
    return ((1 - certain) * answer + certain * one_hot).astype(np.float32)
