"""The command line of prepare_data.py: what its commands say of themselves, the options that they
share, and the values of these and of train.py's."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

from pydantic import TypeAdapter, ValidationError

from langid.audio import MIN_DURATION_S
from langid.config import ModelConfig
from langid.data.clips import ClipLimits
from langid.errors import DataError
from langid.languages import parse_languages

MAX_THREADS = 1024
DESCRIPTIONS = {
    "folder": """
SRC is one folder a language (french/clip.mp3 or french/anna/clip.mp3), an audiofolder with a
metadata.csv or metadata.jsonl (columns file_name, language and optionally split, source, speaker,
licence, synthetic, transcript), or Common Voice as it unpacks, one locale or several. Languages may
be tags, codes or names: en-US, deu, Español.
""",
    "voxforge": """
Downloads archives of VoxForge until each language has its hours, and builds a dataset of them.
Nothing is downloaded twice, and Ctrl-C loses nothing: the same command goes on. An hour of speech
is some 90 MB to download and 60 MB in the dataset. Begin with --max-hours 1: with five languages
0.5 GB, eight minutes at 1 MB/s. The default of 20 hours each is up to 9 GB, two and a half hours
at 1 MB/s, and 15 GB of disk. Six languages in full (--max-hours inf --max-minutes-per-speaker inf)
were once 60 GB: 17 hours and 100 GB of disk. From archives on disk, two processes build some 25
hours of speech in a minute.
""",
    "speak": """
SENTENCES holds fr.txt, de.txt, …: one sentence a line. Needs espeak-ng. The result is a folder for
prepare_data.py folder.
""",
    "merge": """
Joins datasets made by this tool (folders, or USER/NAME on the Hub). Speakers of different sources
are different people; a speaker of one source must stand in the same split everywhere. Audio that
occurs twice is kept once, and not for training if one of the two is not.
""",
    "transcribe": """
Writes the transcripts that a dataset lacks with Whisper, on the CPU, which is told the language of
each clip, so that training can learn the phones of all speech. Needs faster-whisper, as does
train.py --teacher: pip install faster-whisper. Transcripts that are there stay; noise, music and
languages that Whisper does not know stay without. The columns transcript_source and
transcript_confidence tell the new ones. What is transcribed once is kept in the cache of the
datasets library.
""",
}


def number(kind: type, is_valid: Callable[[float], bool], what: str) -> Callable[[str], float]:
    """A type for argparse: a number of which ``is_valid`` holds, which is ``what``."""

    def parse(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan  # of which nothing holds
        if not is_valid(number):
            raise argparse.ArgumentTypeError(f"{text} is not {what}")
        return number

    return parse


def setting(name: str) -> Callable[[str], object]:
    """A type for argparse: what may stand in the setting of that name in `ModelConfig`."""
    adapter = TypeAdapter(get_type_hints(ModelConfig, include_extras=True)[name])

    def parse(text: str) -> object:
        try:
            return adapter.validate_strings(text)
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise argparse.ArgumentTypeError(f"{text}: {what[0].lower()}{what[1:]}") from error

    return parse


count = number(int, lambda n: n >= 0, "a whole number from 0 upwards")
positive_int = number(int, lambda n: n >= 1, "a whole number from 1 upwards")
seed = number(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4294967295")
# More than any machine has: each costs memory, and torch refuses too many at the first step only.
n_threads = number(int, lambda n: 1 <= n <= MAX_THREADS, f"a whole number from 1 to {MAX_THREADS}")
n_workers = number(int, lambda n: 0 <= n <= MAX_THREADS, f"a whole number from 0 to {MAX_THREADS}")
positive = number(float, lambda x: 0 < x < math.inf, "a number above 0")
weight = number(float, lambda x: 0 <= x < math.inf, "a number from 0 upwards")
seconds = number(float, lambda s: 0 <= s < math.inf, "a number of seconds")
hours = number(float, lambda h: 0 <= h < math.inf, "a number of hours")
amount = number(float, lambda n: n > 0, "a number above 0, or inf for all")
share = number(float, lambda s: 0 <= s < 1, "a share from 0 to below 1")
whole_share = number(float, lambda s: 0 <= s <= 1, "a share from 0 to 1")


def names(text: str) -> tuple[str, ...]:
    """``"a,b"`` → ``("a", "b")``."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def languages(text: str) -> tuple[str, ...]:
    try:
        return parse_languages(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults where there are some."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_default = action.default not in (None, False, ())
        return super()._get_help_string(action) if has_default else action.help


def add_command(commands, name: str, run: Callable, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=DESCRIPTIONS[name],
        formatter_class=_Help,
    )
    parser.set_defaults(run=run, when_interrupted="what is done is kept; the same command goes on")
    parser.add_argument("--output", required=True, type=Path, help="folder to write")
    return parser


def add_building_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace an existing dataset")
    parser.add_argument("--num-proc", type=positive_int, default=1, help="processes that read")
    hub = parser.add_argument_group("publishing")
    hub.add_argument("--push-to-hub", metavar="USER/NAME", help="upload the finished dataset")
    hub.add_argument("--private", action="store_true", help="create the repository as private")


def add_split_options(parser: argparse.ArgumentParser, test: float) -> None:
    splitting = parser.add_argument_group("splits, by speaker")
    splitting.add_argument(
        "--validation", type=share, default=0.1, metavar="SHARE", help="of speakers"
    )
    splitting.add_argument("--test", type=share, default=test, metavar="SHARE", help="of speakers")
    splitting.add_argument("--seed", type=int, default=0, help="another seed, other speakers")


def add_clip_options(parser: argparse.ArgumentParser, min_duration_s: float):
    choosing = parser.add_argument_group("which clips to keep")
    choosing.add_argument(
        "--min-duration-s",
        type=seconds,
        default=min_duration_s,
        help="drop shorter recordings, in any case those under 0.3 s",
    )
    choosing.add_argument(
        "--max-duration-s", type=amount, default=30.0, help="cut longer ones into pieces"
    )
    choosing.add_argument(
        "--min-speech",
        type=seconds,
        default=0.0,
        metavar="S",
        help="drop recordings with fewer seconds that are louder than their silence",
    )
    return choosing


def clip_limits(options: argparse.Namespace) -> ClipLimits:
    least_s = max(options.min_duration_s, options.min_speech, MIN_DURATION_S)
    if options.max_duration_s < least_s:
        raise DataError(
            f"--max-duration-s {options.max_duration_s:g} leaves no clip: each has at least "
            f"{least_s:g} s, by --min-duration-s, --min-speech or what this tool can use."
        )
    return ClipLimits(options.min_duration_s, options.max_duration_s, options.min_speech)


def split_shares(options: argparse.Namespace) -> dict[str, float]:
    if options.validation + options.test >= 1:
        raise DataError("--validation and --test leave nothing to train on: choose smaller shares.")
    return {"validation": options.validation, "test": options.test}
