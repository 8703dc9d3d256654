"""Make a Hugging Face dataset that train.py trains on, from VoxForge or one's own recordings.

    python prepare_data.py voxforge --output data/voxforge --max-hours 1      # to begin with
    python prepare_data.py folder my_recordings --output data/mine
    python prepare_data.py merge data/voxforge data/mine --output data/all
    python prepare_data.py transcribe data/all --output data/transcribed
    python prepare_data.py speak sentences --output my_voices

Every dataset is a folder of Parquet files with a card (README.md), split by speaker, ready for
train.py --data and for --push-to-hub USER/NAME. An interrupted build goes on when it is called
again. ``prepare_data.py COMMAND --help`` says more of each.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from langid.data import options as cli
from langid.data.speak import FORMATS, VOICES, read_sentences, speak
from langid.data.utterance import ReasonCounts
from langid.data.voxforge.index import DEFAULT_BASE_URL, DEFAULT_SAMPLE_RATES
from langid.errors import DataError, TeacherError
from langid.files import text_of_name
from langid.languages import DEFAULT_LANGUAGES

# Options that decide where and how, not what the dataset holds.
_NO_SETTINGS = {
    *("run", "when_interrupted", "output", "overwrite", "num_proc", "push_to_hub", "private"),
    *("base_url", "workers", "downloads", "archives"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 when the input was at fault, or 130 when interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_voxforge_command(commands)
    add_folder_command(commands)
    add_merge_command(commands)
    add_transcribe_command(commands)
    add_speak_command(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (DataError, TeacherError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"Interrupted: {options.when_interrupted}.", file=sys.stderr)
        return 130
    return 0


def add_voxforge_command(commands) -> None:
    parser = cli.add_command(commands, "voxforge", run_voxforge, "from VoxForge")
    parser.add_argument(
        "--languages",
        type=cli.languages,
        default=",".join(DEFAULT_LANGUAGES),
        metavar="A,B",
        help="codes or English names",
    )
    parser.add_argument(
        "--max-hours", type=cli.amount, default=20.0, help="of each language; inf for all"
    )
    parser.add_argument(
        "--max-minutes-per-speaker",
        type=cli.amount,
        default=10.0,
        metavar="MINUTES",
        help="in each language; inf for all",
    )
    source = parser.add_argument_group("where the archives come from")
    source.add_argument(
        "--base-url",
        metavar="URL",
        default=DEFAULT_BASE_URL,
        help="of a mirror: all before /LANGUAGE/",
    )
    source.add_argument(
        "--sample-rates",
        type=cli.names,
        default=",".join(DEFAULT_SAMPLE_RATES),
        metavar="A,B",
        help="folders of the server",
    )
    source.add_argument("--workers", type=cli.positive_int, default=4, help="connections")
    source.add_argument(
        "--downloads",
        type=Path,
        metavar="DIR",
        help="where archives are kept (default: OUTPUT-archives)",
    )
    source.add_argument(
        "--archives", type=Path, metavar="DIR", help="use those there, without the network"
    )
    cli.add_building_options(parser)
    cli.add_split_options(parser, test=0.1)
    cli.add_clip_options(parser, min_duration_s=1.0)


def run_voxforge(options: argparse.Namespace) -> None:
    from langid.data.builder import JOURNAL_FILE, work_path
    from langid.data.card_texts import VOXFORGE
    from langid.data.voxforge.fetch import DOWNLOAD_FAILED, plan_voxforge
    from langid.data.voxforge.plan import read_planned

    target = _target(options)
    excluded = ReasonCounts()
    beside = options.output.with_name(options.output.name + "-archives")
    folder = options.archives or options.downloads or beside
    plan = plan_voxforge(
        folder,
        excluded,
        target.settings,
        cli.split_shares(options),
        resumes=(work_path(options.output) / JOURNAL_FILE).exists() and not options.overwrite,
        base_url=None if options.archives else options.base_url,
        n_workers=options.workers,
        n_processes=options.num_proc,
    )
    target.build(
        jobs=plan.jobs(),
        languages=options.languages,
        read=partial(read_planned, folder=folder, limits=cli.clip_limits(options)),
        excluded=excluded,
        text=VOXFORGE,
        unit="archive",
    )
    n_failed = sum(n for why, n in excluded.counts.items() if why.startswith(DOWNLOAD_FAILED))
    if n_failed:
        print(f"{n_failed:,} archives were not downloaded: --overwrite tries again, and adds them.")


def add_folder_command(commands) -> None:
    parser = cli.add_command(commands, "folder", run_folder, "from a folder of recordings")
    parser.add_argument("source", metavar="SRC", type=Path, help="folder of recordings")
    parser.add_argument(
        "--source-name",
        metavar="NAME",
        help="tells these recordings from others in a merge (default: the folder's name)",
    )
    cli.add_building_options(parser)
    cli.add_split_options(parser, test=0.0)
    choosing = cli.add_clip_options(parser, min_duration_s=0.5)
    choosing.add_argument(
        "--licences", type=cli.names, default=(), metavar="A,B*", help="keep only these licences"
    )
    choosing.add_argument(
        "--exclude-licences",
        type=cli.names,
        default=(),
        metavar="A,B*",
        help='drop these; "unstated" is a clip without a licence, "restricted" every licence that '
        "asks for more than naming the author, and none stated",
    )
    synthetic = choosing.add_mutually_exclusive_group()
    synthetic.add_argument(
        "--include-synthetic", action="store_true", default=True, help="keep text-to-speech"
    )
    synthetic.add_argument(
        "--no-synthetic", action="store_false", dest="include_synthetic", help="leave it out"
    )


def run_folder(options: argparse.Namespace) -> None:
    from langid.data.card_texts import FOLDER
    from langid.data.clips import read_recording, recording_jobs
    from langid.data.folder import filter_clips, joined_languages, read_folder
    from langid.data.splits import assign_splits

    target = _target(options)
    excluded = ReasonCounts()
    clips = filter_clips(
        read_folder(options.source, excluded, options.source_name),
        excluded,
        options.licences,
        options.exclude_licences,
        options.include_synthetic,
    )
    clips = assign_splits(clips, cli.split_shares(options), options.seed)
    read = partial(read_recording, limits=cli.clip_limits(options))
    target.build(
        jobs=recording_jobs(clips),
        languages={clip.language for clip in clips},
        read=read,
        excluded=excluded,
        text=FOLDER,
        unit="clip",
    )
    for sentence in joined_languages(clips):
        print(sentence)


def add_merge_command(commands) -> None:
    parser = cli.add_command(commands, "merge", run_merge, "several datasets to one")
    parser.add_argument(
        "sources", metavar="DATASET", nargs="+", help="folder of a dataset, or USER/NAME"
    )
    cli.add_building_options(parser)


def run_merge(options: argparse.Namespace) -> None:
    from langid.data.card_texts import MERGED
    from langid.data.merge import find_dataset, merge_jobs, read_row_group

    target = _target(options)
    jobs, languages = merge_jobs({source: find_dataset(source) for source in options.sources})
    target.build(
        jobs=jobs,
        languages=languages,
        read=read_row_group,
        excluded=ReasonCounts(),
        text=MERGED,
        unit="part",
    )


def add_transcribe_command(commands) -> None:
    parser = cli.add_command(commands, "transcribe", run_transcribe, "the transcripts it lacks")
    parser.add_argument("dataset", metavar="DATASET", help="folder of a dataset, or USER/NAME")
    parser.add_argument(
        "--model",
        default="base",
        help="a multilingual Whisper model: a folder of faster-whisper, a Hub id or a name such as "
        "small",
    )
    parser.add_argument(
        "--min-confidence",
        type=cli.share,
        default=0.6,
        metavar="P",
        help="leave clips without transcript where Whisper is less sure: its mean probability of "
        "a token",
    )
    cli.add_building_options(parser)


def run_transcribe(options: argparse.Namespace) -> None:
    from langid.data.card_texts import TRANSCRIBED
    from langid.data.merge import find_dataset
    from langid.data.transcripts import transcript_jobs
    from langid.training.transcriber import open_transcriber, transcribing_reader

    target = _target(options)
    folder = find_dataset(options.dataset)
    transcriber = open_transcriber(options.model)
    jobs, languages = transcript_jobs(options.dataset, folder, transcriber)
    target.build(
        jobs=jobs,
        languages=languages,
        read=transcribing_reader(options.model, options.min_confidence),
        excluded=ReasonCounts(),
        text=TRANSCRIBED,
        unit="h",
    )


def add_speak_command(commands) -> None:
    parser = cli.add_command(commands, "speak", run_speak, "sentences read aloud, as a folder")
    parser.set_defaults(when_interrupted="nothing was written")
    parser.add_argument("sentences", metavar="SENTENCES", type=Path, help="folder of fr.txt …")
    parser.add_argument(
        "--voices",
        type=int,
        choices=range(1, len(VOICES) + 1),
        default=len(VOICES),
        metavar="N",
        help=f"how many of the {len(VOICES)} voices read",
    )
    parser.add_argument(
        "--mbrola", action="store_true", help="and the MBROLA voices that are installed"
    )
    parser.add_argument("--max-clips-per-language", type=cli.positive_int, default=500, metavar="N")
    parser.add_argument("--format", choices=FORMATS, default="opus")
    parser.add_argument("--seed", type=int, default=0)


def run_speak(options: argparse.Namespace) -> None:
    n_clips, mute = speak(
        read_sentences(options.sentences),
        options.output,
        n_voices=options.voices,
        mbrola=options.mbrola,
        max_clips_per_language=options.max_clips_per_language,
        file_format=options.format,
        seed=options.seed,
    )
    print(f"{n_clips:,} clips in {options.output}; next: prepare_data.py folder {options.output}")
    if mute:
        print(f"{len(mute)} sentences gave no usable sound, such as {mute[0]!r}.")


def _target(options: argparse.Namespace):
    """Where the dataset goes, checked before any work is done."""
    # Imported here: --help and the decoding processes can do without the datasets library.
    from langid.data.prepare import Target

    settings = {
        name: text_of_name(str(value)) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name not in _NO_SETTINGS
    }
    target = Target(
        output=options.output,
        settings=json.loads(json.dumps(settings)),  # as they are when they are read back
        overwrite=options.overwrite,
        repo_id=options.push_to_hub,
        private=options.private,
        n_processes=options.num_proc,
    )
    return target.checked()


if __name__ == "__main__":
    sys.exit(main())
