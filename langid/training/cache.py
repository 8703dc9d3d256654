"""Rows of datasets, read once and in order → log-mel and phones, kept in the ``datasets`` cache.

What is kept of a row: its log-mel, its phones and its small columns, and the audio only where the
last evaluation needs it. A part of a dataset (mostly a file) is kept when it is complete, so an
interruption costs one part, and a next run reads only what is new.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import datasets
import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset, DatasetDict, Features, List, Value, concatenate_datasets
from datasets.exceptions import DatasetGenerationError
from datasets.fingerprint import Hasher
from huggingface_hub.errors import HTTPError
from tqdm import tqdm

from langid.config import ModelConfig
from langid.data.espeak import espeak_available
from langid.data.processes import run_in_order
from langid.errors import DataError
from langid.hub import hub_reason
from langid.languages import NONE, class_of, languages_of
from langid.training import copies
from langid.training.clips import LOG_MEL, FeatureComputer, log_mel_column
from langid.training.datasets import (
    ROW_FEATURES,
    TEACHES_LANGUAGE,
    DatasetSplit,
    check_folders,
    check_speakers,
    hold_back,
    load_splits,
    taught_classes,
    teaches_language,
)
from langid.training.teacher_targets import TeacherTargets

WRITER_BATCH_SIZE = 100  # rows in memory before they go to disk
FEATURES = Features(
    **ROW_FEATURES,
    log_mel=Value("binary"),
    n_frames=Value("int64"),
    phones=List(Value("string")),
)


def load_training_data(
    dataset_names: Sequence[str],
    config: ModelConfig,
    seed: int,
    *,
    streaming: bool = False,
    n_threads: int = 1,
    targets: TeacherTargets | None = None,
    n_copies: int = 0,
    trunk_names: Sequence[str] = (),
) -> DatasetDict:
    """``train`` and ``validation`` of one or several datasets, joined, with the columns `FEATURES`.

    Classes that validation lacks are lent a tenth of their speakers. ``audio`` is there for
    validation only; ``streaming`` as in `langid.training.datasets.load_splits`. ``targets`` add a
    teacher's columns (`langid.training.teacher_targets.FEATURES`), after its units are fitted on
    ``train`` unless they are given. ``n_copies`` add to each row of ``train`` the log-mel of so
    many copies of its clip (`langid.training.copies`).

    The train splits of ``trunk_names``, which need ``targets``, follow in ``train`` and teach no
    language: then a column `TEACHES_LANGUAGE` tells them apart. No units are fitted on them. Rows
    whose language is not known teach none either, and validate nothing. What teaches no language
    is left out where it has no speech or no targets.

    Raises
    ------
    DataError
        If there is no such dataset, a split, a column or a language is missing, or the connection
        to the Hub is lost, or a speaker or an audio stands in two splits.
    """
    languages = languages_of(config.labels)
    splits = [load_splits(name, streaming) for name in dataset_names]
    trunk = [load_splits(name, streaming)["train"] for name in trunk_names]
    check_folders(dataset_names, trunk_names)
    train = [own["train"] for own in splits]
    validation = [own["validation"] for own in splits if "validation" in own]
    if not validation:
        raise DataError(
            f"{' and '.join(dataset_names)} have no validation split: prepare the data with "
            "prepare_data.py, from recordings of several speakers a language."
        )
    stated = [split.language_names for split in train]
    if None not in stated:  # then what is missing is known before any work
        _require(languages, {class_of(name, languages) for names in stated for name in names})
    with _one_torch_thread_each(), ThreadPoolExecutor(n_threads) as pool:
        reader = _Reader(config, pool, n_threads)
        validation_rows = reader.read(validation, "validation", frozenset())
        # What is validated anyway is not lent, and its audio not needed.
        validated = frozenset(validation_rows.unique("language"))
        train_rows = reader.read(train, "train", validated)
        if trunk:
            trunk_rows = _marked(reader.read(trunk, "trunk data", validated), False)
        copied = [
            _Reader(config, pool, n_threads, copy).read(
                [*train, *trunk], f"copy {copy}", frozenset()
            )
            for copy in range(1, n_copies + 1)
        ]
    check_speakers(train_rows, validation_rows)
    if trunk:
        check_speakers(trunk_rows, validation_rows)
    _require(languages, set(taught_classes(train_rows, languages)))
    for name, rows in (("train", train_rows), ("validation", validation_rows)):
        if n_unlabelled := rows["language"][:].count(None):
            heard = targets is not None and rows is train_rows
            use = "which teach what the teacher hears in them" if heard else "left out"
            print(f"Clips of {name} that name no language: {n_unlabelled:,}, {use}.")
    if targets is not None:
        targets.fit(train, train_rows, config, seed)
        own = targets.read(validation, validation_rows, config, "validation")
        validation_rows = _beside(validation_rows, own)
        own = targets.read(train, train_rows, config, "train", targets.with_states)
        train_rows = _beside(train_rows, own)
    if trunk:
        # Probes are not fitted on these: no states are kept.
        own = targets.read(trunk, trunk_rows, config, "trunk data")
        trunk_rows = _beside(trunk_rows, own)
        train_rows = concatenate_datasets([_marked(train_rows, True), trunk_rows])
    for copy, rows in enumerate(copied, 1):
        own = rows.select_columns(LOG_MEL).rename_column(LOG_MEL, log_mel_column(copy))
        train_rows = _beside(train_rows, own)
    train_rows = _kept(train_rows, _is_worth_hearing(train_rows))
    validation_rows = _kept(validation_rows, teaches_language(validation_rows))
    return hold_back(train_rows, validation_rows, languages, seed)


def _kept(rows: Dataset, is_kept: np.ndarray) -> Dataset:
    return rows if is_kept.all() else rows.select(np.flatnonzero(is_kept))


def _beside(left: Dataset, right: Dataset) -> Dataset:
    return concatenate_datasets([left, right], axis=1)


def _marked(rows: Dataset, teaches: bool) -> Dataset:
    return rows.add_column(TEACHES_LANGUAGE, [teaches] * len(rows))


def _is_worth_hearing(rows: Dataset) -> np.ndarray:
    """(n_rows,) bool: False where only a teacher's answers would teach, and there is no speech or
    no answer."""
    spoken = [name is None or class_of(name, ()) != NONE for name in rows["language"][:]]
    if "units" not in rows.column_names:
        return teaches_language(rows)
    answered = [len(units) > 0 for units in rows["units"][:]]
    return teaches_language(rows) | (np.array(spoken) & np.array(answered))


def _require(languages: tuple[str, ...], present: set[str]) -> None:
    if missing := [language for language in languages if language not in present]:
        raise DataError(
            f"The train split has no clip of {', '.join(missing)}: choose other --languages or "
            "add data."
        )


class _Reader:
    """Splits → datasets with the columns `FEATURES`, from the cache where they are in it."""

    def __init__(self, config: ModelConfig, pool: Executor, n_threads: int, copy: int = 0):
        self._compute = FeatureComputer(config, copy)
        self._pool, self._n_threads = pool, n_threads
        # All that a row's features depend on beside the row.
        self._settings = {
            **config.mel_settings,
            "espeak": espeak_available(),
            "version": FeatureComputer.VERSION,
        }
        if copy:
            self._settings |= {
                "copy": copy,
                "copies": copies.VERSION,
                "codecs": [codec.encoder for codec in copies.available_codecs()],
            }

    def read(self, splits: list[DatasetSplit], name: str, without_audio: frozenset) -> Dataset:
        """All rows of ``splits``, in order; the audio only of languages not ``without_audio``."""
        known = [split.n_rows for split in splits]
        total = None if None in known else sum(known)
        parts = []
        # Not shown where everything comes from the cache at once.
        with tqdm(
            total=total, desc=f"log-mel of {name}", unit="clip", delay=1, disable=None
        ) as progress:
            for split in splits:
                # Only the names that it can have, so that its key does not change with others.
                own = without_audio.intersection(split.language_names or without_audio)
                for part in range(len(split.part_keys)):
                    parts.append(self._part(split, part, own, progress))
        return concatenate_datasets(parts)

    def _part(
        self, split: DatasetSplit, part: int, without_audio: frozenset, progress: tqdm
    ) -> Dataset:
        key = [split.part_keys[part], sorted(without_audio, key=str), self._settings]
        n_before = progress.n

        def read(key: list) -> Dataset:
            # Written to a folder of another name, which is renamed at the end.
            return Dataset.from_generator(
                lambda: self._rows(split, part, without_audio, progress),
                features=FEATURES,
                fingerprint=Hasher.hash(key),
                writer_batch_size=WRITER_BATCH_SIZE,
            )

        try:
            with _no_bars_of_datasets():
                dataset = read(key)
                if not {None, ""}.isdisjoint(dataset.unique("speaker_id")):
                    dataset = read([*key, "speakers"])  # an older version left some without a name
        except DatasetGenerationError as error:
            raise _foreseen(error.__cause__ or error, split.dataset) from None
        progress.update(n_before + len(dataset) - progress.n)  # it may have been in the cache
        return dataset

    def _rows(
        self, split: DatasetSplit, part: int, without_audio: frozenset, progress: tqdm
    ) -> Iterator[dict]:
        for row, features in run_in_order(
            self._pool,
            self._compute,
            split.rows(part),
            self._n_threads,
            lambda row: len(row["audio"]["bytes"]),
        ):
            if self._compute.copy or row["language"] in without_audio:
                row["audio"] = None
            progress.update()
            yield {**row, **features}


def _foreseen(cause: BaseException, name: str) -> BaseException:
    """What went wrong with a dataset in the middle, in a sentence where it is foreseen."""
    if isinstance(cause, (HTTPError, ConnectionError, TimeoutError)):
        reason = hub_reason(cause.__cause__ or cause)
        return DataError(
            f"The connection to the Hub was lost while {name} was read ({reason}): run the same "
            "command again, which goes on with the file that was not complete."
        )
    if isinstance(cause, pa.ArrowException):
        return DataError(
            f"{name} is damaged ({hub_reason(cause)}): make it again, or copy it again."
        )
    return cause


@contextmanager
def _one_torch_thread_each() -> Iterator[None]:
    """Clips are computed beside each other, so that more threads within one gain nothing."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def _no_bars_of_datasets() -> Iterator[None]:
    """One progress bar is enough."""
    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()
