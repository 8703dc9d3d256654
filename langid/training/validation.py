"""Validation during training, in log-mel frames, and the temperature of the finished weights."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from langid.checkpoint import read_model, write_weights
from langid.evaluation import metrics
from langid.languages import NONE, OTHER, languages_of
from langid.model import LanguageCNN
from langid.training.clips import Clips
from langid.training.trainer import classify_clips
from langid.windows import aggregate

# From twice as sharp to three times as flat, in steps of about 3 %.
TEMPERATURES = np.geomspace(0.5, 3.0, 61)
BIAS_CHANGES = np.linspace(-0.6, 0.6, 13)
N_BIAS_ROUNDS = 3


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

    def clip_probabilities(
        self, temperature: float, biases: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """(n_clips, n_labels), aggregated as in serving; ``biases`` (n_labels,) add to the
        divided logits."""
        logits = self._logits.astype(np.float64) / temperature + biases
        windows = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        order = np.argsort(self._owners, kind="stable")
        splits = np.flatnonzero(np.diff(self._owners[order])) + 1
        none = self.labels.index(NONE)
        return np.stack([aggregate(rows, none) for rows in np.split(windows[order], splits)])

    def validate(self) -> Validation:
        """Figures at temperature 1: none of them but the open accuracy depends on it."""
        p = self.clip_probabilities(1.0)
        languages = [self.labels.index(language) for language in languages_of(self.labels)]
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

    def fit_temperature(self, biases: np.ndarray | float = 0.0) -> float:
        """Temperature with the smallest loss of the clips' answers (temperature scaling, Guo et
        al. 2017, arXiv:1706.04599)."""
        best = min(TEMPERATURES, key=lambda temperature: self._loss(temperature, biases))
        return float(round(best, 3))

    def fit_calibration(self) -> tuple[float, np.ndarray]:
        """Temperature and (n_labels,) biases with the smallest loss of the clips' answers
        (bias-corrected temperature scaling, Alexandari et al. 2020, arXiv:1901.06852).

        The biases take back that a language with more varied training data, English above all,
        is answered too readily. They sum to 0; a coordinate is searched at a time.
        """
        biases = np.zeros(len(self.labels))
        temperature = self.fit_temperature()
        for _ in range(N_BIAS_ROUNDS):
            for i in range(len(biases)):
                unit = np.eye(len(biases))[i]
                change = min(
                    BIAS_CHANGES, key=lambda x, u=unit: self._loss(temperature, biases + x * u)
                )
                biases = biases + change * unit
            temperature = self.fit_temperature(biases)
        return temperature, biases - biases.mean()

    def _loss(self, temperature: float, biases: np.ndarray | float) -> float:
        """Negative log-likelihood of the clips' classes, every class weighing the same."""
        count = np.bincount(self.targets, minlength=len(self.labels))
        p = self.clip_probabilities(temperature, biases)[np.arange(len(self.targets)), self.targets]
        return float(-(np.log(p.clip(1e-12)) / count[self.targets]).sum())


def calibrate(folder: Path, clips: Clips, device: torch.device) -> None:
    """Fit the calibration of a folder's weights on validation clips and write it into them.

    The biases go into the classifier's own, the temperature into the configuration.
    """
    model = read_model(folder).to(device)
    temperature, biases = WindowLogits(model, clips, device).fit_calibration()
    with torch.no_grad():
        model.classifier.bias += torch.tensor(temperature * biases, dtype=torch.float32).to(device)
    write_weights(folder, replace(model.config, temperature=temperature), model.state_dict())
