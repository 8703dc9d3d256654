"""A teacher's pass over a dataset: what it says of every clip, kept in the ``datasets`` cache.

Of a clip stay its units (25 a second, int16) and the teacher's log-posteriors over its languages
(float16), where they are asked for its states as well (25 a second, float16), under a name made of
the clips' bytes, the teacher and the units. A few hundred clips are kept together, as soon as they
are done: an interruption costs those in work.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

import datasets
import numpy as np
from datasets import Dataset, Features, Value, concatenate_datasets
from datasets.fingerprint import Hasher
from tqdm import tqdm

from langid.audio import AudioError, load_audio
from langid.config import ModelConfig
from langid.data.processes import HOURS_BAR, run_in_order
from langid.training.clips import is_usable, prepare_clips
from langid.training.datasets import DatasetSplit
from langid.training.sampling import ClipSampler, Shares
from langid.training.teacher import Teacher
from langid.training.units import N_UNITS, Units, fit_units

FEATURES = Features(units=Value("binary"), posteriors=Value("binary"))
STATE_FEATURES = Features(**FEATURES, states=Value("binary"))
ROWS_KEPT_TOGETHER = 400
N_FITTED_CLIPS = 1500
FRAMES_OF_A_FITTED_CLIP = 100  # 4 s
FRAMES_PER_HOUR = 360_000  # of log-mel
VERSION = 1  # another number makes all that was kept out of date


class TeacherTargets:
    """A teacher's answers on the rows of datasets.

    ``units`` are given (a resumed run's) or fitted with ``fit``, before ``read``. ``with_states``
    keeps the states of training clips as well.
    """

    def __init__(
        self,
        teacher: Teacher,
        n_units: int = N_UNITS,
        n_threads: int = 1,
        units: Units | None = None,
        max_hours: float = math.inf,
        with_states: bool = False,
    ):
        self.teacher = teacher
        self.units = units
        self.fits_units = units is None
        self.with_states = with_states
        self._n_units = n_units
        self._n_threads = n_threads
        self._max_hours = max_hours

    def fit(
        self, splits: list[DatasetSplit], table: Dataset, config: ModelConfig, seed: int
    ) -> None:
        """Fit the units on clips drawn in balance from ``splits``, whose log-mel is in ``table``.

        Nothing is done where units were given. The fit is kept under a name made of the chosen
        clips: the same fit again is read.
        """
        if self.units is not None:
            return
        chosen = _balanced_clips(table, config, seed)
        rows = [row["audio"]["bytes"] for row in _rows_at(splits, set(chosen))]
        key = [_content(rows), self.teacher.fingerprint, self._n_units, seed, VERSION]
        path = Path(datasets.config.HF_DATASETS_CACHE) / "units" / f"{Hasher.hash(key)}.safetensors"
        if path.is_file():
            self.units = Units.load(path)
            return
        rng = np.random.default_rng(seed)
        frames = []
        with ThreadPoolExecutor(self._n_threads) as pool:
            found = self._each(pool, rows, self._states)
            for states in tqdm(found, "states for the units", len(rows), unit="clip", disable=None):
                if states is not None:
                    picked = rng.permutation(len(states))[:FRAMES_OF_A_FITTED_CLIP]
                    frames.append(states[picked])
        self.units = fit_units(np.concatenate(frames), self._n_units, seed)
        self.units.save(path)

    def read(
        self,
        splits: list[DatasetSplit],
        table: Dataset,
        config: ModelConfig,
        name: str,
        with_states: bool = False,
    ) -> Dataset:
        """`FEATURES` of all rows of ``splits``, whose log-mel is in ``table``, in order;
        `STATE_FEATURES` if ``with_states``.

        Beyond ``max_hours`` rows stay without targets, first those that training draws least for
        their length.
        """
        chosen = _most_drawn(table, config, self._max_hours)
        hours = float(_hours(table)[chosen].sum())
        parts = []
        with (
            ThreadPoolExecutor(self._n_threads) as pool,
            tqdm(
                total=round(hours, 2),
                desc=f"teacher on {name}: ",
                unit="h",
                bar_format=HOURS_BAR,
                delay=1,
                disable=None,
            ) as progress,
        ):
            for rows in _groups(splits, chosen):
                parts.append(self._part(rows, pool, progress, with_states))
        return self._in_place(parts, chosen, with_states)

    def _in_place(self, parts: list[Dataset], chosen: np.ndarray, with_states: bool) -> Dataset:
        """Targets of the chosen rows → of all rows, the others with none."""
        if chosen.all():
            return concatenate_datasets(parts)
        blank = Dataset.from_list(
            [self._blank(with_states)], features=STATE_FEATURES if with_states else FEATURES
        )
        order = np.where(chosen, np.cumsum(chosen) - 1, chosen.sum())
        return concatenate_datasets([*parts, blank]).select(order)

    def _blank(self, with_states: bool) -> dict[str, bytes]:
        posteriors = np.full(len(self.teacher.languages), np.nan, dtype=np.float16)
        row = {"units": b"", "posteriors": posteriors.tobytes()}
        return {**row, "states": b""} if with_states else row

    def _part(
        self, rows: list[bytes], pool: Executor, progress: tqdm, with_states: bool
    ) -> Dataset:
        key = [_content(rows), self.teacher.fingerprint, self.units.digest, VERSION]
        if with_states:
            key.append("states")
        were_off = datasets.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            return Dataset.from_generator(
                lambda: self._rows(rows, pool, progress, with_states),
                features=STATE_FEATURES if with_states else FEATURES,
                fingerprint=Hasher.hash(key),
            )
        finally:
            if not were_off:
                datasets.enable_progress_bars()

    def _rows(
        self, rows: list[bytes], pool: Executor, progress: tqdm, with_states: bool
    ) -> Iterator[dict]:
        function = partial(self._target, with_states=with_states)
        for target, hours in self._each(pool, rows, function):
            progress.update(hours)
            yield target

    def _each(self, pool: Executor, rows: list[bytes], function: Callable) -> Iterator:
        for _, result in run_in_order(pool, function, rows, self._n_threads, len):
            yield result

    def _states(self, audio: bytes) -> np.ndarray | None:
        waveform = _decoded(audio)
        return None if waveform is None else self.teacher.infer(waveform)[0]

    def _target(self, audio: bytes, with_states: bool) -> tuple[dict[str, bytes], float]:
        """A row, and the hours of its clip."""
        waveform = _decoded(audio)
        if waveform is None:
            return self._blank(with_states), 0.0
        states, posteriors = self.teacher.infer(waveform)
        row = {
            "units": self.units.assign(states).tobytes(),
            "posteriors": posteriors.astype(np.float16).tobytes(),
        }
        if with_states:
            row["states"] = states.astype(np.float16).tobytes()
        return row, len(waveform) / 16_000 / 3600


def _decoded(audio: bytes) -> np.ndarray | None:
    """Waveform (n_samples,), None for what cannot be decoded or holds no sample."""
    try:
        waveform, _ = load_audio(audio)
    except AudioError:
        return None
    return waveform if len(waveform) else None


def _hours(table: Dataset) -> np.ndarray:
    """Of each row."""
    return np.array(table["n_frames"][:]) / FRAMES_PER_HOUR


def _sampler(table: Dataset, config: ModelConfig) -> tuple[ClipSampler, np.ndarray]:
    """What draws from the rows, and which of them it knows."""
    usable = np.flatnonzero(is_usable(np.array(table["n_frames"][:]), config))
    clips = prepare_clips(table.select(usable), config)
    return ClipSampler(clips, config.labels, Shares()), usable


def _most_drawn(table: Dataset, config: ModelConfig, max_hours: float) -> np.ndarray:
    """(n_rows,) bool: those that are drawn most for their length, ``max_hours`` together."""
    hours = _hours(table)
    if hours.sum() <= max_hours:
        return np.ones(len(table), dtype=bool)
    sampler, usable = _sampler(table, config)
    order = usable[np.argsort(-sampler.probabilities() / hours[usable], kind="stable")]
    chosen = np.zeros(len(table), dtype=bool)
    chosen[order[np.cumsum(hours[order]) <= max_hours]] = True
    return chosen


def _balanced_clips(table: Dataset, config: ModelConfig, seed: int) -> list[int]:
    """Rows of different clips, drawn as training draws them."""
    sampler, usable = _sampler(table, config)
    rng = np.random.default_rng(seed)
    drawn = {sampler.draw(rng): None for _ in range(N_FITTED_CLIPS)}
    return sorted(int(usable[index]) for index in drawn)


def _rows_at(splits: list[DatasetSplit], wanted: set[int]) -> Iterator[dict]:
    """Rows of the splits, counted through all of them."""
    index = 0
    for split in splits:
        for part in range(len(split.part_keys)):
            for row in split.rows(part):
                if index in wanted:
                    yield row
                index += 1


def _groups(splits: list[DatasetSplit], chosen: np.ndarray) -> Iterator[list[bytes]]:
    """The encoded audio of the chosen rows, some hundred at a time."""
    rows: list[bytes] = []
    for row in _rows_at(splits, set(np.flatnonzero(chosen).tolist())):
        rows.append(row["audio"]["bytes"])
        if len(rows) == ROWS_KEPT_TOGETHER:
            yield rows
            rows = []
    if rows:
        yield rows


def _content(rows: list[bytes]) -> str:
    """Digest of encoded recordings."""
    digest = sha256()
    for row in rows:
        digest.update(len(row).to_bytes(8, "little"))
        digest.update(row)
    return digest.hexdigest()
