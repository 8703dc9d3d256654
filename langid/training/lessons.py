"""A teacher's pass over a dataset: what it says of every clip, kept in the ``datasets`` cache.

Of a clip stay its units (25 a second, int16) and the teacher's log-posteriors over its languages
(float16), under a name made of the clips' bytes, the teacher and the units. A few hundred clips are
kept together, as soon as they are done: an interruption costs those in work.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import datasets
import numpy as np
from datasets import Dataset, Features, Value, concatenate_datasets
from datasets.fingerprint import Hasher
from tqdm import tqdm

from langid.audio import AudioError, load_audio
from langid.config import ModelConfig
from langid.data.processes import run_in_order
from langid.training.clips import MIN_FRAMES, prepare_clips
from langid.training.datasets import SourceSplit
from langid.training.sampling import ClipSampler, Shares
from langid.training.teacher import Teacher
from langid.training.units import Units, fit_units

FEATURES = Features(units=Value("binary"), posteriors=Value("binary"))
ROWS_KEPT_TOGETHER = 400
N_FITTED_CLIPS = 1500
FRAMES_OF_A_FITTED_CLIP = 100  # 4 s
VERSION = 1  # another number makes all that was kept out of date


class Lessons:
    """A teacher's answers on the rows of datasets.

    ``units`` are given (a resumed run's) or fitted with ``fit``, before ``read``.
    """

    def __init__(
        self,
        teacher: Teacher,
        n_units: int = 512,
        n_threads: int = 1,
        units: Units | None = None,
    ):
        self.teacher = teacher
        self.units = units
        self._n_units = n_units
        self._n_threads = n_threads

    def fit(
        self, splits: list[SourceSplit], heard: Dataset, config: ModelConfig, seed: int
    ) -> None:
        """Fit the units on clips drawn in balance from the rows ``heard`` of ``splits``.

        Nothing is done where units were given. The fit is kept under a name made of the chosen
        clips: the same fit again is read.
        """
        if self.units is not None:
            return
        chosen = _balanced_clips(heard, config, seed)
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

    def read(self, splits: list[SourceSplit], name: str, hours: float | None = None) -> Dataset:
        """`FEATURES` of all rows of ``splits``, in order. ``hours`` is what the bar goes up to."""
        parts = []
        with (
            ThreadPoolExecutor(self._n_threads) as pool,
            tqdm(
                total=hours and round(hours, 2),
                desc=f"teacher on {name}",
                unit="h",
                bar_format="{desc}: {percentage:3.0f}% {n:.2f}/{total:.2f} h "
                "[{elapsed}<{remaining}]"
                if hours
                else None,
                delay=1,
                disable=None,
            ) as progress,
        ):
            for split in splits:
                for rows in _groups(split):
                    parts.append(self._part(rows, pool, progress))
        return concatenate_datasets(parts)

    def _part(self, rows: list[bytes], pool: Executor, progress: tqdm) -> Dataset:
        key = [_content(rows), self.teacher.fingerprint, self.units.digest, VERSION]
        were_off = datasets.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            return Dataset.from_generator(
                lambda: self._rows(rows, pool, progress),
                features=FEATURES,
                fingerprint=Hasher.hash(key),
            )
        finally:
            if not were_off:
                datasets.enable_progress_bars()

    def _rows(self, rows: list[bytes], pool: Executor, progress: tqdm) -> Iterator[dict]:
        for units, posteriors, hours in self._each(pool, rows, self._lesson):
            progress.update(hours)
            yield {"units": units.tobytes(), "posteriors": posteriors.tobytes()}

    def _each(self, pool: Executor, rows: list[bytes], function: Callable) -> Iterator:
        for _, result in run_in_order(pool, function, rows, self._n_threads, len):
            yield result

    def _states(self, audio: bytes) -> np.ndarray | None:
        waveform = _decoded(audio)
        return None if waveform is None else self.teacher.listen(waveform)[0]

    def _lesson(self, audio: bytes) -> tuple[np.ndarray, np.ndarray, float]:
        waveform = _decoded(audio)
        if waveform is None:
            return np.zeros(0, np.int16), np.zeros(len(self.teacher.languages), np.float16), 0.0
        states, posteriors = self.teacher.listen(waveform)
        hours = len(waveform) / 16_000 / 3600
        return self.units.assign(states), posteriors.astype(np.float16), hours


def _decoded(audio: bytes) -> np.ndarray | None:
    """Waveform (n_samples,), None for what cannot be decoded or holds no sample."""
    try:
        waveform, _ = load_audio(audio)
    except AudioError:
        return None
    return waveform if len(waveform) else None


def _balanced_clips(heard: Dataset, config: ModelConfig, seed: int) -> list[int]:
    """Rows of different clips, drawn as training draws them."""
    usable = np.flatnonzero(np.array(heard["n_frames"][:]) >= MIN_FRAMES)
    clips = prepare_clips(heard.select(usable), config)
    sampler = ClipSampler(clips, config.labels, Shares())
    rng = np.random.default_rng(seed)
    drawn = {sampler.draw(rng): None for _ in range(N_FITTED_CLIPS)}
    return sorted(int(usable[index]) for index in drawn)


def _rows_at(splits: list[SourceSplit], wanted: set[int]) -> Iterator[dict]:
    """Rows of the splits, counted through all of them."""
    index = 0
    for split in splits:
        for part in range(len(split.part_keys)):
            for row in split.rows(part):
                if index in wanted:
                    yield row
                index += 1


def _groups(split: SourceSplit) -> Iterator[list[bytes]]:
    """The encoded audio of rows, some hundred at a time."""
    rows: list[bytes] = []
    for part in range(len(split.part_keys)):
        for row in split.rows(part):
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
