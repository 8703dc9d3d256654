"""What a run was started with, kept in its checkpoint: going on with anything else is refused."""

import argparse
import pickle
from dataclasses import asdict
from pathlib import Path

import torch

from langid.config import ModelConfig
from langid.data.espeak import espeak_available
from langid.errors import DataError
from langid.training.units import N_UNITS

# Options on which the weights depend, beside the recordings: --resume takes no others.
RUN_OPTIONS = (
    *("languages", "init", "steps", "batch_size", "learning_rate", "weight_decay"),
    *("phone_weight", "utterance_share", "seed", "encoder_blocks", "copies"),
    *("dropout", "cutmix"),
    *("teacher", "units", "teacher_hours", "unit_weight", "posterior_weight", "probes"),
    "trunk_data",
)
PROCESSES = "processes"  # n of them take batches n times as large, and draw other windows


def run_options(args: argparse.Namespace, n_processes: int) -> dict:
    """The options `RUN_OPTIONS`, as they are written on a command line, and how many processes
    train together."""
    options = {name: getattr(args, name) for name in RUN_OPTIONS}
    lists = {"languages": ",".join(args.languages), "trunk_data": " ".join(args.trunk_data) or None}
    return {**options, **lists, "units": args.units or N_UNITS, PROCESSES: n_processes}


def check_resumable(path: Path, options: dict, config: ModelConfig | None = None) -> None:
    """Refuse a checkpoint of `Trainer.save(…, options=…, config=asdict(…))` that does not fit.

    ``options`` are those of the command line on which the run's figures depend, by their names;
    ``config`` is what they and the recordings make of the model, None while that is not known.

    Raises
    ------
    DataError
        Naming what differs, with both values; or if the file is damaged or of an older version.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise DataError(f"{path} is damaged: start again with another --output.") from error
    if not isinstance(saved, dict) or not {"options", "config"} <= saved.keys():
        raise DataError(
            f"{path} does not say with what it was started, as an older version wrote it: start "
            "again with another --output."
        )
    was = saved["options"]
    if PROCESSES in options and PROCESSES not in was:
        was = {**was, PROCESSES: options[PROCESSES]}
        if config is None:
            print(
                f"{path} is of an older version, which did not note how many processes trained: "
                f"{options[PROCESSES]} now. If it was started with another number, stop this and "
                "give torchrun that one."
            )
    differing = [
        f"{_on_the_command_line(name)} was {was.get(name)} and is {value}"
        for name, value in options.items()
        # An option that an older version did not have was off, as with 0.
        if (was.get(name) or 0) != (value or 0)
    ]
    if config is not None:
        differing += _config_differences(saved["config"], asdict(config))
    if differing:
        raise DataError(
            f"--resume cannot go on with {path.parent}: {'; '.join(differing)}. Give what it was "
            "started with, or another --output."
        )


def _on_the_command_line(name: str) -> str:
    if name == PROCESSES:
        return "the number of processes (torchrun --nproc-per-node)"
    return f"--{name.replace('_', '-')}"


def _config_differences(was: dict, now: dict) -> list[str]:
    differing = []
    for name in sorted(was.keys() | now.keys()):
        then, here = was.get(name), now.get(name)
        if then == here:
            continue
        if name == "training":
            then, here = _amounts(then), _amounts(here)
            name = "what it is trained on"
        elif name == "phones":
            without = "" if espeak_available() else " (espeak-ng is not installed here)"
            then, here = f"{len(then)} phones", f"{len(here)}{without}"
        differing.append(f"{name} was {then} and is {here}")
    return differing


def _amounts(training: tuple[dict, ...]) -> str:
    """``"en 120 clips, fr 118 clips"``."""
    return ", ".join(f"{entry['label']} {entry['n_clips']:,} clips" for entry in training)
