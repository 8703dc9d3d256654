"""The mean of networks as a run of its own: no step, but statistics, temperature and figures."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from datasets import DatasetDict

from langid.checkpoint import write_weights
from langid.config import ModelConfig
from langid.errors import DataError
from langid.evaluation.report import Training
from langid.languages import languages_of
from langid.model import LanguageCNN
from langid.training.averaging import InitialModel
from langid.training.clips import Clips
from langid.training.inheritance import Parents, with_parents
from langid.training.outputs import evaluate_run, write_outputs
from langid.training.units import UNITS_FILE
from langid.training.validation import WindowLogits


def check_languages(config: ModelConfig, languages: tuple[str, ...]) -> None:
    """Refuse other languages than the network has: without a step none is learnt.

    Raises
    ------
    DataError
        With the option that fits.
    """
    own = languages_of(config.labels)
    if tuple(languages) != own:
        raise DataError(f"--steps 0 learns no language: write --languages {','.join(own)}.")


def finish_average(
    folder: Path,
    network: LanguageCNN,
    init: str,
    models: Sequence[InitialModel],
    parents: Parents,
    splits: DatasetDict,
    validation: Clips,
    device: torch.device,
) -> None:
    """Write what a run leaves behind, without log and curves: the weights with a temperature
    fitted to ``validation``, no biases; the first model's units; figures, plots and card.

    What it was trained on is what the first of the ``models`` of ``init`` was, as far as that is
    known; what the others were, it inherited.
    """
    temperature = WindowLogits(network, validation, device).fit_temperature()
    write_weights(folder, replace(network.config, temperature=temperature), network.state_dict())
    units = models[0].folder / UNITS_FILE
    if units.is_file():
        shutil.copyfile(units, folder / UNITS_FILE)
    training = parents[0][1] or Training({}, ())
    training = replace(training, settings={**training.settings, "mean of": init})
    training = with_parents(training, parents)
    write_outputs(folder, replace(evaluate_run(folder, splits), training=training))
