"""Overlapping windows → even cells of time, for a plot; colours for the labels."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from langid.identification import Identification, WindowResult
from langid.languages import NONE, OTHER, language_name

MAX_CELLS = 60  # still some pixels each on a phone
IN_MINUTES_S = 600  # recordings over this have a time axis in minutes
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


def legend_html(labels: Sequence[str]) -> str:
    """A list of the labels' names, each item with its colour as the CSS variable ``--colour``."""
    items = (
        f'<li style="--colour: {colour}">{escape(language_name(label))}</li>'
        for label, colour in label_colours(labels).items()
    )
    return f"<ul>{''.join(items)}</ul>"


def time_cells(windows: Sequence[WindowResult], duration_s: float) -> tuple[float, np.ndarray]:
    """Mean probabilities of the windows over each stretch of time.

    Cell ``i`` lasts from ``i * step_s`` to ``(i + 1) * step_s`` and holds the mean of all windows
    that overlap it, so that no window is lost in a long recording and none counts by its order.

    Parameters
    ----------
    windows
        At least one, in the order of time, together covering the recording.
    duration_s
        Of the recording; the cells cover it, at most ``MAX_CELLS`` of them up to 60 hours.

    Returns
    -------
    step_s : float
        Length of a cell in seconds, a round number.
    probabilities : np.ndarray
        (n_cells, n_labels), rows summing to 1, labels in the windows' order.
    """
    step_s = next((step for step in STEPS_S if duration_s <= step * MAX_CELLS), STEPS_S[-1])
    begins_s = np.arange(math.ceil(duration_s / step_s)) * float(step_s)
    starts_s = np.array([window.start_s for window in windows])
    ends_s = np.array([window.end_s for window in windows])
    rows = np.array([list(window.probabilities.values()) for window in windows])

    last = len(windows) - 1
    first = np.minimum(np.searchsorted(ends_s, begins_s, side="right"), last)
    end = np.maximum(np.searchsorted(starts_s, begins_s + step_s, side="left"), first + 1)
    sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
    return float(step_s), (sums[end] - sums[first]) / (end - first)[:, None]


def plot_columns(answer: Identification) -> tuple[dict[str, list], float, str]:
    """The cells in long form, a row for each cell and label.

    Returns
    -------
    columns : dict
        ``time`` (middle of the cell), ``language`` (English name) and ``probability``.
    step : float
        Length of a cell in the unit of ``time``.
    unit : str
        ``"seconds"`` or, for long recordings, ``"minutes"``.
    """
    step_s, cells = time_cells(answer.windows, answer.duration_s)
    unit, unit_s = ("minutes", 60) if answer.duration_s > IN_MINUTES_S else ("seconds", 1)
    step = step_s / unit_s
    names = [language_name(label) for label in answer.probabilities]
    columns = {
        "time": np.repeat((np.arange(len(cells)) + 0.5) * step, len(names)).tolist(),
        "language": names * len(cells),
        "probability": cells.ravel().tolist(),
    }
    return columns, step, unit
