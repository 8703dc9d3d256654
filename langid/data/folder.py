"""Folders of labelled recordings → clips, for preparing datasets and for evaluating.

A folder is one of these, the first that fits:

- an audiofolder: ``metadata.csv`` or ``metadata.jsonl`` with ``file_name`` and ``language``, and
  optionally ``split``, ``source``, ``speaker``, ``licence``, ``synthetic`` and ``transcript``;
- Common Voice as it unpacks: ``clips/`` beside ``validated.tsv``, of one locale or several;
- a tree: ``language/recording.mp3`` or ``language/speaker/recording.mp3``, where the languages may
  stand under ``train``, ``validation`` and ``test``.

Languages are what `langid.languages.language_code` reads; others are kept as they are.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from langid.audio import AUDIO_SUFFIXES
from langid.data.clips import Clip
from langid.data.licences import RESTRICTED, UNSTATED, restrictions
from langid.data.splits import SPLITS, split_name
from langid.data.tables import REQUIRED, Table
from langid.data.utterance import ReasonCounts, qualified_speaker
from langid.errors import DataError
from langid.files import text_of_name
from langid.languages import code_or_text

METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
COMMON_VOICE_TABLES = ("validated.tsv", "*/validated.tsv", "*/*/validated.tsv")  # in this order
COMMON_VOICE_COLUMNS = {
    "path": "file_name",
    "locale": "language",
    "client_id": "speaker",
    "sentence": "transcript",
}
_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


def read_folder(
    folder: Path,
    excluded: ReasonCounts,
    source_name: str | None = None,
    *,
    is_test_set: bool = False,
) -> list[Clip]:
    """Clips of a folder, ordered by file name; what is not a clip is counted in ``excluded``.

    Parameters
    ----------
    source_name
        The source of clips whose metadata name none: else "common_voice", or the folder's name.
    is_test_set
        Nothing is trained on: files may be listed twice, be links or be missing, splits may have
        any name, and a row that says too little is an error.

    Raises
    ------
    DataError
        If the folder or its metadata cannot be read, or no recording is found.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the folder that holds the recordings.")
    root = folder.resolve()
    try:
        tables = _find_tables(root)
        name = source_name or text_of_name(root.name)
        read = _read_tables(root, tables, source_name, excluded, is_test_set)
        found = read if tables else _read_tree(root, name, excluded)
        clips = sorted(found, key=lambda clip: clip.file_name)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror}.") from error
    if not clips:
        raise DataError(
            f"No recording found in {folder}: give it a {METADATA_NAMES[0]} with the columns "
            "file_name and language, or one subfolder a language."
        )
    return clips


def read_test_set(folder: Path, split: str | None = None) -> list[Clip]:
    """The labelled clips of a folder and split to evaluate on; every file is there.

    Raises
    ------
    DataError
        With a sentence that says what is missing.
    """
    clips = read_folder(folder, ReasonCounts(), is_test_set=True)
    if split is not None:
        known = sorted({clip.split for clip in clips if clip.split})
        wanted = split_name(split) or split.strip().lower()
        clips = [c for c in clips if c.split and wanted in (split_name(c.split), c.split.lower())]
        if not clips:
            raise DataError(
                f"{folder} has no clip of the split {split!r}: "
                + (f"its splits are {', '.join(known)}." if known else "leave --split out.")
            )
    missing = [clip.file_name for clip in clips if not clip.path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(clips)} clips of {folder} are missing, such as "
            f"{missing[0]}: complete the folder or correct its list."
        )
    return clips


def filter_clips(
    clips: list[Clip],
    excluded: ReasonCounts,
    licences: tuple[str, ...] = (),
    exclude_licences: tuple[str, ...] = (),
    include_synthetic: bool = True,
) -> list[Clip]:
    """Clips whose licence matches, the others counted in ``excluded``.

    The patterns take ``*`` and any case (``"cc0*"``); ``"unstated"`` stands for no licence and
    ``"restricted"`` for every one that asks for more than naming the author.
    Empty ``licences`` allow all; ``exclude_licences`` win over ``licences``.
    """

    def matches(licence: str, patterns: tuple[str, ...]) -> bool:
        return any(
            fnmatchcase(licence.lower(), pattern)
            or (pattern == RESTRICTED and bool(restrictions(licence)))
            for pattern in map(str.lower, patterns)
        )

    kept = []
    for clip in clips:
        licence = clip.licence or UNSTATED
        if clip.synthetic and not include_synthetic:
            excluded.add("synthetic", clip.file_name)
        elif licences and not matches(licence, licences):
            excluded.add("licence not asked for", clip.file_name)
        elif matches(licence, exclude_licences):
            excluded.add("licence excluded", clip.file_name)
        else:
            kept.append(clip)
    return kept


def joined_languages(clips: Iterable[Clip]) -> list[str]:
    """A sentence for each language that is written in several ways, or as a variety."""
    written = defaultdict(set)
    for clip in clips:
        written[clip.language].add(clip.language_text)
    return [
        f"{', '.join(sorted(texts))}: one language, {code}."
        for code, texts in sorted(written.items())
        if len(texts) > 1 or any("-" in text.replace("_", "-") for text in texts - {code})
    ]


def _find_tables(root: Path) -> list[Table]:
    for name in METADATA_NAMES:
        if (root / name).is_file():
            return [Table(root / name)]
    for pattern in COMMON_VOICE_TABLES:
        paths = [path for path in root.glob(pattern) if (path.parent / "clips").is_dir()]
        if paths:
            return [
                Table(
                    path,
                    (path.parent.relative_to(root) / "clips").as_posix(),
                    COMMON_VOICE_COLUMNS,
                    {
                        "language": path.parent.name,  # early releases have no locale
                        "source": "common_voice",  # people keep their client_id over the releases
                        "licence": "CC0-1.0",
                    },
                )
                for path in sorted(paths)
            ]
    return []


def _read_tables(
    root: Path,
    tables: list[Table],
    source_name: str | None,
    excluded: ReasonCounts,
    is_test_set: bool,
) -> Iterator[Clip]:
    listed = {table.path.relative_to(root).as_posix() for table in tables}
    for table in tables:
        for place, row in table.rows():
            if is_test_set and not all(row.get(name) for name in REQUIRED):
                raise DataError(f"{table.path}, {place}: give both file_name and language.")
            if not row.get("file_name"):
                excluded.add("no file_name", place)
                continue
            path = PurePath(table.folder, row["file_name"]).as_posix()
            problem = None
            if not is_test_set:
                problem = "listed twice" if path in listed else _problem(root, path, row)
            listed.add(path)
            if problem is not None:
                excluded.add(problem, path)
                continue
            source = row.get("source") or source_name or table.defaults.get("source")
            facts = row | {"source": source or text_of_name(root.name)}
            yield _clip(root, path, facts, f"{table.path.name}, {place}", is_test_set)
    if is_test_set:
        return
    for file in _files(root, excluded):
        if file.as_posix() not in listed:
            unlisted = f"not in {tables[0].path.name}, ignored"
            excluded.add(unlisted, text_of_name(file.as_posix()))


def _clip(root: Path, path: str, row: dict[str, str], place: str, any_split: bool) -> Clip:
    split = row.get("split") or None
    if split and not any_split:
        split = split_name(split)
        if split is None:
            raise DataError(
                f"{place}: {row['split']!r} is not a split; write {', '.join(SPLITS)} or leave it "
                "empty."
            )
    synthetic = row.get("synthetic", "").lower()
    if synthetic not in _YES + _NO:
        raise DataError(f"{place}: synthetic is {row['synthetic']!r}; write 1 or 0.")
    return Clip(
        path=root / path,
        file_name=path,
        language=code_or_text(row["language"]),
        speaker_id=qualified_speaker(row.get("speaker") or _stem(path), row["source"]),
        source=row["source"],
        split=split,
        licence=row.get("licence") or None,
        synthetic=synthetic in _YES,
        transcript=row.get("transcript") or None,
        language_text=row["language"],
    )


def _read_tree(root: Path, source_name: str, excluded: ReasonCounts) -> Iterator[Clip]:
    names = set()
    for path in _files(root, excluded):
        name = text_of_name(path.as_posix())
        folders = name.split("/")[:-1]
        split = split_name(folders[0]) if folders else None
        if split is not None:
            del folders[0]
        if path.name.startswith(".") or path.suffix.lower() not in AUDIO_SUFFIXES:
            excluded.add("not audio, ignored", name)
        elif not folders:
            excluded.add("not in a language's folder", name)
        elif (problem := _problem(root, path.as_posix(), {"language": folders[0]})) is not None:
            excluded.add(problem, name)
        elif name in names:  # as text
            excluded.add("same name as another file", name)
        else:
            names.add(name)
            speaker = folders[1] if len(folders) > 1 else _stem(name)
            yield Clip(
                path=root / path,
                file_name=name,
                language=code_or_text(folders[0]),
                speaker_id=f"{source_name}:{speaker}",
                source=source_name,
                split=split,
                language_text=folders[0],
            )


def _files(root: Path, excluded: ReasonCounts) -> Iterator[PurePath]:
    """Paths of all files below ``root``, relative to it; linked folders are only counted."""

    def unreadable(error: OSError) -> None:
        excluded.add("folder cannot be read", text_of_name(os.path.relpath(error.filename, root)))

    for folder, subfolders, names in os.walk(root, onerror=unreadable):
        relative = Path(folder).relative_to(root)
        for name in subfolders:
            if (Path(folder) / name).is_symlink():
                linked = text_of_name((relative / name).as_posix())
                excluded.add("linked folder, not followed", linked)
        for name in names:
            yield relative / name


def _problem(root: Path, path: str, row: dict[str, str]) -> str | None:
    """Why a recording cannot be taken, if it cannot: its language, or its file below ``root``."""
    if not row.get("language"):
        return "no language"
    if "\0" in path:
        return "missing file"
    if not (root / path).resolve().is_relative_to(root):
        return "path leaves the folder"
    return None if (root / path).is_file() else "missing file"


def _stem(path: str) -> str:
    return PurePath(path).with_suffix("").as_posix()
