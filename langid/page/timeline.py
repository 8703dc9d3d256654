"""An answer over time, as it is drawn: stretches, ticks of the axis, colours of the labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from langid.identification import Identification
from langid.languages import NONE, OTHER
from langid.segments import in_keeping

MAX_STRETCHES = 200  # beyond, what would be thinner than some pixels joins its neighbour
MAX_TICKS = 5
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)

# Okabe & Ito's palette, which colour-blind people can tell apart, and two quiet colours; all of
# them can be seen on white and on a dark grey.
_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#C9B900")
_SPECIAL = {OTHER: "#8C6D5A", NONE: "#98A2AD"}


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label; from the eighth language on they repeat."""
    languages = [label for label in labels if label not in _SPECIAL]
    colours = {code: _PALETTE[i % len(_PALETTE)] for i, code in enumerate(languages)}
    return {label: _SPECIAL.get(label) or colours[label] for label in labels}


@dataclass(frozen=True)
class Stretch:
    """A segment as the strip shows it: the mean ``probabilities`` of its windows, or those of their
    passages where these are of its language; its own is the segment's confidence."""

    start_s: float
    end_s: float
    language: str
    probabilities: dict[str, float]


def stretches(answer: Identification, n_most: int = MAX_STRETCHES) -> list[Stretch]:
    """The segments with the probabilities of their windows, at most about ``n_most``."""
    least_s = answer.duration_s / n_most if len(answer.segments) > n_most else 0.0
    labels = list(answer.probabilities)
    windows = np.array([list(window.probabilities.values()) for window in answer.windows])
    refined = answer.refined()
    middles = np.array([(window.start_s + window.end_s) / 2 for window in answer.windows])
    found: list[Stretch] = []
    for segment in answer.segments:
        if found and segment.end_s - segment.start_s < least_s:
            found[-1] = replace(found[-1], end_s=segment.end_s)
            continue
        first = min(np.searchsorted(middles, segment.start_s), len(windows) - 1)
        end = max(np.searchsorted(middles, segment.end_s, side="right"), first + 1)
        own = slice(first, end)
        label = labels.index(segment.language)
        means = in_keeping(refined[own], windows[own], label, labels.index(NONE)).mean(axis=0)
        # Among candidates a passage's languages and a window's speech no longer fit exactly.
        others = np.delete(np.arange(len(labels)), label)
        means[others] *= (1 - segment.confidence) / max(means[others].sum(), 1e-12)
        means[label] = segment.confidence
        means = dict(zip(labels, means.tolist(), strict=True))
        found.append(Stretch(segment.start_s, segment.end_s, segment.language, means))
    return found


def ticks(length_s: float) -> range:
    """Seconds at which a time axis has its ticks: round ones, at most `MAX_TICKS`, none too late
    for its words to fit.
    """
    step_s = next((step for step in STEPS_S if length_s <= step * MAX_TICKS), STEPS_S[-1])
    return range(0, int(0.95 * length_s) + 1, step_s)
