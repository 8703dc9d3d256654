"""Validation during training, in log-mel frames, and the temperature of the finished weights."""

import json
from copy import copy
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from langid.checkpoint import read_model, read_notes, write_weights
from langid.evaluation import metrics
from langid.languages import NONE, OTHER, languages_of
from langid.model import LanguageCNN
from langid.segments import with_languages_of_passages
from langid.training.clips import Clips
from langid.windows import aggregate, frame_passages, frame_windows, windows_per_passage

# From twice as sharp to three times as flat, in steps of about 3 %.
TEMPERATURES = np.geomspace(0.5, 3.0, 61)
BIAS_CHANGES = np.linspace(-0.6, 0.6, 13)
N_BIAS_ROUNDS = 3
BIAS_PENALTY = 1.0  # of squared biases, in nats of the loss
BATCH_SIZE = 128  # windows, or passages of one length
N_WAITING = 512  # of them are sorted by length
UNCALIBRATED_BIAS = "uncalibrated_classifier_bias"  # noted with calibrated weights, as JSON
OTHER_SHARE = 0.25  # of the score, for telling other languages from the model's own


@dataclass(frozen=True)
class Validation:
    """Figures of one validation; the weights with the highest ``score`` are kept."""

    clip_accuracy: float  # mean recall over the languages, choosing among these
    clip_accuracy_open: float  # over all classes
    other_auroc: float | None  # None where no clip of another language is there
    recalls: dict[str, float]

    @property
    def score(self) -> float:
        """Languages first; what is no language of the model's counts for a quarter."""
        if self.other_auroc is None:
            return self.clip_accuracy
        return (1 - OTHER_SHARE) * self.clip_accuracy + OTHER_SHARE * self.other_auroc


class ClipLogits(NamedTuple):
    """Logits of one clip's windows and of its passages, and their (start_s, end_s)."""

    windows: np.ndarray  # (n_windows, n_labels)
    bounds: list[tuple[float, float]]
    passages: np.ndarray  # (n_passages, n_labels)
    passage_bounds: list[tuple[float, float]]


class WindowLogits:
    """Logits of every window of the validation clips, from which everything else follows."""

    def __init__(self, model: LanguageCNN, clips: Clips, device: torch.device):
        self.labels = model.config.labels
        self.targets = clips.labels
        self._clips = classify_clips(model, clips, device)

    def clip_probabilities(
        self, temperature: float, biases: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """(n_clips, n_labels), aggregated as in serving; ``biases`` (n_labels,) add to the
        divided logits."""
        none = self.labels.index(NONE)

        def calibrated(logits: np.ndarray) -> np.ndarray:
            divided = logits.astype(np.float64) / temperature + biases
            return np.exp(divided - np.logaddexp.reduce(divided, axis=1, keepdims=True))

        def answer(clip: ClipLogits) -> np.ndarray:
            windows = calibrated(clip.windows)
            if len(windows) == 1:  # most clips: known without pooling
                return windows[0]
            passages = calibrated(clip.passages)
            return aggregate(
                with_languages_of_passages(
                    windows, clip.bounds, passages, clip.passage_bounds, none
                ),
                none,
            )

        return np.stack([answer(clip) for clip in self._clips])

    def validate(self) -> Validation:
        """Figures at temperature 1: none of them but the open accuracy depends on it."""
        p = self.clip_probabilities(1.0)
        languages = [self.labels.index(language) for language in languages_of(self.labels)]
        closed = metrics.closed_answers(p, languages)
        recalls = {self.labels[i]: metrics.recall(self.targets, closed, i) for i in languages}
        return Validation(
            clip_accuracy=metrics.closed_accuracy(p, self.targets, languages) or 0.0,
            clip_accuracy_open=metrics.open_accuracy(p, self.targets) or 0.0,
            other_auroc=metrics.other_auroc(p, self.targets, self.labels.index(OTHER), languages)
            if OTHER in self.labels
            else None,
            recalls={label: value for label, value in recalls.items() if value is not None},
        )

    def fit_temperature(self, biases: np.ndarray | float = 0.0) -> float:
        """Temperature with the smallest loss of the clips' answers (temperature scaling, Guo et
        al. 2017, arXiv:1706.04599)."""
        best = min(TEMPERATURES, key=lambda temperature: self._loss(temperature, biases))
        return float(round(best, 3))

    def select(self, indices: np.ndarray) -> "WindowLogits":
        """The clips at ``indices``, in that order."""
        chosen = copy(self)
        chosen.targets = self.targets[indices]
        chosen._clips = [self._clips[i] for i in indices]
        return chosen

    def fit_calibration(self, bias_penalty: float = BIAS_PENALTY) -> tuple[float, np.ndarray]:
        """Temperature and (n_labels,) biases with the smallest loss of the clips' answers
        (bias-corrected temperature scaling, Alexandari et al. 2020, arXiv:1901.06852).

        The biases take back that a language with more varied training data, English above all,
        is answered too readily. They sum to 0; a coordinate is searched at a time. That of a label
        without clips stays 0: clips of other labels alone would push its answer away. Their squares
        times ``bias_penalty`` add to the loss: a preference of a few clips is no preference of the
        model (`langid.training.cross_validation` tells how much of it holds for other speakers).
        """

        def loss(biases: np.ndarray) -> float:
            return self._loss(temperature, biases) + bias_penalty * float((biases**2).sum())

        present = np.unique(self.targets)
        biases = np.zeros(len(self.labels))
        temperature = self.fit_temperature()
        for _ in range(N_BIAS_ROUNDS):
            for i in present:
                unit = np.eye(len(biases))[i]
                change = min(BIAS_CHANGES, key=lambda x, u=unit: loss(biases + x * u))
                biases = biases + change * unit
            temperature = self.fit_temperature(biases)
        biases[present] -= biases[present].mean()
        return temperature, biases

    def _loss(self, temperature: float, biases: np.ndarray | float) -> float:
        """Negative log-likelihood of the clips' classes, every class weighing the same."""
        count = np.bincount(self.targets, minlength=len(self.labels))
        p = self.clip_probabilities(temperature, biases)[np.arange(len(self.targets)), self.targets]
        return float(-(np.log(p.clip(1e-12)) / count[self.targets]).sum())


@torch.inference_mode()
def classify_clips(model: LanguageCNN, clips: Clips, device: torch.device) -> list[ClipLogits]:
    """The logits of every clip, in their order.

    In float32, as in serving: what is chosen and calibrated by them is what is served.
    """
    model.eval()
    config = model.config
    n_windows = windows_per_passage(config.window_s, config.hop_s)
    found: list[ClipLogits] = []
    waiting: list[tuple[np.ndarray, np.ndarray]] = []  # log-mel (n_frames, n_mels), its row

    def classify() -> None:
        waiting.sort(key=lambda item: len(item[0]))
        for _, group in groupby(waiting, key=lambda item: len(item[0])):
            pieces = list(group)
            for i in range(0, len(pieces), BATCH_SIZE):
                batch = pieces[i : i + BATCH_SIZE]
                log_mel = np.stack([piece.T.astype(np.float32) for piece, _ in batch])
                out, _ = model.forward_features(torch.from_numpy(log_mel).to(device))
                for (_, row), logits in zip(batch, out.float().cpu().numpy(), strict=True):
                    row[:] = logits
        waiting.clear()

    def rows_of(log_mel: np.ndarray, pieces: list[slice]) -> np.ndarray:
        """(n_pieces, n_labels), filled by the next `classify`."""
        rows = np.zeros((len(pieces), len(config.labels)), dtype=np.float32)
        waiting.extend((log_mel[piece], row) for piece, row in zip(pieces, rows, strict=True))
        return rows

    def bounds(pieces: list[slice]) -> list[tuple[float, float]]:
        return [(piece.start * config.frame_s, piece.stop * config.frame_s) for piece in pieces]

    for index in range(len(clips)):
        log_mel = clips.log_mel(index)
        windows = frame_windows(len(log_mel), config.n_window_frames, config.n_hop_frames)
        passages = frame_passages(windows, n_windows)
        found.append(
            ClipLogits(
                rows_of(log_mel, windows),
                bounds(windows),
                rows_of(log_mel, passages),
                bounds(passages),
            )
        )
        if len(waiting) >= N_WAITING:
            classify()
    classify()
    return found


def calibrate(folder: Path, clips: Clips, device: torch.device) -> None:
    """Fit the calibration of a folder's weights on validation clips and write it into them.

    The biases go into the classifier's own, the temperature into the configuration. What the
    classifier's were before is noted beside the weights, and is what a second calibration, by
    ``--resume`` of a run at its end, starts from: it gives the same weights.
    """
    model = read_model(folder).to(device)
    noted = read_notes(folder).get(UNCALIBRATED_BIAS)
    uncalibrated = json.loads(noted) if noted else model.classifier.bias.tolist()
    with torch.no_grad():
        model.classifier.bias.copy_(torch.tensor(uncalibrated))
    temperature, biases = WindowLogits(model, clips, device).fit_calibration()
    with torch.no_grad():
        model.classifier.bias += torch.tensor(temperature * biases, dtype=torch.float32).to(device)
    write_weights(
        folder,
        replace(model.config, temperature=temperature),
        model.state_dict(),
        {UNCALIBRATED_BIAS: json.dumps(uncalibrated)},
    )
