"""Plots of a report."""

import pytest
from helpers.report import report_of

from langid.evaluation.plots import plot_calibration, plot_confusion


@pytest.mark.parametrize("plot", [plot_confusion, plot_calibration])
def test_a_plot_is_a_png_of_the_report(plot, tmp_path):
    plot(report_of(), tmp_path / "all.png")
    plot(report_of([("a", "en", "radio", "dev", (0.7, 0.1, 0.1, 0.1), 2.0)]), tmp_path / "one.png")
    images = [(tmp_path / name).read_bytes() for name in ("all.png", "one.png")]
    assert all(image.startswith(b"\x89PNG") for image in images)
    assert images[0] != images[1]
