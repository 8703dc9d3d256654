"""An identifier × labelled clips → the report of how often it is right."""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from langid.audio import AudioInput
from langid.data.clips import Clip
from langid.data.folder import read_test_set
from langid.data.splits import split_name
from langid.errors import AudioError, DataError
from langid.evaluation.conditions import condition_losses
from langid.evaluation.predictions import Predictions
from langid.evaluation.report import Failure, Report
from langid.evaluation.summary import make_report
from langid.identification import Identification
from langid.identifier import LanguageIdentifier

if TYPE_CHECKING:
    from datasets import Dataset

VALIDATION = "validation"  # the split by which train.py chooses weights and calibration
Labelled = Iterable[tuple[AudioInput, list[Clip]]]  # a recording, and the rows that name it


def evaluate_folder(
    identifier: LanguageIdentifier,
    folder: str | Path,
    split: str | None = None,
    progress: bool = True,
    conditions: bool = False,
    n_processes: int = 1,
) -> Report:
    """Identify every clip of a folder and compare with its label.

    Languages that the model does not know count as ``"other"``, ``noise`` and ``music`` as
    ``"none"``.

    Parameters
    ----------
    identifier
        Or anything that has its ``identify_many``, ``labels``, ``source``, ``revision``,
        ``n_parameters`` and ``weights_bytes``.
    folder
        An audiofolder: ``metadata.csv`` with ``file_name``, ``language`` and optionally
        ``source`` and ``split``. Without it: one subfolder a language.
    split
        Only the clips of this split; ``"dev"``, ``"valid"`` and ``"validation"`` are one.
    progress
        Show a bar where standard error is a terminal.
    conditions
        Measure as well what codecs, noise, rooms and more cost (`condition_losses`), spread over
        ``n_processes``.

    Raises
    ------
    DataError
        If the folder cannot be read, lists missing files, or holds no usable clip.
    """
    by_path = defaultdict(list)  # a file may be listed more than once
    for clip in read_test_set(Path(folder), split):
        by_path[clip.path].append(clip)
    report = _evaluate(identifier, by_path.items(), len(by_path), str(folder), split, progress)
    if not conditions:
        return report
    failed = {failure.file for failure in report.errors}
    clips = [clip for rows in by_path.values() for clip in rows if clip.file_name not in failed]
    losses = condition_losses(identifier, clips, n_processes, progress)
    return dataclasses.replace(report, conditions=losses)


def evaluate_dataset(
    identifier: LanguageIdentifier,
    rows: "Dataset",
    name: str,
    split: str | None = None,
    progress: bool = True,
) -> Report:
    """The same for the rows of a dataset: undecoded ``audio``, ``language`` as text, ``source``.

    ``name`` stands for the folder in the report, ``split`` for the rows' split.

    Raises
    ------
    DataError
        If none of the rows can be identified.
    """
    labelled = ((BytesIO(row["audio"]["bytes"]), [_clip_of(row)]) for row in rows)
    return _evaluate(identifier, labelled, len(rows), name, split, progress)


def _clip_of(row: dict) -> Clip:
    name = row["audio"]["path"] or "unnamed"
    return Clip(Path(name), name, row["language"], row["speaker_id"], row["source"])


def _evaluate(
    identifier: LanguageIdentifier,
    labelled: Labelled,
    n_files: int,
    folder: str,
    split: str | None,
    progress: bool,
) -> Report:
    start_s = time.perf_counter()
    identified, failures = _identify(identifier, labelled, n_files, progress)
    processing_s = time.perf_counter() - start_s
    if not identified:
        raise DataError(
            f"None of the {len(failures)} clips of {folder} could be identified; "
            f"{failures[0].file}: {failures[0].error}"
        )
    return make_report(
        identifier,
        Predictions.of(identified, identifier.labels),
        failures,
        folder=folder,
        split=split,
        used_for_selection=split_name(split or "") == VALIDATION,
        processing_s=processing_s,
    )


def _identify(
    identifier: LanguageIdentifier, labelled: Labelled, n_files: int, progress: bool
) -> tuple[list[tuple[Clip, Identification]], list[Failure]]:
    """The clips with their identifications, and those that failed."""
    pending: dict[AudioInput, list[Clip]] = {}

    def recordings() -> Iterator[AudioInput]:
        for audio, clips in labelled:
            pending[audio] = clips
            yield audio

    identified, failures = [], []
    with tqdm(total=n_files, unit="clip", disable=None if progress else True) as bar:
        for audio, answer in identifier.identify_many(recordings()):
            for clip in pending.pop(audio):
                if isinstance(answer, AudioError):
                    failures.append(Failure(clip.file_name, str(answer)))
                else:
                    identified.append((clip, answer))
            bar.update()
    return identified, failures
