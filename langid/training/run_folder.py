"""What a training run leaves behind: log, weights, plots, figures."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from langid.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from langid.evaluation.report import METRICS_FILE
from langid.hub.publish import CARD_FILE, Publication

LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"
RUN = Publication(
    repo_type="model",
    noun="run",
    # The checkpoint stays at home: it is for resuming, and three times the size.
    files=(CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, METRICS_FILE, LOG_FILE, "*.png"),
    replaced=(),
    message="Upload weights, card and figures",
    remedy="upload again with 'hf upload {repo_id} {folder} --exclude \"*.pt\"'",
)


def append_log(folder: Path, entry: dict) -> None:
    """Add one JSON object as a line of the run's log."""
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def plot_curves(history: list[dict], path: Path) -> None:
    """Learning curves: losses of training, accuracies of training and validation."""
    steps = [entry["step"] for entry in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for key, name in (("language_loss", "language"), ("phone_loss", "phones (CTC)")):
        points = [(e["step"], e[key]) for e in history if e.get(key) is not None]
        if points:
            left.plot(*zip(*points, strict=True), label=name)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    right.plot(steps, [e["accuracy"] for e in history], label="training windows, augmented")
    for key, name in (
        ("clip_accuracy", "validation clips, among the languages"),
        ("clip_accuracy_open", "validation clips, all answers"),
        ("other_auroc", "validation, other languages (AUROC)"),
    ):
        right.plot(steps, [e[key] for e in history], label=name)
    right.set(xlabel="step", ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    plt.close(figure)
