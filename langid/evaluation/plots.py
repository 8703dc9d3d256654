"""Plots of a report, as PNG files."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from langid.evaluation.report import Report
from langid.languages import language_name

DPI = 120


def plot_confusion(report: Report, path: Path) -> None:
    """Confusion matrix: a row for each true class, shares of the row as colour."""
    counts = np.array(report.confusion.matrix)
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    names = [language_name(label) for label in report.confusion.labels]
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="answer", ylabel="spoken")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    figure.savefig(path, dpi=DPI)


def plot_calibration(report: Report, path: Path) -> None:
    """Reliability diagram: accuracy over confidence; a dot's area grows with its clips."""
    figure = Figure(figsize=(4.8, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="perfectly calibrated")
    confidences = [point.confidence for point in report.calibration]
    accuracies = [point.accuracy for point in report.calibration]
    areas = [200 * point.n / report.n_clips + 5 for point in report.calibration]
    axes.plot(confidences, accuracies, color="tab:blue", alpha=0.4)
    axes.scatter(confidences, accuracies, areas, color="tab:blue", label="clips, by confidence")
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=DPI)
