"""Turn recordings into a Hugging Face dataset that train.py trains on.

    python prepare_data.py folder SRC --output data/mine
    python prepare_data.py speak SENTENCES --output my_voices

SRC is one folder a language (``french/clip.mp3`` or ``french/anna/clip.mp3``), or an audiofolder
with a ``metadata.csv`` (columns ``file_name, language`` and optionally ``split, source, speaker,
licence, synthetic, transcript``). SENTENCES holds ``fr.txt``, ``de.txt``, …: one sentence a line.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from langid.clips import DataError, Drops
from langid.folder import filter_clips, read_folder
from langid.speak import FORMATS, VOICES, read_sentences, speak
from langid.splits import assign_splits
from langid.tally import table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 when the input was at fault, or 130 when interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_folder_command(commands)
    add_speak_command(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted: nothing was written.", file=sys.stderr)
        return 130
    return 0


def add_folder_command(commands) -> None:
    parser = commands.add_parser(
        "folder",
        help="from a folder of recordings",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run_folder)
    parser.add_argument("source", metavar="SRC", type=Path, help="folder of recordings")
    parser.add_argument("--output", required=True, type=Path, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing dataset")
    parser.add_argument("--num-proc", type=_positive_int, default=1, help="decoding processes")

    splitting = parser.add_argument_group("splits (for speakers to whom SRC gives none)")
    splitting.add_argument(
        "--validation", type=_share, default=0.1, metavar="SHARE", help="share of the speakers"
    )
    splitting.add_argument("--seed", type=int, default=0, help="another seed, other speakers")

    choosing = parser.add_argument_group("which clips to keep")
    choosing.add_argument(
        "--min-duration-s",
        type=_seconds,
        default=0.5,
        help="drop shorter recordings, in any case those under 0.3 s",
    )
    choosing.add_argument(
        "--max-duration-s", type=_seconds, default=30.0, help="cut longer ones into pieces"
    )
    choosing.add_argument(
        "--licences", type=_patterns, default=(), metavar="A,B*", help="keep only these licences"
    )
    choosing.add_argument(
        "--exclude-licences",
        type=_patterns,
        default=(),
        metavar="A,B*",
        help='drop these; "unstated" is a clip without a licence',
    )
    synthetic = choosing.add_mutually_exclusive_group()
    synthetic.add_argument(
        "--include-synthetic", action="store_true", default=True, help="keep text-to-speech"
    )
    synthetic.add_argument(
        "--no-synthetic", action="store_false", dest="include_synthetic", help="leave it out"
    )


def run_folder(options: argparse.Namespace) -> None:
    # Imported here: --help and the decoding processes can do without the datasets library.
    from langid.builder import build_dataset, check_output

    check_output(options.output, options.overwrite)
    drops = Drops()
    clips = filter_clips(
        read_folder(options.source, drops),
        drops,
        options.licences,
        options.exclude_licences,
        options.include_synthetic,
    )
    clips = assign_splits(clips, options.validation, options.seed)
    tallies = build_dataset(
        clips,
        options.output,
        drops,
        min_duration_s=options.min_duration_s,
        max_duration_s=options.max_duration_s,
        n_processes=options.num_proc,
    )
    print(f"Kept, in {options.output}:\n{table(tallies)}")
    train_only = sorted(
        {spoken for _, spoken in tallies}
        - {spoken for split, spoken in tallies if split != "train"}
    )
    if train_only:
        print(f"In train only: {', '.join(train_only)}")
    print("\n".join(["Left out:", *drops.lines()]) if drops.counts else "Nothing was left out.")


def add_speak_command(commands) -> None:
    parser = commands.add_parser(
        "speak",
        help="synthetic speech of sentences, as a folder to train on (needs espeak-ng)",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run_speak)
    parser.add_argument(
        "sentences", metavar="SENTENCES", type=Path, help="folder of fr.txt …, a sentence a line"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder to write")
    parser.add_argument(
        "--voices",
        type=int,
        choices=range(1, len(VOICES) + 1),
        default=len(VOICES),
        metavar="N",
        help=f"how many of the {len(VOICES)} voices read",
    )
    parser.add_argument("--max-clips-per-language", type=_positive_int, default=500, metavar="N")
    parser.add_argument("--format", choices=FORMATS, default="opus")
    parser.add_argument("--seed", type=int, default=0)


def run_speak(options: argparse.Namespace) -> None:
    n_clips, mute = speak(
        read_sentences(options.sentences),
        options.output,
        n_voices=options.voices,
        max_clips_per_language=options.max_clips_per_language,
        file_format=options.format,
        seed=options.seed,
    )
    print(f"{n_clips:,} clips in {options.output}; next: prepare_data.py folder {options.output}")
    if mute:
        print(f"{len(mute)} sentences gave no usable sound, such as {mute[0]!r}.")


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 upwards")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to below 1")
    return share


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(pattern.strip() for pattern in text.split(",") if pattern.strip())


if __name__ == "__main__":
    sys.exit(main())
