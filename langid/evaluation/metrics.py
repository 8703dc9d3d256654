"""Probabilities and true classes → the figures of an evaluation, in plain NumPy.

Shapes throughout: ``probabilities`` (n, n_labels) with rows summing to 1; ``targets`` and
``answers`` (n,) integers that index the labels; ``languages`` the indices of the labels that are
languages, without ``"other"`` and ``"none"``. A figure that the data cannot give, such as the
recall of a class without clips, is None and never NaN.
"""

from collections.abc import Sequence

import numpy as np

N_CALIBRATION_BINS = 15
DURATION_BANDS = ("under 3 s", "3-6 s", "over 6 s")  # both borders belong to the middle one


def open_answers(probabilities: np.ndarray) -> np.ndarray:
    """The most probable label of all: (n,)."""
    return probabilities.argmax(axis=1)


def closed_answers(probabilities: np.ndarray, languages: Sequence[int]) -> np.ndarray:
    """The most probable label among the languages only: (n,), indices of labels."""
    indices = np.asarray(languages)
    return indices[probabilities[:, indices].argmax(axis=1)]


def recall(targets: np.ndarray, answers: np.ndarray, label: int) -> float | None:
    """Share of the clips of one class that are answered so; None without such clips."""
    mine = targets == label
    return float((answers[mine] == label).mean()) if mine.any() else None


def mean_recall(targets: np.ndarray, answers: np.ndarray, labels: Sequence[int]) -> float | None:
    """Recall averaged over those of the classes that have clips (balanced accuracy)."""
    recalls = [recall(targets, answers, label) for label in labels]
    present = [value for value in recalls if value is not None]
    return float(np.mean(present)) if present else None


def closed_accuracy(
    probabilities: np.ndarray, targets: np.ndarray, languages: Sequence[int]
) -> float | None:
    """Mean recall over the languages, choosing among the languages only.

    Clips of no language of the model take no part.
    """
    return mean_recall(targets, closed_answers(probabilities, languages), languages)


def open_accuracy(probabilities: np.ndarray, targets: np.ndarray) -> float | None:
    """Mean recall over all classes with clips, choosing among all labels."""
    return mean_recall(targets, open_answers(probabilities), range(probabilities.shape[1]))


def confusion_matrix(targets: np.ndarray, answers: np.ndarray, n_labels: int) -> np.ndarray:
    """Counts (n_labels, n_labels): row = true class, column = answer."""
    matrix = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(matrix, (targets, answers), 1)
    return matrix


def calibration_curve(
    confidences: np.ndarray, correct: np.ndarray, n_bins: int = N_CALIBRATION_BINS
) -> list[tuple[int, float, float]]:
    """Of each bin that holds clips, by rising confidence: their number, mean confidence and
    accuracy (a reliability diagram).

    ``confidences`` (n,) in [0, 1], ``correct`` (n,) bool. Bin ``m`` of ``M`` holds the
    confidences in ``((m - 1) / M, m / M]``.
    """
    bins = np.clip(np.ceil(confidences * n_bins).astype(int), 1, n_bins)
    return [
        (int(held.sum()), float(confidences[held].mean()), float(correct[held].mean()))
        for held in (bins == number for number in np.unique(bins))
    ]


def expected_calibration_error(
    confidences: np.ndarray, correct: np.ndarray, n_bins: int = N_CALIBRATION_BINS
) -> float | None:
    """Mean distance between confidence and accuracy over the bins of `calibration_curve`, each
    weighing as many clips as it holds (Guo et al., 2017, arXiv:1706.04599)."""
    if not len(confidences):
        return None
    curve = calibration_curve(confidences, correct, n_bins)
    return sum(n * abs(accuracy - mean) for n, mean, accuracy in curve) / len(confidences)


def auroc(positive_scores: np.ndarray, negative_scores: np.ndarray) -> float | None:
    """Probability that a positive scores higher than a negative, a tie counting half (the
    Mann-Whitney statistic, which is the area under the ROC curve)."""
    if not len(positive_scores) or not len(negative_scores):
        return None
    negatives = np.sort(negative_scores)
    below = np.searchsorted(negatives, positive_scores, side="left")
    not_above = np.searchsorted(negatives, positive_scores, side="right")
    return float((below + not_above).mean() / (2 * len(negatives)))


def other_auroc(
    probabilities: np.ndarray, targets: np.ndarray, other: int, languages: Sequence[int]
) -> float | None:
    """How well P(other) tells other languages from the model's own, at any threshold."""
    scores = probabilities[:, other]
    return auroc(scores[targets == other], scores[np.isin(targets, languages)])


def duration_bands(durations_s: np.ndarray) -> np.ndarray:
    """Index of the duration's entry in ``DURATION_BANDS``: (n,)."""
    return np.where(durations_s < 3, 0, np.where(durations_s <= 6, 1, 2))
