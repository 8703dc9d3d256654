"""What of train.py's options is wrong before any data is read."""

import argparse

import torch

from langid.errors import DeviceError
from langid.model import usable_device
from langid.training.distributed import own_device
from langid.training.outputs import CHECKPOINT_FILE
from langid.training.teacher_options import check_teacher_options


def check_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End the command, with exit code 2, where options do not fit each other, the folder of the run
    or this machine. ``args.device`` becomes a `torch.device` that can be used."""
    if not args.steps:
        if not args.init:
            parser.error("--steps 0 trains nothing: give --init with the weights to evaluate.")
        for name in ("resume", "teacher", "encoder_blocks"):
            if getattr(args, name) is not parser.get_default(name):
                parser.error(f"--steps 0 trains nothing: leave --{name.replace('_', '-')} out.")
    check_teacher_options(parser, args)
    if args.output.is_file():
        parser.error(f"{args.output} is a file: give a folder for --output.")
    if args.resume and not (args.output / CHECKPOINT_FILE).is_file():
        parser.error(f"{args.output} holds no {CHECKPOINT_FILE}: start without --resume.")
    if not args.resume and (args.output / CHECKPOINT_FILE).is_file():
        parser.error(f"{args.output} holds a run: go on with --resume or choose another folder.")
    name = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        args.device = usable_device(own_device(name))
    except DeviceError as error:
        parser.error(str(error))
