"""What a training run leaves behind: log, weights, figures, plots and card."""

import json
from dataclasses import replace
from pathlib import Path

from datasets import DatasetDict
from matplotlib.figure import Figure

from langid.checkpoint import CONFIG_FILE, WEIGHTS_FILE, read_config, read_model
from langid.evaluation.evaluate import VALIDATION, evaluate_dataset
from langid.evaluation.plots import DPI, plot_calibration, plot_confusion
from langid.evaluation.report import METRICS_FILE, Report, Training, read_report
from langid.files import replacing
from langid.hub.publish import CARD_FILE, Publication
from langid.identifier import LanguageIdentifier
from langid.training.card import make_card
from langid.training.datasets import REQUIRED_COLUMNS, describe_sources
from langid.training.inheritance import Parents, with_parents
from langid.training.units import UNITS_FILE

LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"
RUN = Publication(
    repo_type="model",
    noun="run",
    # The checkpoint stays at home: it is for resuming, and three times the size.
    files=(CONFIG_FILE, WEIGHTS_FILE, UNITS_FILE, CARD_FILE, METRICS_FILE, LOG_FILE, "*.png"),
    replaced=(),
    message="Upload weights, card and figures",
    remedy="upload again with 'hf upload {repo_id} {folder} --exclude \"*.pt\"'",
)
# Of the log's lines: the plot, the key and the name of each curve.
CURVES = (
    ("loss", "language_loss", "language"),
    ("loss", "phone_loss", "phones (CTC)"),
    ("loss", "unit_loss", "teacher's units"),
    ("loss", "posterior_loss", "teacher's languages"),
    ("share", "accuracy", "training windows, augmented"),
    ("share", "clip_accuracy", "validation clips, among the languages"),
    ("share", "clip_accuracy_open", "validation clips, all answers"),
    ("share", "other_auroc", "validation, other languages (AUROC)"),
)


def finish_run(
    folder: Path, splits: DatasetDict, history: list[dict], settings: dict, parents: Parents = ()
) -> None:
    """Write metrics.json, the plots and the model card into ``folder``."""
    report = evaluate_run(folder, splits)
    plot_curves(history, folder / "learning_curves.png")
    settings = json.loads(json.dumps(settings, default=str))  # tuples and paths as JSON has them
    training = Training(settings, describe_sources(splits["train"]))
    write_outputs(folder, replace(report, training=with_parents(training, parents)))


def evaluate_run(folder: Path, splits: DatasetDict) -> Report:
    """Figures of the weights in ``folder`` on the validation split.

    The weights are read back and evaluated through ``LanguageIdentifier``, so that the figures are
    those of what is published, on the path it is served by.
    """
    identifier = LanguageIdentifier(read_model(folder), folder.name)
    rows = splits[VALIDATION].select_columns(list(REQUIRED_COLUMNS))
    return evaluate_dataset(identifier, rows, VALIDATION, VALIDATION)


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
    with replacing(folder / METRICS_FILE) as part:
        part.write_text(report.to_json(), encoding="utf-8")
    plot_confusion(report, folder / "confusion.png")
    plot_calibration(report, folder / "calibration.png")
    make_card(read_config(folder), report).save(folder / CARD_FILE)


def append_log(folder: Path, entry: dict) -> None:
    """Add one JSON object as a line of the run's log."""
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def plot_curves(history: list[dict], path: Path) -> None:
    """Learning curves: losses of training, accuracies of training and validation."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, key, name in CURVES:
        points = [(e["step"], e[key]) for e in history if e.get(key) is not None]
        if points:
            {"loss": left, "share": right}[axes].plot(*zip(*points, strict=True), label=name)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    right.set(xlabel="step", ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=DPI)
