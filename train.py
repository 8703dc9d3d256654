"""Train a spoken-language identifier on a dataset made by prepare_data.py.

    python train.py --data data/speech --output runs/first
    python train.py --data data/speech --output runs/first --resume     # after an interruption
    python train.py --data data/mine --output runs/mine --init embedded --languages en,nl,pl
    python train.py --data USER/NAME --streaming --output runs/hub      # a dataset on the Hub
    python train.py --data data/speech --output runs/taught --teacher base  # learns from Whisper
    torchrun --nproc-per-node 2 train.py --data data/speech --output runs/two

Writes config.json, model.safetensors, metrics.json, log.jsonl, learning_curves.png, confusion.png
and README.md (the model card) into --output. The best weights by validation are there from the
first validation on; Ctrl-C loses at most the steps since the last one.

The log-mel of all clips is computed once and kept in the cache of the datasets library
(HF_DATASETS_CACHE): 45 MB an hour.
"""

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch
from datasets import DatasetDict

from langid.checkpoint import check_config
from langid.config import ModelConfig
from langid.data import options as cli
from langid.errors import LangidError
from langid.hub.publish import push_folder
from langid.languages import DEFAULT_LANGUAGES, NONE, OTHER
from langid.training.augment import AugmentConfig
from langid.training.average_run import check_languages, finish_average
from langid.training.averaging import (
    N_STATISTICS_BATCHES,
    estimate_statistics,
    find_models,
    is_mean,
    load_initial,
)
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import Clips, phone_inventory, prepare_clips, with_trained_labels
from langid.training.description import describe
from langid.training.distributed import World, first_before_others, process_group
from langid.training.inheritance import read_parents
from langid.training.initial import build_model
from langid.training.loop import train_loop
from langid.training.options import check_options
from langid.training.outputs import CHECKPOINT_FILE, RUN, finish_run
from langid.training.resume import check_resumable, run_options
from langid.training.sampling import TRUNK_SHARES, Shares
from langid.training.teacher_options import (
    add_teacher_options,
    clips_to_learn_from,
    open_targets,
    with_teacher_heads,
)
from langid.training.teacher_targets import TeacherTargets
from langid.training.trainer import Optimisation, Trainer
from langid.training.validation import calibrate


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is 0, 2 for input that cannot be used, 130 for Ctrl-C."""
    args = parse_arguments(argv)
    try:
        with process_group(args.device) as world:
            run(args, world)
    except LangidError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        saved = (args.output / CHECKPOINT_FILE).is_file()
        rest = (
            f"go on with --resume (weights so far in {args.output})"
            if saved
            else "no weights yet, but the log-mel computed so far is kept: run the command again"
        )
        print(f"Interrupted: {rest}.")
        return 130
    except OSError as error:
        print(f"train.py: a file cannot be read or written: {error}.", file=sys.stderr)
        return 2
    return 0


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="DATASET",
        help="folders of prepare_data.py, or ids of datasets on the Hub; several are joined",
    )
    data.add_argument("--output", type=Path, required=True, help="folder of this run")
    data.add_argument(
        "--languages",
        type=cli.languages,
        default=DEFAULT_LANGUAGES,
        help="classes; all other speech is 'other' (default: en,fr,de,es,it)",
    )
    data.add_argument(
        "--streaming",
        action="store_true",
        help="read datasets on the Hub from there, once, and keep the log-mel but not their files",
    )
    data.add_argument(
        "--copies",
        type=cli.count,
        default=0,
        help="of each training clip, through random rooms, noise and codecs; every version is "
        "drawn as often (default: 0)",
    )
    data.add_argument(
        "--num-proc",
        type=cli.n_threads,
        default=2,
        help="threads that compute log-mel (default: 2)",
    )

    training = parser.add_argument_group("training")
    training.add_argument(
        "--init",
        metavar="MODEL",
        help="start from a run, a Hub id or 'embedded', or from the mean of several, such as "
        "runs/first=0.7,embedded=0.3: the statistics of batch normalisation are taken anew",
    )
    training.add_argument(
        "--encoder-blocks",
        type=cli.setting("n_encoder_blocks"),
        help="depth of the encoder; blocks that --init lacks begin as no change (default: 4)",
    )
    training.add_argument("--resume", action="store_true", help="go on where this run stopped")
    training.add_argument(
        "--steps",
        type=cli.count,
        default=6000,
        help="updates; 0 writes and evaluates what --init names (default: 6000)",
    )
    training.add_argument(
        "--batch-size", type=cli.positive_int, default=64, help="windows (default: 64)"
    )
    training.add_argument(
        "--learning-rate", type=cli.positive, default=2e-3, help="peak (default: 0.002)"
    )
    training.add_argument(
        "--weight-decay", type=cli.weight, default=0.02, help="AdamW (default: 0.02)"
    )
    training.add_argument(
        "--phone-weight", type=cli.weight, default=0.3, help="of CTC; 0 turns it off"
    )
    training.add_argument(
        "--utterance-share",
        type=cli.whole_share,
        default=0.4,
        help="batches of whole utterances for the phones, on average (default: 0.4)",
    )
    training.add_argument(
        "--dropout", type=cli.share, help="in the encoder (default: that of --init, or 0)"
    )
    training.add_argument(
        "--cutmix",
        type=cli.share,
        default=0.0,
        help="of a window to go on as another one, each language in its share (default: 0)",
    )
    training.add_argument(
        "--validate-every", type=cli.positive_int, default=400, help="steps (default: 400)"
    )
    training.add_argument("--seed", type=cli.seed, default=0)
    training.add_argument("--device", help="torch device (default: cuda where there is one)")
    training.add_argument(
        "--workers", type=cli.n_workers, default=0, help="processes that make batches"
    )
    training.add_argument(
        "--threads", type=cli.n_threads, help="of torch on the CPU (default: its own)"
    )

    add_teacher_options(parser)
    hub = parser.add_argument_group("publishing")
    hub.add_argument("--push-to-hub", metavar="USER/NAME", help="upload the finished run")
    hub.add_argument("--private", action="store_true", help="create the repository as private")
    args = parser.parse_args(argv)
    check_options(parser, args)
    return args


def run(args: argparse.Namespace, world: World) -> None:
    """Data, model, loop, and what is written at the end."""
    if args.threads:
        torch.set_num_threads(args.threads)
    args.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    options = run_options(args, world.size)
    if args.resume:  # before any work
        check_resumable(args.output / CHECKPOINT_FILE, options)

    with first_before_others(world):
        models = find_models(args.init)
    initial = load_initial(models) if models else None
    parents = read_parents(models) if world.is_first else ()
    if not args.steps:
        check_languages(initial.config, args.languages)
    targets = open_targets(args, models)
    with first_before_others(world):
        splits, config = load_data(args, initial.config if initial else ModelConfig(), targets)
    if not args.steps:
        config = initial.config
    train, validation = (prepare_clips(splits[name], config) for name in ("train", "validation"))
    if initial is None:
        config = replace(config, phones=phone_inventory(train))
    config = with_teacher_heads(config, targets)
    check_config(config)  # what could not be read back is not trained
    with first_before_others(world):
        train, config = clips_to_learn_from(train, config, targets, args)
    if args.resume:
        check_resumable(args.output / CHECKPOINT_FILE, options, config)
    batches = make_batches(args, train, config, world)
    same_units = targets is None or not targets.fits_units
    model = build_model(config, initial, same_units).to(args.device)
    if is_mean(args.init) and not args.resume:
        estimate_statistics(model, batches.windows(N_STATISTICS_BATCHES))
    if not args.steps:
        if world.is_first:
            finish_average(
                args.output, model, args.init, models, parents, splits, validation, args.device
            )
            announce(args)
        return
    optimisation = Optimisation(
        args.steps,
        args.learning_rate,
        args.weight_decay,
        args.phone_weight,
        args.seed,
        args.unit_weight,
        args.posterior_weight,
    )
    trainer = Trainer(model, optimisation, args.device, world)
    if world.is_first:
        describe(train, validation, batches, trainer.model)

    history = train_loop(args, trainer, batches, validation)
    if not world.is_first:
        return
    calibrate(args.output, validation, args.device)
    settings = {
        **asdict(optimisation),
        "batch_size": args.batch_size,
        "copies": args.copies,
        "cutmix": args.cutmix,
        "dropout": config.dropout,
        "init": args.init,
        "teacher": args.teacher and Path(args.teacher).name,
        "probes": args.probes,
        "trunk_data": [Path(name).name for name in args.trunk_data],
        "best_step": max(history, key=lambda entry: entry["score"])["step"],
        "processes": world.size,
        "device": args.device.type,
        "hours": round(history[-1]["elapsed_s"] / 3600, 2),
    }
    finish_run(args.output, splits, train, history, settings, parents)
    announce(args)


def announce(args: argparse.Namespace) -> None:
    """Say where the run is, and publish it if that was asked for."""
    print(f"Done: weights, card and figures are in {args.output}.")
    if args.push_to_hub:
        print(f"Published: {push_folder(args.output, args.push_to_hub, RUN, args.private)}")


def load_data(
    args: argparse.Namespace, initial: ModelConfig, targets: TeacherTargets | None
) -> tuple[DatasetDict, ModelConfig]:
    """The splits, and ``initial`` with the labels that they can teach, not calibrated."""
    labels = (*args.languages, OTHER, NONE)
    config = replace(initial, labels=labels, training=(), temperature=1.0)
    if args.encoder_blocks is not None:
        config = replace(config, n_encoder_blocks=args.encoder_blocks)
    if args.dropout is not None:
        config = replace(config, dropout=args.dropout)
    splits = load_training_data(
        args.data,
        config,
        args.seed,
        streaming=args.streaming,
        n_threads=args.num_proc,
        targets=targets,
        n_copies=args.copies,
        trunk_names=args.trunk_data,
    )
    return splits, with_trained_labels(config, splits["train"])


def make_batches(
    args: argparse.Namespace, train: Clips, config: ModelConfig, world: World
) -> TrainingBatches:
    return TrainingBatches(
        train,
        config,
        n_steps=args.steps,
        batch_size=args.batch_size,
        utterance_share=args.utterance_share if args.phone_weight > 0 else 0.0,
        shares=TRUNK_SHARES if args.trunk_data else Shares(),
        augmentation=AugmentConfig(frame_s=config.frame_s, cutmix_probability=args.cutmix),
        seed=args.seed,
        rank=world.rank,
    )


if __name__ == "__main__":
    sys.exit(main())
