"""python -m langid: identify recordings, evaluate a folder, or measure speed.

Nothing heavy is imported before the arguments are understood, so that ``--help`` answers at once.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from langid.languages import language_code, language_name
from langid.version import VERSION

if TYPE_CHECKING:
    from langid.identifier import Identification, LanguageIdentifier

BROKEN_PIPE = 141  # what a shell reports of a program that SIGPIPE ended
INTERRUPTED = 130

EPILOG = """\
examples:
  python -m langid talk.mp3 interview.m4a        one line a file
  python -m langid --timeline podcast.mp3        which language is spoken when
  python -m langid --languages en,fr talk.mp3    choose between two languages
  python -m langid --json *.wav > answers.jsonl  one JSON object a line
  ffmpeg -i film.mkv -f wav - | python -m langid -

other commands, each with a --help of its own:
  python -m langid evaluate FOLDER               accuracy on labelled clips
  python -m langid bench                         speed and memory on this machine

A recording that is called "evaluate" or "bench" is given as ./evaluate or ./bench.
Exit status: 0, or 2 if any file failed, with a line on standard error for each.
"""


class CommandError(Exception):
    """The command cannot be done; the message is one sentence that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names need not be text
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    commands = {"evaluate": evaluate, "bench": bench}
    try:
        if arguments and arguments[0] in commands:
            return commands[arguments[0]](arguments[1:])
        return identify(arguments)
    except CommandError as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:  # the reader, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED


def identify(arguments: list[str]) -> int:
    """python -m langid FILE…: answers on standard output as they come."""
    parser = argparse.ArgumentParser(
        prog="python -m langid",
        description="Say which language is spoken in recordings.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="audio or video; - reads standard input"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--timeline", action="store_true", help="also list the segments")
    parser.add_argument(
        "--languages",
        metavar="en,fr",
        help='choose among these only (default: all, and "other" and "none")',
    )
    _add_model_options(parser)
    parser.add_argument("--version", action="version", version=f"langid {VERSION}")
    options = parser.parse_args(arguments)
    if "-" in options.files and sys.stdin is None:
        raise CommandError("Standard input is closed: give a file, or pipe a recording in.")

    identifier = _load(options)
    languages = _candidates(options.languages, identifier.labels)
    inputs = [sys.stdin.buffer if name == "-" else name for name in options.files]
    status = 0
    try:
        answers = identifier.identify_many(inputs, languages)
    except ValueError as error:  # candidates that the model does not know
        raise CommandError(str(error)) from error
    for key, answer in answers:
        name = key if isinstance(key, str) else "-"
        if isinstance(answer, Exception):
            _complain(f"{name}: {answer}")
            status = 2
            continue
        for warning in answer.warnings:
            _complain(f"{name}: warning: {warning}")
        if options.json:
            print(json.dumps({"file": name, **answer.to_dict()}), flush=True)
        else:
            print("\n".join(_lines(name, answer, options.timeline)), flush=True)
    return status


def evaluate(arguments: list[str]) -> int:
    """python -m langid evaluate FOLDER: tables on standard output, figures as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m langid evaluate",
        description="Measure a model on labelled clips: an audiofolder with a metadata.csv "
        "(columns file_name and language, optionally source and split), or one subfolder a "
        "language. Other languages than the model's count as other, noise and music as none.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--split", help="only the clips of this split, such as dev")
    parser.add_argument("--json", metavar="OUT.json", type=Path, help="write the report there")
    _add_model_options(parser)
    options = parser.parse_args(arguments)
    if options.json and not options.json.parent.is_dir():
        raise CommandError(f"There is no folder {options.json.parent} to write the report into.")

    from langid.errors import DataError
    from langid.evaluation.evaluate import evaluate_folder
    from langid.evaluation.report import format_report

    try:
        report = evaluate_folder(_load(options), options.folder, options.split)
    except DataError as error:
        raise CommandError(str(error)) from error
    print(format_report(report), flush=True)
    if options.json:
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        try:
            options.json.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"Cannot write {options.json}: {error.strerror}.") from error
    return 0


def bench(arguments: list[str]) -> int:
    """python -m langid bench: see ``langid.evaluation.bench``."""
    from langid.errors import WeightsError
    from langid.evaluation.bench import main as bench_main

    try:
        return bench_main(arguments)
    except WeightsError as error:
        raise CommandError(str(error)) from error


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        metavar="M",
        help="folder of weights or Hugging Face Hub repository (default: LANGID_MODEL in the "
        "environment, then the embedded weights)",
    )
    group.add_argument("--revision", help="branch, tag or commit of a Hub repository")
    group.add_argument("--device", help="such as cuda (default: cpu)")


def _load(options: argparse.Namespace) -> "LanguageIdentifier":
    from langid.errors import WeightsError
    from langid.identifier import LanguageIdentifier

    try:
        return LanguageIdentifier.from_pretrained(
            options.model, revision=options.revision, device=options.device
        )
    except WeightsError as error:
        raise CommandError(str(error)) from error
    except (RuntimeError, AssertionError) as error:  # torch's ways to refuse a device
        if options.device is None:
            raise
        reason = str(error).splitlines()[0]
        raise CommandError(f"The device {options.device!r} cannot be used: {reason}") from error


def _candidates(text: str | None, labels: Sequence[str]) -> list[str] | None:
    """Labels of a comma-separated list of labels, codes and English names."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return [part if part in labels else language_code(part) for part in parts]
    except ValueError as error:
        raise CommandError(str(error)) from error


def _lines(name: str, answer: "Identification", timeline: bool) -> list[str]:
    lines = [
        f"{name}: {_named(answer.language)}, {answer.confidence:.1%}, {answer.duration_s:.1f} s"
    ]
    if timeline:
        lines += [
            f"  {_clock(segment.start_s)} – {_clock(segment.end_s)}  "
            f"{_named(segment.language)}, {segment.confidence:.1%}"
            for segment in answer.segments
        ]
    return lines


def _named(code: str) -> str:
    return f"{language_name(code)} ({code})"


def _clock(time_s: float) -> str:
    """``3725.04`` → ``"1:02:05.0"``."""
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{tenths / 10:04.1f}"


def _complain(text: str) -> None:
    """One line on standard error."""
    print(" ".join(text.split()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
