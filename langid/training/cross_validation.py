"""How much of a calibration holds for speakers on whom it was not fitted."""

from dataclasses import dataclass

import numpy as np

from langid.evaluation import metrics
from langid.languages import OTHER, languages_of
from langid.training.validation import WindowLogits

N_FOLDS = 5


@dataclass(frozen=True)
class Calibrated:
    """Figures of clips whose calibration was fitted on other speakers."""

    clip_accuracy: float  # mean recall over the languages, choosing among these
    clip_accuracy_open: float  # over all classes
    other_recall: float  # share of the clips in other languages that are answered so
    log_loss: float  # negative log-likelihood in nats, every class weighing the same
    ece: float  # expected calibration error of the open answer


def cross_validate(
    logits: WindowLogits, speakers: list[str], bias_penalty: float, seed: int = 0
) -> Calibrated:
    """Calibrate `N_FOLDS` times, each time without a fifth of the speakers (those of a clip are its
    speaker's name), and measure on these.

    ``bias_penalty`` as in `WindowLogits.fit_calibration`; infinity leaves the biases out.
    """
    names = np.array(speakers)
    unique = np.unique(names)
    fold_of = dict(
        zip(unique, np.random.default_rng(seed).permutation(len(unique)) % N_FOLDS, strict=True)
    )
    folds = np.array([fold_of[name] for name in names])
    p = np.zeros((len(names), len(logits.labels)))
    for fold in range(N_FOLDS):
        rest = logits.select(np.flatnonzero(folds != fold))
        if np.isinf(bias_penalty):
            temperature, biases = rest.fit_temperature(), np.zeros(len(logits.labels))
        else:
            temperature, biases = rest.fit_calibration(bias_penalty)
        held = np.flatnonzero(folds == fold)
        p[held] = logits.select(held).clip_probabilities(temperature, biases)
    return figures(p, logits.targets, logits.labels)


def figures(p: np.ndarray, targets: np.ndarray, labels: tuple[str, ...]) -> Calibrated:
    """Of probabilities (n_clips, n_labels) and true labels (n_clips,)."""
    answers = metrics.open_answers(p)
    languages = [labels.index(language) for language in languages_of(labels)]
    own = -np.log(p[np.arange(len(targets)), targets].clip(1e-12))
    return Calibrated(
        clip_accuracy=metrics.closed_accuracy(p, targets, languages),
        clip_accuracy_open=metrics.open_accuracy(p, targets),
        other_recall=metrics.recall(targets, answers, labels.index(OTHER)),
        log_loss=float(np.mean([own[targets == i].mean() for i in np.unique(targets)])),
        ece=metrics.expected_calibration_error(p.max(axis=1), answers == targets),
    )
