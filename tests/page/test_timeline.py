"""Windows → cells of time, by hand."""

import numpy as np
import pytest

from langid.identification import Identification, WindowResult
from langid.page.timeline import MAX_CELLS, label_colours, legend_html, plot_columns, time_cells


def windows(*rows: tuple[float, float, float]) -> list[WindowResult]:
    """(start_s, end_s, P(en)) → windows of a model with two labels."""
    return [WindowResult(start, end, {"en": p, "none": 1 - p}) for start, end, p in rows]


def test_a_cell_is_the_mean_of_the_windows_that_overlap_it():
    step_s, cells = time_cells(windows((0, 4, 1.0), (2, 6, 0.5), (3, 7, 0.0)), 7)
    assert step_s == 1
    # Seconds 0 and 1: the first window; 2: two of them; 3: all; 4 and 5: the last two; 6: the last.
    assert cells[:, 0] == pytest.approx([1, 1, 0.75, 0.5, 0.25, 0.25, 0])
    assert cells.sum(axis=1) == pytest.approx(np.ones(7))


def test_the_last_cell_holds_what_is_left():
    _, cells = time_cells(windows((0, 4, 1.0), (0.3, 4.3, 0.0)), 4.3)
    assert cells[:, 0] == pytest.approx([0.5, 0.5, 0.5, 0.5, 0])


def test_a_duration_above_the_last_window_by_rounding_is_covered():
    _, cells = time_cells(windows((0, 3.9999999, 1.0)), 4.0000001)
    assert cells[:, 0] == pytest.approx(np.ones(5))


@pytest.mark.parametrize(
    ("duration_s", "step_s"), [(5, 1), (60, 1), (61, 2), (600, 10), (3600, 60), (3 * 3600, 300)]
)
def test_long_recordings_have_longer_cells(duration_s, step_s):
    starts = range(0, duration_s - 2, 2)
    rows = windows(*((start, min(start + 4, duration_s), 0.3) for start in starts))
    found_s, cells = time_cells(rows, duration_s)
    assert found_s == step_s
    assert len(cells) == -(-duration_s // step_s) <= MAX_CELLS
    assert cells[:, 0] == pytest.approx(np.full(len(cells), 0.3))


def test_five_languages_and_the_other_answers_have_colours_of_their_own():
    labels = ("en", "fr", "de", "es", "it", "other", "none")
    colours = label_colours(labels)
    assert tuple(colours) == labels
    assert len(set(colours.values())) == 7


def test_the_legend_names_the_labels_safely():
    legend = legend_html(("fr", "<b>", "none"))
    assert legend.count("<li") == 3
    assert "French" in legend and "No speech" in legend and "&lt;b&gt;" in legend


@pytest.mark.parametrize(
    ("duration_s", "step", "unit", "first", "last"),
    [
        (6, 1, "seconds", 0.5, 5.5),
        (600, 10, "seconds", 5, 595),
        (1230, 0.5, "minutes", 0.25, 20.25),
    ],
)
def test_the_time_axis_suits_the_recording(duration_s, step, unit, first, last):
    rows = windows((0, duration_s - 1, 0.75), (1, duration_s, 0.75))
    answer = Identification("en", 0.75, rows[0].probabilities, rows, [], duration_s, duration_s, [])
    columns, found_step, found_unit = plot_columns(answer)
    assert (found_step, found_unit) == (step, unit)
    assert columns["time"][:2] == [first, first] and columns["time"][-1] == pytest.approx(last)
    assert columns["language"][:4] == ["English", "No speech"] * 2
    assert columns["probability"] == pytest.approx([0.75, 0.25] * (len(columns["time"]) // 2))
