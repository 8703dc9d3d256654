"""A folder of labelled recordings, as an evaluation reads it."""

import csv
from pathlib import Path

from langid.data.clips import Clip
from langid.data.folder import METADATA_NAME, read_folder
from langid.data.splits import split_name
from langid.data.utterance import Drops
from langid.errors import DataError
from langid.languages import language_code


def read_clips(folder: Path, split: str | None = None) -> list[Clip]:
    """The labelled clips of a folder and split; every file is there.

    ``folder.read_folder`` is for training and stricter: here a split may have any name, and
    ``metadata.csv`` may list links, which is how test sets are put together.

    Raises
    ------
    DataError
        With a sentence that says what is missing.
    """
    if (folder / METADATA_NAME).is_file():
        clips = _read_metadata(folder)
    else:
        clips = read_folder(folder, Drops())
    if split is not None:
        known = sorted({clip.split for clip in clips if clip.split})
        clips = [clip for clip in clips if _same_split(clip.split, split)]
        if not clips:
            raise DataError(
                f"{folder} has no clip of the split {split!r}: "
                + (f"its splits are {', '.join(known)}." if known else "leave --split out.")
            )
    if not clips:
        raise DataError(f"{folder / METADATA_NAME} lists no clips.")
    missing = [clip.file_name for clip in clips if not clip.path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(clips)} clips of {folder} are missing, such as "
            f"{missing[0]}: complete the folder or correct its {METADATA_NAME}."
        )
    return clips


def _read_metadata(folder: Path) -> list[Clip]:
    path = folder / METADATA_NAME
    clips = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"file_name", "language"} - set(reader.fieldnames or ())
            if missing:
                raise DataError(
                    f"{path} has no column {' and no column '.join(sorted(missing))}: its first "
                    "line must name the columns, file_name and language at least."
                )
            for row in reader:
                file_name, language = row["file_name"], (row["language"] or "").strip()
                if not file_name or not language:
                    raise DataError(
                        f"{path}, line {reader.line_num}: give both file_name and language."
                    )
                clips.append(
                    Clip(
                        path=folder / file_name,
                        file_name=file_name,
                        language=_code(language),
                        speaker_id=row.get("speaker") or "",
                        source=(row.get("source") or "").strip() or folder.resolve().name,
                        split=(row.get("split") or "").strip() or None,
                    )
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table in UTF-8: {error}.") from error
    return clips


def _code(text: str) -> str:
    """Code of a name or code in any case; what is not known here stays as it is."""
    try:
        return language_code(text)
    except ValueError:
        return text


def _same_split(split: str | None, wanted: str) -> bool:
    if split is None:
        return False
    same_name = split_name(split) is not None and split_name(split) == split_name(wanted)
    return same_name or split.lower() == wanted.strip().lower()
