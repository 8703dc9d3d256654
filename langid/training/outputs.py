"""The end of a training run: the kept weights are evaluated, drawn and described."""

from dataclasses import replace
from pathlib import Path

from datasets import DatasetDict

from langid.checkpoint import read_config, read_model
from langid.evaluation.evaluate import VALIDATION, evaluate_dataset
from langid.evaluation.plots import plot_calibration, plot_confusion
from langid.evaluation.report import METRICS_FILE, Report, Training, read_report
from langid.hub.publish import CARD_FILE
from langid.identifier import LanguageIdentifier
from langid.training.card import make_card
from langid.training.datasets import REQUIRED_COLUMNS, describe_sources
from langid.training.run_folder import plot_curves


def finish_run(folder: Path, splits: DatasetDict, history: list[dict], settings: dict) -> None:
    """Write metrics.json, the plots and the model card into ``folder``.

    The weights are read back and evaluated through ``LanguageIdentifier``, so that the figures are
    those of what is published, on the path it is served by.
    """
    identifier = LanguageIdentifier(read_model(folder), folder.name)
    rows = splits[VALIDATION].select_columns(list(REQUIRED_COLUMNS))
    report = evaluate_dataset(identifier, rows, VALIDATION, VALIDATION)
    plot_curves(history, folder / "learning_curves.png")
    write_outputs(
        folder, replace(report, training=Training(settings, describe_sources(splits["train"])))
    )


def update_outputs(folder: Path, report: Report) -> Report:
    """Replace the figures of a folder of weights by those of ``report``: metrics.json, plots and
    card. What it was trained on is kept from the figures that are there.

    Returns
    -------
    The report as it is written.

    Raises
    ------
    DataError
        If the figures that are there cannot be read.
    """
    path = folder / METRICS_FILE
    training = read_report(path).training if path.exists() else None
    # What is published tells the name of a folder, not where it lay on this machine.
    report = replace(report, folder=Path(report.folder).resolve().name, training=training)
    write_outputs(folder, report)
    return report


def write_outputs(folder: Path, report: Report) -> None:
    """Write everything that tells the figures of a folder of weights."""
    (folder / METRICS_FILE).write_text(report.to_json(), encoding="utf-8")
    plot_confusion(report, folder / "confusion.png")
    plot_calibration(report, folder / "calibration.png")
    make_card(read_config(folder), report).save(folder / CARD_FILE)
