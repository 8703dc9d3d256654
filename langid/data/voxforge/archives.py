"""Archives of VoxForge on disk: where they are, of which language, and what is in them."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from langid.data.processes import process_pool, run_in_order
from langid.data.utterance import ReasonCounts
from langid.data.voxforge.archive import (
    ARCHIVE_SUFFIXES,
    ENGLISH_FOLDER,
    Archive,
    Survey,
    survey_archive,
)
from langid.data.voxforge.manifest import Manifest
from langid.errors import DataError
from langid.files import text_of_name
from langid.languages import language_code

MIN_SURVEYS_PER_PROCESS = 8  # fewer are made before another process has started
_UNREADABLE = "cannot be read"
_RATE_FOLDER = re.compile(r"[\d.]+khz_\d+bit")


def find_archives(
    folder: Path,
    languages: Sequence[str],
    manifest: Manifest,
    excluded: ReasonCounts,
    *,
    listed: Sequence[Archive] = (),
    sample_rates: Sequence[str] = (),
    n_processes: int = 1,
) -> list[Archive]:
    """Archives of ``languages`` anywhere below a folder, surveyed, and the server's; by key.

    The language is the first folder on the way that is called like one (``SpeechCorpus`` is
    English); else the only one asked for; else what the archive's README says. An archive that
    is there at several sample rates counts once, by the order of ``sample_rates`` if these are
    names of folders on the way, a usable one before others; a folder of a rate that is not among
    them, if there are any, is left out. Archives that cannot be used are among those found, as
    they count in the plan. ``excluded`` receives them, and what was left out.

    Of ``listed``, what the server has, those are among the result that are not in the folder.

    Raises
    ------
    DataError
        If there is no such folder, or no archive in it and none listed.
    """
    paths = _archive_paths(folder, excluded)
    if not paths and not listed:
        raise DataError(
            f"{folder} holds no archive ({', '.join(ARCHIVE_SUFFIXES)}): give the folder that "
            "prepare_data.py voxforge downloaded to, or one with a folder of archives a language."
        )
    stated = {key: _language_of_path(key) for key in paths}
    if len(languages) == 1:
        stated = {key: language or languages[0] for key, language in stated.items()}
    paths = {key: path for key, path in paths.items() if stated[key] in (None, *languages)}
    for key in [key for key in paths if sample_rates and _has_other_rate(key, sample_rates)]:
        excluded.add("another sample rate", key)
        del paths[key]
    archives = [archive for archive in listed if archive.key not in paths]
    for key, survey in survey_archives(paths, manifest, n_processes).items():
        language = stated[key] or survey.language
        if language is None:
            excluded.add("language unknown", key)
        elif language in languages:
            archives.append(Archive(language, key, paths[key], survey=survey))
            if survey.problem is not None:
                excluded.add(f"corrupt archive: {survey.problem}", key)
    archives.sort(key=lambda archive: (_preference(archive.key, sample_rates), archive.key))
    return sorted(_one_of_each(archives, excluded), key=lambda archive: archive.key)


def _one_of_each(archives: Iterable[Archive], excluded: ReasonCounts) -> Iterable[Archive]:
    """Of several with one name the first that can be used, or else the first."""
    usable: dict[tuple[str, str], Archive] = {}
    unusable: dict[tuple[str, str], Archive] = {}
    for archive in archives:
        is_usable = archive.survey is None or archive.survey.problem is None
        kept = usable if is_usable else unusable
        first = kept.setdefault((archive.language, archive.stem), archive)
        if is_usable and first is not archive and archive.path is not None:
            excluded.add("same archive at another sample rate", archive.key)
    return (unusable | usable).values()


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
    n_processes = max(1, min(n_processes, len(unknown) // MIN_SURVEYS_PER_PROCESS))
    is_hidden = None if unknown else True  # None: where nobody watches
    with (
        process_pool(n_processes) as pool,
        tqdm(total=len(unknown), unit=" archives", desc="survey", disable=is_hidden) as progress,
    ):
        todo = [paths[key] for key in unknown]
        made = run_in_order(pool, survey_readable, todo, n_processes, lambda path: 0)
        for key, (_, survey) in zip(unknown, made, strict=True):
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


def _archive_paths(folder: Path, excluded: ReasonCounts) -> dict[str, Path]:
    """Paths of the archives by key; hidden files and unfinished downloads are none."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}.") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(ARCHIVE_SUFFIXES) and not name.startswith("."):
                path = Path(parent, name)
                found.append((text_of_name(path.relative_to(folder).as_posix()), path))
    paths: dict[str, Path] = {}
    for key, path in sorted(found):
        if paths.setdefault(key, path) is not path:
            excluded.add("same name as another archive", key)
    return paths


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
