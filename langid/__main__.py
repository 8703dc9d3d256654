"""python -m langid: identify recordings, evaluate a folder, measure speed, publish the Space.

Nothing heavy is imported before the arguments are understood, so that ``--help`` answers at once.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from langid.languages import choose_labels, language_name
from langid.page.times import clock
from langid.version import VERSION

if TYPE_CHECKING:
    from langid.evaluation.report import Report
    from langid.identification import Identification
    from langid.identifier import LanguageIdentifier

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
  python -m langid space                         try the Space out, publish it on the Hub

A recording that is called "evaluate", "bench" or "space" is given as ./evaluate and so on.
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
    commands = {"evaluate": evaluate, "bench": bench, "space": space}
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
    parser.add_argument(
        "--audio-track",
        type=int,
        metavar="N",
        help="of files with several audio tracks the N-th (default: the one marked as default)",
    )
    _add_model_options(parser)
    parser.add_argument("--version", action="version", version=f"langid {VERSION}")
    options = parser.parse_args(arguments)
    if "-" in options.files and sys.stdin is None:
        raise CommandError("Standard input is closed: give a file, or pipe a recording in.")

    identifier = _load(options)
    try:
        languages = choose_labels(options.languages, identifier.labels)
    except ValueError as error:
        raise CommandError(str(error)) from error
    inputs = [sys.stdin.buffer if name == "-" else name for name in options.files]
    status = 0
    for key, answer in identifier.identify_many(inputs, languages, options.audio_track):
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
    parser.add_argument(
        "--against",
        metavar="WHISPER",
        help="also measure a Whisper model: a folder of faster-whisper, a Hub id or a name such as "
        "base (needs 'pip install faster-whisper')",
    )
    parser.add_argument(
        "--conditions",
        action="store_true",
        help="also measure what codecs, noise, rooms, speed, level and clipping cost",
    )
    parser.add_argument(
        "--num-proc",
        metavar="N",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="processes that measure the conditions (default: %(default)s)",
    )
    parser.add_argument(
        "--update-card",
        action="store_true",
        help="replace the figures beside the weights: metrics.json, plots and card; of the "
        "embedded weights also those in README.md",
    )
    _add_model_options(parser)
    options = parser.parse_args(arguments)
    if options.num_proc < 1:
        parser.error("--num-proc is at least 1")
    if options.json and not options.json.parent.is_dir():
        raise CommandError(f"There is no folder {options.json.parent} to write the report into.")

    from langid.errors import DataError, TeacherError
    from langid.evaluation.evaluate import evaluate_folder
    from langid.evaluation.text import format_report

    identifier = _load(options)
    weights = _folder_of(identifier) if options.update_card else None
    try:
        report = evaluate_folder(
            identifier,
            options.folder,
            options.split,
            conditions=options.conditions,
            n_processes=options.num_proc,
        )
        if options.against:
            from langid.evaluation.peer import evaluate_peer

            peer = evaluate_peer(options.against, identifier, options.folder, options.split)
            report = replace(report, peer=peer)
        print(format_report(report), flush=True)
        if options.json:
            _write(options.json, report.to_json())
        if weights:
            _update_card(weights, report)
    except (DataError, TeacherError) as error:
        raise CommandError(str(error)) from error
    return 0


def _folder_of(identifier: "LanguageIdentifier") -> Path:
    from langid.checkpoint import EMBEDDED, EMBEDDED_NAME

    folder = EMBEDDED if identifier.source == EMBEDDED_NAME else Path(identifier.source)
    if not folder.is_dir():
        raise CommandError(
            f"--update-card needs weights in a folder, and {identifier.source} is on the Hub: "
            "download it and give its folder as --model."
        )
    return folder


def _update_card(folder: Path, report: "Report") -> None:
    from langid.checkpoint import EMBEDDED
    from langid.evaluation.readme import README, update_readme
    from langid.training.outputs import update_outputs

    try:
        report = update_outputs(folder, report)
        if folder.samefile(EMBEDDED) and README.exists():
            update_readme(report, README)
    except OSError as error:
        raise CommandError(f"The figures in {folder} cannot be replaced: {error}.") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"Cannot write {path}: {error.strerror}.") from error


def bench(arguments: list[str]) -> int:
    """python -m langid bench: see ``langid.evaluation.bench``."""
    from langid.errors import WeightsError
    from langid.evaluation.bench import main as bench_main

    try:
        return bench_main(arguments)
    except WeightsError as error:
        raise CommandError(str(error)) from error


def space(arguments: list[str]) -> int:
    """python -m langid space: see ``langid.hub.space``."""
    from langid.errors import PublishError
    from langid.hub.space import main as space_main

    try:
        return space_main(arguments)
    except PublishError as error:
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
    from langid.errors import DeviceError, WeightsError
    from langid.identifier import LanguageIdentifier

    try:
        return LanguageIdentifier.from_pretrained(
            options.model, revision=options.revision, device=options.device
        )
    except (DeviceError, WeightsError) as error:
        raise CommandError(str(error)) from error


def _lines(name: str, answer: "Identification", timeline: bool) -> list[str]:
    from langid.page.words import describe_shares

    shares = describe_shares(answer.languages).replace("\u00a0", " ")  # for scripts
    what = shares or f"{_named(answer.language)}, {answer.confidence:.1%}"
    lines = [f"{name}: {what}, {answer.duration_s:.1f} s"]
    if timeline:
        lines += [
            f"  {clock(segment.start_s, precise=True)} – {clock(segment.end_s, precise=True)}  "
            f"{_named(segment.language)}, {segment.confidence:.1%}"
            for segment in answer.segments
        ]
    return lines


def _named(code: str) -> str:
    return f"{language_name(code)} ({code})"


def _complain(text: str) -> None:
    """One line on standard error."""
    print(" ".join(text.split()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
