"""Predictions → the report of an evaluation: the one place that works out its figures."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from langid.evaluation import metrics
from langid.evaluation.predictions import Predictions
from langid.evaluation.report import (
    CalibrationBin,
    ClassRecall,
    Confusion,
    Failure,
    Group,
    Mistake,
    OtherLanguage,
    Report,
)
from langid.identifier import LanguageIdentifier
from langid.languages import NONE, OTHER
from langid.version import VERSION

N_WORST = 20


def make_report(
    identifier: LanguageIdentifier,
    predictions: Predictions,
    failures: Iterable[Failure],
    *,
    folder: str,
    split: str | None,
    used_for_selection: bool,
    processing_s: float,
) -> Report:
    """The report of what ``identifier`` predicted; see `Report` for each figure."""
    p, labels, languages = predictions, predictions.labels, predictions.language_indices
    answers = metrics.open_answers(p.probabilities)
    confidences = p.probabilities.max(axis=1)
    correct = answers == p.targets
    audio_s = float(p.durations_s.sum())
    bands = metrics.duration_bands(p.durations_s)
    none = labels.index(NONE) if NONE in labels else None
    failures = tuple(failures)
    return Report(
        model=identifier.source,
        revision=identifier.revision,
        package_version=VERSION,
        n_parameters=identifier.n_parameters,
        weights_bytes=identifier.weights_bytes,
        folder=folder,
        split=split,
        used_for_selection=used_for_selection,
        n_clips=len(p.targets),
        n_failed=len(failures),
        errors=failures,
        clip_accuracy=metrics.closed_accuracy(p.probabilities, p.targets, languages),
        clip_accuracy_open=metrics.open_accuracy(p.probabilities, p.targets),
        window_accuracy=metrics.closed_accuracy(
            p.window_probabilities, p.window_targets, languages
        ),
        n_windows=len(p.window_targets),
        confusion=Confusion(labels, _confusion(p.targets, answers, len(labels))),
        ece=metrics.expected_calibration_error(confidences, correct),
        calibration=tuple(
            CalibrationBin(*point) for point in metrics.calibration_curve(confidences, correct)
        ),
        other_auroc=(
            metrics.other_auroc(p.probabilities, p.targets, labels.index(OTHER), languages)
            if OTHER in labels
            else None
        ),
        none_recall=None if none is None else metrics.recall(p.targets, answers, none),
        missed_speech_rate=None if none is None else _share(answers[p.targets != none] == none),
        by_duration={
            name: _group(p, bands == band) for band, name in enumerate(metrics.DURATION_BANDS)
        },
        per_language=_per_language(p, np.ones_like(correct), labels),
        per_source={
            str(name): _group(p, p.sources == name) for name in sorted(np.unique(p.sources))
        },
        wild=_group(p, p.wild) if p.wild.any() else None,
        other_languages=_other_languages(p, answers),
        worst=_worst(p, answers, confidences),
        audio_s=audio_s,
        processing_s=processing_s,
        real_time_factor=processing_s / audio_s,
    )


def _group(p: Predictions, chosen: np.ndarray) -> Group:
    """The figures of the clips where ``chosen`` (n,) is true."""
    probabilities, targets = p.probabilities[chosen], p.targets[chosen]
    present = [label for i, label in enumerate(p.labels) if (targets == i).any()]
    return Group(
        n=int(chosen.sum()),
        clip_accuracy=metrics.closed_accuracy(probabilities, targets, p.language_indices),
        clip_accuracy_open=metrics.open_accuracy(probabilities, targets),
        per_language=_per_language(p, chosen, present),
    )


def _per_language(
    p: Predictions, chosen: np.ndarray, labels: Sequence[str]
) -> dict[str, ClassRecall]:
    probabilities, targets = p.probabilities[chosen], p.targets[chosen]
    closed = metrics.closed_answers(probabilities, p.language_indices)
    answers = metrics.open_answers(probabilities)
    recalls = {}
    for label in labels:
        i = p.labels.index(label)
        recalls[label] = ClassRecall(
            n=int((targets == i).sum()),
            recall=metrics.recall(targets, closed, i) if i in p.language_indices else None,
            recall_open=metrics.recall(targets, answers, i),
        )
    return recalls


def _confusion(
    targets: np.ndarray, answers: np.ndarray, n_labels: int
) -> tuple[tuple[int, ...], ...]:
    known = targets >= 0
    matrix = metrics.confusion_matrix(targets[known], answers[known], n_labels)
    return tuple(map(tuple, matrix.tolist()))


def _other_languages(p: Predictions, answers: np.ndarray) -> dict[str, OtherLanguage]:
    """How each language outside the model fares: rejected, or taken for what."""
    other = p.labels.index(OTHER) if OTHER in p.labels else -1
    table = {}
    for language in sorted(np.unique(p.languages[p.targets == other])):
        given = Counter(p.labels[i] for i in answers[p.languages == language])
        n = given.total()
        rejected = given.pop(OTHER, 0)
        table[str(language)] = OtherLanguage(n, rejected / n, dict(given.most_common()))
    return table


def _worst(p: Predictions, answers: np.ndarray, confidences: np.ndarray) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(answers != p.targets)
    order = sorted(wrong, key=lambda i: (-confidences[i], p.file_names[i]))
    return tuple(
        Mistake(
            file=str(p.file_names[i]),
            language=str(p.languages[i]),
            answer=p.labels[answers[i]],
            confidence=float(confidences[i]),
            duration_s=float(p.durations_s[i]),
            source=str(p.sources[i]),
        )
        for i in order[:N_WORST]
    )


def _share(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None
