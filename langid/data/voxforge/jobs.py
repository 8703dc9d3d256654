"""Surveyed archives of VoxForge → jobs for the builder: which archives, in which splits."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from langid.data.clips import ClipLimits
from langid.data.splits import Stratum, assign_speakers
from langid.data.utterance import Drops, Job, Reading
from langid.data.voxforge.archive import read_archive, unwanted
from langid.data.voxforge.archives import Archive
from langid.data.voxforge.selection import Caps, plan_order, select
from langid.data.voxforge.split_record import read_record, write_record
from langid.errors import DataError

# How far a language's or gender's share of a split may be off: the splits are remembered here.
SPLIT_TOLERANCE = 0.1


def choose_archives(
    archives: Iterable[Archive],
    languages: Iterable[str],
    caps: Caps,
    drops: Drops,
) -> list[Archive]:
    """Archives of each language up to its hours, many speakers first; others are in ``drops``.

    Those that cannot be used keep their places in the order, as they did when the archives were
    fetched: what was fetched is what is chosen.

    Raises
    ------
    DataError
        If a language has no usable archive.
    """
    of_language = defaultdict(list)
    for archive in archives:
        reason = unwanted(archive.language, archive.speaker_id)
        if reason is None:
            of_language[archive.language].append(archive)
        elif archive.survey.problem is None:
            drops.add(reason, archive.key)
    chosen = []
    for language in languages:
        order = plan_order(of_language[language])
        usable_s = {archive.key: archive.survey.usable_s for archive in order}
        if all(duration_s is None for duration_s in usable_s.values()):
            raise DataError(
                f"There is no usable archive of {language!r} ({drops.in_words() or 'none'}): leave "
                "it out of --languages, or give its archives."
            )
        keys = set(select(order, usable_s, caps).chosen)
        for archive in order:
            if archive.key in keys:
                chosen.append(archive)
            elif usable_s[archive.key] is not None:
                drops.add("archive not needed", archive.key)
    return chosen


def split_speakers(
    archives: list[Archive], folder: Path, shares: Mapping[str, float], seed: int
) -> Mapping[str, str]:
    """Speaker → split, by language and gender; kept in ``folder`` for when archives are added."""
    known = read_record(folder, shares, seed)
    split_of = assign_speakers(_strata(archives), shares, seed, known, SPLIT_TOLERANCE)
    if not write_record(folder, shares, seed, {**known, **split_of}):
        print(f"The splits cannot be kept in {folder}: with more archives a few may change.")
    return split_of


def voxforge_jobs(archives: list[Archive], split_of: Mapping[str, str]) -> list[Job]:
    return [
        Job(
            key=archive.key,
            split=split_of[archive.speaker_id],
            n_bytes=archive.survey.n_bytes_unpacked,
            item=archive,
            stamp=archive.survey.digest,
        )
        for archive in archives
    ]


def _strata(archives: list[Archive]) -> dict[str, set[Stratum]]:
    """Of each speaker the languages, each also with the gender that most archives state."""
    languages, genders = defaultdict(set), defaultdict(Counter)
    for archive in archives:
        languages[archive.speaker_id].add(archive.language)
        if archive.survey.gender:
            genders[archive.speaker_id][archive.survey.gender] += 1
    strata = {}
    for speaker, spoken in languages.items():
        strata[speaker] = {(language,) for language in spoken}
        for gender, _ in genders[speaker].most_common(1):
            strata[speaker] |= {(language, gender) for language in spoken}
    return strata


def read_voxforge(job: Job, limits: ClipLimits, max_speaker_s: float) -> Reading:
    """The utterances of an ``Archive``, no more of them than one speaker may give."""
    archive: Archive = job.item
    try:
        return read_archive(
            archive.path, archive.language, limits=limits, max_duration_s_total=max_speaker_s
        )
    except OSError as error:  # it could be read a moment ago, when it was surveyed
        raise DataError(
            f"{archive.path} cannot be read ({error.strerror or error}): mend that, or delete it, "
            "and run the same command again, which goes on from here."
        ) from error
