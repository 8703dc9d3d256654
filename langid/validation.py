"""Validation during training, in log-mel frames, and the temperature of the finished weights."""

from dataclasses import dataclass

import numpy as np
import torch

from langid import metrics
from langid.feature_cache import Clips
from langid.languages import NONE, OTHER
from langid.model import LanguageCNN
from langid.training import classify_clips
from langid.windows import aggregate

# From twice as sharp to three times as flat, in steps of about 3 %.
TEMPERATURES = np.geomspace(0.5, 3.0, 61)


@dataclass(frozen=True)
class Validation:
    """Figures of one validation; ``score`` is what early best goes by."""

    clip_accuracy: float  # mean recall over the languages, choosing among these
    clip_accuracy_open: float  # over all classes
    other_auroc: float
    recalls: dict[str, float]

    @property
    def score(self) -> float:
        """Languages first; what is no language of the model's counts for a quarter."""
        return 0.75 * self.clip_accuracy + 0.25 * self.other_auroc


class WindowLogits:
    """Logits of every window of the validation clips, from which everything else follows."""

    def __init__(self, model: LanguageCNN, clips: Clips, device: torch.device):
        self.labels = model.config.labels
        self.targets = clips.labels
        self._logits, self._owners = classify_clips(model, clips, device)

    def clip_probabilities(self, temperature: float) -> np.ndarray:
        """(n_clips, n_labels), aggregated as in serving."""
        logits = self._logits.astype(np.float64) / temperature
        windows = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        order = np.argsort(self._owners, kind="stable")
        splits = np.flatnonzero(np.diff(self._owners[order])) + 1
        none = self.labels.index(NONE)
        return np.stack([aggregate(rows, none) for rows in np.split(windows[order], splits)])

    def validate(self) -> Validation:
        """Figures at temperature 1: none of them but the open accuracy depends on it."""
        p = self.clip_probabilities(1.0)
        languages = [i for i, label in enumerate(self.labels) if label not in (OTHER, NONE)]
        closed = metrics.closed_answers(p, languages)
        recalls = {self.labels[i]: metrics.recall(self.targets, closed, i) for i in languages}
        return Validation(
            clip_accuracy=metrics.closed_accuracy(p, self.targets, languages) or 0.0,
            clip_accuracy_open=metrics.open_accuracy(p, self.targets) or 0.0,
            # Without clips of other languages nothing is known: a coin's figure.
            other_auroc=metrics.other_auroc(p, self.targets, self.labels.index(OTHER), languages)
            or 0.5,
            recalls={label: value for label, value in recalls.items() if value is not None},
        )

    def fit_temperature(self) -> float:
        """Temperature with the smallest negative log-likelihood of the clips' answers, every
        class weighing the same (temperature scaling, Guo et al. 2017, arXiv:1706.04599)."""
        count = np.bincount(self.targets, minlength=len(self.labels))
        weights = 1 / count[self.targets]

        def nll(temperature: float) -> float:
            p = self.clip_probabilities(temperature)[np.arange(len(self.targets)), self.targets]
            return float(-(weights * np.log(p.clip(1e-12))).sum())

        return float(round(min(TEMPERATURES, key=nll), 3))
