"""What a folder of recordings is: an audiofolder with metadata.csv, or one folder a language."""

import csv
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from langid.audio import AUDIO_SUFFIXES
from langid.data.clips import Clip
from langid.data.licences import UNSTATED
from langid.data.splits import SPLITS, split_name
from langid.data.utterance import Drops
from langid.errors import DataError
from langid.files import text_of_name
from langid.languages import language_code

METADATA_NAME = "metadata.csv"
_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


def read_folder(source: Path, drops: Drops, source_name: str | None = None) -> list[Clip]:
    """Clips of a folder, ordered by file name; what is not a clip is counted in ``drops``.

    With ``metadata.csv``: columns ``file_name`` and ``language``, and optionally ``split``,
    ``source``, ``speaker``, ``licence``, ``synthetic`` and ``transcript``. Without it:
    ``language/recording.mp3`` or ``language/speaker/recording.mp3``, where ``language`` is a
    code or an English name (others are kept as they are), each recording without a speaker is
    its own, and the languages may stand under ``train``, ``validation`` and ``test``.
    ``source_name`` is the source of clips whose metadata name none: else the folder's name.

    Raises
    ------
    DataError
        If the folder or its metadata cannot be read, or no recording is found.
    """
    if not source.is_dir():
        raise DataError(f"{source} is not a folder: give the folder that holds the recordings.")
    metadata = source / METADATA_NAME
    read = _read_metadata if metadata.is_file() else _read_tree
    try:
        name = source_name or text_of_name(source.resolve().name)
        clips = sorted(read(source, name, drops), key=lambda clip: clip.file_name)
    except OSError as error:
        raise DataError(f"{error.filename or source} cannot be read: {error.strerror}.") from error
    if not clips:
        raise DataError(
            f"No recording found in {source}: give it a {METADATA_NAME} with the columns "
            "file_name and language, or one subfolder a language."
        )
    return clips


def filter_clips(
    clips: list[Clip],
    drops: Drops,
    licences: tuple[str, ...] = (),
    exclude_licences: tuple[str, ...] = (),
    include_synthetic: bool = True,
) -> list[Clip]:
    """Clips whose licence matches, the others counted in ``drops``.

    The patterns take ``*`` and any case (``"cc0*"``); ``"unstated"`` stands for no licence.
    Empty ``licences`` allow all; ``exclude_licences`` win over ``licences``.
    """

    def matches(licence: str, patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(licence.lower(), pattern.lower()) for pattern in patterns)

    kept = []
    for clip in clips:
        licence = clip.licence or UNSTATED
        if clip.synthetic and not include_synthetic:
            drops.add("synthetic", clip.file_name)
        elif licences and not matches(licence, licences):
            drops.add("licence not asked for", clip.file_name)
        elif matches(licence, exclude_licences):
            drops.add("licence excluded", clip.file_name)
        else:
            kept.append(clip)
    return kept


def _read_metadata(source: Path, source_name: str, drops: Drops) -> Iterator[Clip]:
    rows = _metadata_rows(source / METADATA_NAME)
    root = source.resolve()
    listed = {METADATA_NAME}
    for number, row in enumerate(rows, start=2):
        file_name = row.get("file_name", "")
        if not file_name:
            drops.add("no file_name", f"row {number}")
            continue
        path = PurePath(file_name).as_posix()
        if path in listed:
            drops.add("listed twice", file_name)
            continue
        listed.add(path)
        if not row.get("language"):
            drops.add("no language", file_name)
        elif (problem := _path_problem(root, path)) is not None:
            drops.add(problem, file_name)
        else:
            own_source = row.get("source") or source_name
            yield Clip(
                path=root / path,
                file_name=path,
                language=_language(row["language"]),
                speaker_id=row.get("speaker") or _own_speaker(own_source, path),
                source=own_source,
                split=_given_split(row.get("split", ""), number),
                licence=row.get("licence") or None,
                synthetic=_flag(row.get("synthetic", ""), number),
                transcript=row.get("transcript") or None,
            )
    for path in _files(root, drops):
        if path.as_posix() not in listed:
            drops.add(f"not in {METADATA_NAME}, ignored", text_of_name(path.as_posix()))


def _metadata_rows(path: Path) -> list[dict[str, str]]:
    """Rows of the table with stripped texts; the columns that are needed are there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or []
            rows = [
                {key: (text or "").strip() for key, text in row.items() if key is not None}
                for row in reader
            ]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: save it again as UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{path} is not a comma-separated table: {error}.") from error
    missing = [name for name in ("file_name", "language") if name not in columns]
    if missing:
        raise DataError(
            f"{path} has no column {' and no column '.join(missing)}: its first line must name "
            "the columns, file_name and language at least, separated by commas."
        )
    return rows


def _read_tree(root: Path, source_name: str, drops: Drops) -> Iterator[Clip]:
    root = root.resolve()
    names = set()
    for path in _files(root, drops):
        name = text_of_name(path.as_posix())
        folders = name.split("/")[:-1]
        split = split_name(folders[0]) if folders else None
        if split is not None:
            del folders[0]
        if path.name.startswith(".") or path.suffix.lower() not in AUDIO_SUFFIXES:
            drops.add("not audio, ignored", name)
        elif not folders:
            drops.add("not in a language's folder", name)
        elif (problem := _path_problem(root, path.as_posix())) is not None:
            drops.add(problem, name)
        elif name in names:  # as text
            drops.add("same name as another file", name)
        else:
            names.add(name)
            speaker = f"{source_name}:{folders[1]}" if len(folders) > 1 else None
            yield Clip(
                path=root / path,
                file_name=name,
                language=_language(folders[0]),
                speaker_id=speaker or _own_speaker(source_name, name),
                source=source_name,
                split=split,
            )


def _files(root: Path, drops: Drops) -> Iterator[PurePath]:
    """Paths of all files below ``root``, relative to it; linked folders are only counted."""

    def unreadable(error: OSError) -> None:
        drops.add("folder cannot be read", text_of_name(os.path.relpath(error.filename, root)))

    for folder, subfolders, names in os.walk(root, onerror=unreadable):
        relative = Path(folder).relative_to(root)
        for name in subfolders:
            if (Path(folder) / name).is_symlink():
                linked = text_of_name((relative / name).as_posix())
                drops.add("linked folder, not followed", linked)
        for name in names:
            yield relative / name


def _path_problem(root: Path, path: str) -> str | None:
    """Why a listed path is not a file below ``root``, following links; None if it is."""
    if "\0" in path:
        return "missing file"
    if not (root / path).resolve().is_relative_to(root):
        return "path leaves the folder"
    return None if (root / path).is_file() else "missing file"


def _language(text: str) -> str:
    """Code of a name or code; a locale ("zh-TW") or a name unknown here is kept as it is."""
    try:
        return language_code(text)
    except ValueError:
        return text


def _own_speaker(source_name: str, path: str) -> str:
    return f"{source_name}:{PurePath(path).with_suffix('').as_posix()}"


def _given_split(text: str, row_number: int) -> str | None:
    if not text:
        return None
    split = split_name(text)
    if split is None:
        raise DataError(
            f"{METADATA_NAME}, row {row_number}: {text!r} is not a split; write "
            f"{', '.join(SPLITS)} or leave it empty."
        )
    return split


def _flag(text: str, row_number: int) -> bool:
    if text.lower() not in _YES + _NO:
        raise DataError(f"{METADATA_NAME}, row {row_number}: synthetic is {text!r}; write 1 or 0.")
    return text.lower() in _YES
