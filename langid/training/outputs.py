"""The end of a training run: the kept weights are evaluated, drawn and described."""

import json
from pathlib import Path

from datasets import DatasetDict

from langid.checkpoint import read_model
from langid.evaluation.evaluate import evaluate_dataset
from langid.identifier import LanguageIdentifier
from langid.training.card import make_card
from langid.training.datasets import REQUIRED_COLUMNS, describe_sources
from langid.training.run_folder import METRICS_FILE, plot_confusion, plot_curves


def finish_run(folder: Path, splits: DatasetDict, history: list[dict], settings: dict) -> None:
    """Write metrics.json, both plots and the model card into ``folder``.

    The weights are read back and heard through ``LanguageIdentifier``, so that the figures are
    those of what is published, on the path it is served by.
    """
    model = read_model(folder)
    heard = splits["validation"].select_columns(list(REQUIRED_COLUMNS))
    report = evaluate_dataset(LanguageIdentifier(model, folder.name), heard, "validation")
    (folder / METRICS_FILE).write_text(
        json.dumps({**report, "training": settings}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    plot_curves(history, folder / "learning_curves.png")
    confusion = report["confusion"]
    plot_confusion(confusion["matrix"], confusion["labels"], folder / "confusion.png")
    n_parameters = sum(p.numel() for p in model.parameters())
    card = make_card(
        model.config,
        n_parameters,
        report,
        describe_sources(splits["train"]),
        settings,
    )
    card.save(folder / "README.md")
