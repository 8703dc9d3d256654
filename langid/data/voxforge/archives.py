"""Archives of VoxForge on disk: where they are, of which language, and what is in them."""

from langid.errors import DataError
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from langid.data.utterance import Drops
from langid.files import text_of_name
from langid.languages import language_code
from langid.data.processes import process_pool
from langid.data.voxforge.archive import (
    ARCHIVE_SUFFIXES,
    ENGLISH_FOLDER,
    Survey,
    archive_stem,
    speaker_of,
    survey_archive,
)
from langid.data.voxforge.manifest import Manifest

SURVEYS_PER_JOB = 8
_UNREADABLE = "cannot be read"
_RATE_FOLDER = re.compile(r"[\d.]+khz_\d+bit")


@dataclass(frozen=True)
class Archive:
    """An archive on disk; ``survey.problem`` says why, if it cannot be used."""

    key: str  # path below the folder of archives as text, with forward slashes
    path: Path
    language: str
    stem: str
    speaker_id: str
    survey: Survey


def find_archives(
    folder: Path,
    languages: Sequence[str],
    manifest: Manifest,
    drops: Drops,
    *,
    sample_rates: Sequence[str] = (),
    n_processes: int = 1,
) -> list[Archive]:
    """Archives of ``languages`` anywhere below a folder, ordered by key.

    The language is the first folder on the way that is called like one (``SpeechCorpus`` is
    English); else the only one asked for; else what the archive's README says. An archive that
    is there at several sample rates counts once, by the order of ``sample_rates`` if these are
    names of folders on the way, a usable one before others; a folder of a rate that is not among
    them, if there are any, is left out. Archives that cannot be used are among those found, as
    they count in the plan. ``drops`` receives them, and what was left out.

    Raises
    ------
    DataError
        If there is no such folder, or no archive in it.
    """
    paths: dict[str, Path] = {}
    for key, path in sorted(_archive_paths(folder)):
        if paths.setdefault(key, path) is not path:
            drops.add("same name as another archive", key)
    if not paths:
        raise DataError(
            f"{folder} holds no archive ({', '.join(ARCHIVE_SUFFIXES)}): give the folder that "
            "prepare_data.py voxforge downloaded to, or one with a folder of archives a language."
        )
    stated = {key: _language_of_path(key) for key in paths}
    if len(languages) == 1:
        stated = {key: language or languages[0] for key, language in stated.items()}
    paths = {key: path for key, path in paths.items() if stated[key] in (None, *languages)}
    for key in [key for key in paths if sample_rates and _has_other_rate(key, sample_rates)]:
        drops.add("another sample rate", key)
        del paths[key]
    surveys = survey_archives(paths, manifest, n_processes)
    usable: dict[tuple[str, str], Archive] = {}
    unusable: dict[tuple[str, str], Archive] = {}
    for key in sorted(paths, key=lambda key: (_preference(key, sample_rates), key)):
        language = stated[key] or surveys[key].language
        if language is None:
            drops.add("language unknown", key)
            continue
        if language not in languages:
            continue
        stem = archive_stem(PurePosixPath(key).name)
        archive = Archive(key, paths[key], language, stem, speaker_of(stem), surveys[key])
        if archive.survey.problem is not None:
            drops.add(f"corrupt archive: {archive.survey.problem}", key)
            unusable.setdefault((language, stem), archive)
        elif usable.setdefault((language, stem), archive) is not archive:
            drops.add("same archive at another sample rate", key)
    return sorted((unusable | usable).values(), key=lambda archive: archive.key)


def survey_archives(
    paths: Mapping[str, Path], manifest: Manifest, n_processes: int
) -> dict[str, Survey]:
    """Surveys by key, from the manifest or made now; made ones are kept at once.

    An archive that cannot be read has that as its problem, for this time.

    Raises
    ------
    DataError
        If a process dies, as for want of memory.
    """
    surveys = {key: manifest.survey(key, path) for key, path in paths.items()}
    unknown = [key for key, survey in surveys.items() if survey is None]
    n_processes = max(1, min(n_processes, len(unknown) // SURVEYS_PER_JOB))
    is_hidden = None if unknown else True  # None: where nobody watches
    with (
        process_pool(n_processes) as pool,
        tqdm(total=len(unknown), unit=" archives", desc="survey", disable=is_hidden) as progress,
    ):
        todo = [paths[key] for key in unknown]
        made = (
            pool.map(survey_readable, todo, chunksize=SURVEYS_PER_JOB)
            if pool
            else map(survey_readable, todo)
        )
        for key, survey in zip(unknown, made, strict=True):
            surveys[key] = survey
            if survey.problem != _UNREADABLE:
                manifest.record_survey(key, paths[key], survey)
            progress.update()
    return surveys


def survey_readable(path: Path) -> Survey:
    """``survey_archive``, but a file that the disk does not give is a problem like others."""
    try:
        return survey_archive(path)
    except OSError:
        return Survey(0, 0.0, None, None, 0, _UNREADABLE, "")


def _archive_paths(folder: Path) -> Iterator[tuple[str, Path]]:
    """Key and path of every archive; hidden ones and unfinished downloads are none."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}.") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(ARCHIVE_SUFFIXES) and not name.startswith("."):
                path = Path(parent, name)
                yield text_of_name(path.relative_to(folder).as_posix()), path


def _language_of_path(key: str) -> str | None:
    for part in key.split("/")[:-1]:
        if part.casefold() == ENGLISH_FOLDER.casefold():
            return "en"
        if len(part) == 3:  # "old" and "wav" are languages, too
            continue
        try:
            return language_code(part)
        except ValueError:
            continue
    return None


def _has_other_rate(key: str, sample_rates: Sequence[str]) -> bool:
    """Whether a folder on the way is called like a sample rate, and none like these."""
    folders = [part.casefold() for part in key.split("/")[:-1]]
    wanted = {rate.casefold() for rate in sample_rates}
    return any(map(_RATE_FOLDER.fullmatch, folders)) and wanted.isdisjoint(folders)


def _preference(key: str, sample_rates: Sequence[str]) -> int:
    parts = key.split("/")[:-1]
    return next((n for n, rate in enumerate(sample_rates) if rate in parts), len(sample_rates))
