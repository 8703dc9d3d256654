"""What ``train.py --teacher`` adds to a run: options, targets, and doubts about labels."""

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from langid.config import ModelConfig
from langid.data import options as cli
from langid.languages import OTHER, class_of, languages_of
from langid.training.amounts import with_amounts
from langid.training.averaging import InitialModel
from langid.training.clips import NO_LABEL, Clips
from langid.training.sampling import without_excess
from langid.training.soft_targets import with_soft_targets
from langid.training.teacher import WhisperTeacher
from langid.training.teacher_targets import TeacherTargets
from langid.training.units import N_UNITS, UNITS_FILE, Units

CONTRADICTED_FILE = "contradicted.csv"
EXCLUDED = -30.0  # log-posterior of a language that the label excludes
CERTAIN = 0.95  # posterior from which the teacher contradicts a label


def add_teacher_options(parser: argparse.ArgumentParser) -> None:
    """The options of a teacher; without ``--teacher`` the others mean nothing."""
    group = parser.add_argument_group(
        "teacher", "needs faster-whisper (pip install faster-whisper), for training only"
    )
    group.add_argument(
        "--teacher",
        metavar="MODEL",
        help="a Whisper model that names sounds and languages of every clip: a folder of "
        "faster-whisper, a Hub id or a name such as base",
    )
    group.add_argument(
        "--units",
        type=cli.setting("n_units"),
        help=f"classes of the teacher's states (default: those of --init, or {N_UNITS})",
    )
    group.add_argument(
        "--teacher-hours",
        type=cli.amount,
        default=math.inf,
        metavar="HOURS",
        help="at most so much of a split and of --trunk-data, the clips that training draws most "
        "(default: all)",
    )
    group.add_argument(
        "--unit-weight", type=cli.weight, default=0.5, help="of naming the units (default: 0.5)"
    )
    group.add_argument(
        "--posterior-weight",
        type=cli.weight,
        default=0.5,
        help="of agreeing with the teacher's languages (default: 0.5)",
    )
    group.add_argument(
        "--trunk-data",
        nargs="+",
        default=(),
        metavar="DATASET",
        help="further datasets that teach only what the teacher hears in their train split, its "
        "sounds and languages, and no label: speech in which the channel would pass for the "
        "language, such as one corpus that is mostly English. A quarter of all windows",
    )
    group.add_argument(
        "--probes",
        type=int,
        default=0,
        metavar="K",
        help="small classifiers fitted on the teacher's states, each without some of the voices; "
        "what they say of voices that are new to them is learnt in place of labels. Keeps the "
        "states: 92 MB an hour with base (default: 0)",
    )


def check_teacher_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End the command, with exit code 2, where the options do not fit each other."""
    if args.probes and not args.teacher:
        parser.error("--probes learn from the states of a teacher: give one with --teacher.")
    if args.trunk_data and not args.teacher:
        parser.error("--trunk-data teach what a teacher hears in them: give one with --teacher.")
    if args.units == 0:
        parser.error("--units must be at least 1.")
    if args.probes < 0 or args.probes == 1:
        parser.error("--probes must be 0 or at least 2: a single one would have heard no voice.")


def open_targets(args: argparse.Namespace, models: Sequence[InitialModel]) -> TeacherTargets | None:
    """The teacher, with the units of the run that goes on, or of the first of the ``models`` that
    are started from if it has such units.

    Raises
    ------
    langid.errors.TeacherError
        If the teacher cannot be had.
    langid.errors.DataError
        If the units cannot be read.
    """
    if not args.teacher:
        return None
    teacher = WhisperTeacher(args.teacher, args.num_proc)
    units = None
    if args.resume or args.init:
        path = (args.output if args.resume else models[0].folder) / UNITS_FILE
        units = _units_to_keep(path, teacher.state_size, args.units)
    return TeacherTargets(
        teacher, args.units or N_UNITS, args.num_proc, units, args.teacher_hours, args.probes > 0
    )


def _units_to_keep(path: Path, state_size: int, n_units: int | None) -> Units | None:
    """The units in a file, if it holds as many as are asked for, of states of that size."""
    if not path.is_file():
        return None
    units = Units.load(path)
    if units.state_size == state_size and n_units in (None, len(units)):
        return units
    print(
        f"The {len(units)} units in {path} divide states of {units.state_size} numbers: "
        f"{n_units or N_UNITS} are fitted to the teacher's, of {state_size}."
    )
    return None


def with_teacher_heads(config: ModelConfig, targets: TeacherTargets | None) -> ModelConfig:
    """``config`` with the heads that learn from the teacher, once its units are known."""
    if targets is None:
        return config
    return replace(
        config, n_units=len(targets.units), teacher_languages=tuple(targets.teacher.languages)
    )


def contradicted(clips: Clips, labels: tuple[str, ...], languages: tuple[str, ...]) -> np.ndarray:
    """Clips whose label the teacher, certain of another class, contradicts: indices (n,).

    ``labels`` are the model's, ``languages`` the teacher's. Only clips of the model's own languages
    are in doubt: of "other" are languages that a teacher takes for a neighbour, as Luxembourgish
    for German, and their labels are right.
    """
    own = languages_of(labels)
    posteriors = clips.posteriors.astype(np.float32)
    answers = [languages[i] for i in posteriors.argmax(axis=1)]
    certain = np.exp(posteriors.max(axis=1)) >= CERTAIN
    wrong = [
        certain[i]
        and clips.labels[i] != NO_LABEL
        and labels[clips.labels[i]] in own
        and class_of(answers[i], own) != labels[clips.labels[i]]
        for i in range(len(clips))
    ]
    return np.flatnonzero(wrong)


def clips_to_learn_from(
    clips: Clips, config: ModelConfig, targets: TeacherTargets | None, args: argparse.Namespace
) -> tuple[Clips, ModelConfig]:
    """Clips as training takes them: without what the teacher doubts and what is too much, with
    soft targets if there are to be any; and ``config`` with what there is of each label, unless
    no step is taken. The units are kept with the run."""
    if targets is not None:
        clips = doubt_labels_or_teacher(clips, config, args.output)
        targets.units.save(args.output / UNITS_FILE)
    clips = without_excess(clips, config.labels, args.seed)
    if args.steps:
        config = with_amounts(config, clips)
    if args.probes:
        clips = with_soft_targets(clips, config, args.probes, args.seed, args.device)
    return clips, config


def doubt_labels_or_teacher(clips: Clips, config: ModelConfig, folder: Path) -> Clips:
    """`leave_out_contradicted`, then `without_own_languages`."""
    return without_own_languages(leave_out_contradicted(clips, config, folder), config)


def without_own_languages(clips: Clips, config: ModelConfig) -> Clips:
    """Clips of which those in other languages have posteriors over other languages alone.

    A teacher that does not know Esperanto calls it Spanish, which it certainly is not.
    """
    known, named = languages_of(config.labels), clips.languages
    own = [class_of(name, known) != OTHER for name in config.teacher_languages]
    posteriors = clips.posteriors.astype(np.float32)
    posteriors[:, own] = EXCLUDED
    with np.errstate(invalid="ignore"):  # NaN where the teacher heard nothing
        posteriors -= np.logaddexp.reduce(posteriors, axis=1, keepdims=True)
    is_other = np.array([name is not None and class_of(name, known) == OTHER for name in named])
    posteriors = np.where(is_other[:, None], posteriors, clips.posteriors)
    return replace(clips, posteriors=posteriors.astype(np.float16))


def leave_out_contradicted(clips: Clips, config: ModelConfig, folder: Path) -> Clips:
    """Clips without those that the teacher contradicts, which are listed in ``folder``."""
    doubtful = contradicted(clips, config.labels, config.teacher_languages)
    with (folder / CONTRADICTED_FILE).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["language", "source", "speaker", "seconds", "teacher", "posterior"])
        for i in doubtful:
            best = clips.posteriors[i].argmax()
            table.writerow(
                [
                    clips.languages[i],
                    clips.sources[i],
                    clips.speakers[i],
                    round(int(clips.n_frames[i]) / 100, 1),
                    config.teacher_languages[best],
                    round(float(np.exp(np.float32(clips.posteriors[i, best]))), 3),
                ]
            )
    kept = np.ones(len(clips), dtype=bool)
    kept[doubtful] = False
    print(
        f"{len(doubtful)} clips whose language the teacher contradicts are left out: "
        f"{folder / CONTRADICTED_FILE}"
    )
    return clips.select(np.flatnonzero(kept))
