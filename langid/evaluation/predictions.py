"""What a model answered to labelled clips, as columns from which every figure follows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from langid.data.clips import Clip
from langid.evaluation.report import is_wild
from langid.identification import Identification
from langid.languages import class_of, languages_of


@dataclass(frozen=True)
class Predictions:
    """Row i of every field is clip i, but for ``window_probabilities``.

    ``probabilities`` (n, n_labels) and ``window_probabilities`` (n_windows, n_labels) have rows
    summing to 1; ``targets`` (n,) index ``labels``, -1 where the model has no label for a clip.
    """

    labels: tuple[str, ...]
    file_names: np.ndarray  # (n,) str
    languages: np.ndarray  # (n,) str, as the clips are labelled
    sources: np.ndarray  # (n,) str
    targets: np.ndarray
    durations_s: np.ndarray  # (n,)
    probabilities: np.ndarray
    window_probabilities: np.ndarray
    window_targets: np.ndarray  # (n_windows,)

    @classmethod
    def of(
        cls, identified: Iterable[tuple[Clip, Identification]], labels: tuple[str, ...]
    ) -> "Predictions":
        """Columns of clips and their identifications."""
        clips, answers = zip(*identified, strict=True)
        classes = [class_of(clip.language, labels) for clip in clips]
        targets = np.array([labels.index(c) if c in labels else -1 for c in classes])
        return cls(
            labels,
            np.array([clip.file_name for clip in clips]),
            np.array([clip.language for clip in clips]),
            np.array([clip.source for clip in clips]),
            targets,
            np.array([answer.duration_s for answer in answers]),
            _table((answer.probabilities for answer in answers), labels),
            _table((w.probabilities for answer in answers for w in answer.windows), labels),
            np.repeat(targets, [len(answer.windows) for answer in answers]),
        )

    @property
    def language_indices(self) -> list[int]:
        """Of the labels that are languages."""
        return [self.labels.index(language) for language in languages_of(self.labels)]

    @property
    def wild(self) -> np.ndarray:
        """(n,) bool: whether the clip's source is called wild."""
        return np.array([is_wild(name) for name in self.sources])


def _table(rows: Iterable[dict[str, float]], labels: tuple[str, ...]) -> np.ndarray:
    """(n, n_labels) of probabilities by label."""
    return np.array([[row[label] for label in labels] for row in rows]).reshape(-1, len(labels))
