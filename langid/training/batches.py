"""Training batches as a function of the step alone, so that a run resumes exactly.

Two kinds alternate at random. *Windows* are crops of random clips, drawn in balance, all of one
random length, some as long as passages. *Utterances* are whole transcribed clips of similar length,
each warped in time to the length of the batch: that is speed perturbation, and no padding, at once;
their phones supervise the encoder.

Without a clip of non-speech, the built-in kind takes its share of the windows and of the noise.
"""

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from langid.config import ModelConfig
from langid.languages import NONE
from langid.training.augment import AugmentConfig, augment, synthetic_non_speech, warp
from langid.training.clips import Clips
from langid.training.cutmix import choose_cuts, cutmix
from langid.training.sampling import ClipSampler, Shares
from langid.training.units import NO_UNIT, warp_units
from langid.windows import frame_windows

MIN_WINDOW_S = 1.0  # shortest crop in training
LONGEST_WINDOWS = 3  # longest crop, in windows
FULL_WINDOW_PROBABILITY = 0.5  # of a batch to be of full windows
LONG_WINDOW_PROBABILITY = 0.25  # of longer ones; otherwise of shorter ones
MIN_PHONES = 3
MAX_PHONES_PER_FRAME = 0.22  # CTC needs fewer phones than encoder frames
UTTERANCE_FRAMES = (100, 1200)
SYNTHETIC_NON_SPEECH = 0.3  # of the windows without speech: silence, hum, hiss, tones
BACKGROUND_PROBABILITY = 0.7  # of added noise to be without speech; otherwise other talk


@dataclass(frozen=True)
class Batch:
    log_mel: Tensor  # (batch, n_mels, n_frames)
    labels: Tensor  # (batch,), NO_LABEL for a clip whose language does not count
    phones: list[Tensor] | None  # indices into the CTC inventory, for a batch of utterances
    units: Tensor | None = None  # (batch, n_encoder_frames) int64, -1 without a target
    # A teacher's log-posteriors (batch, n_teacher_languages), NaN for clips without speech.
    posteriors: Tensor | None = None
    # Of windows (batch, n_labels), rows summing to 1; NaN where the label alone counts.
    soft: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same on a device; the phones stay, as CTC takes them."""

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device)

        return Batch(
            self.log_mel.to(device),
            self.labels.to(device),
            self.phones,
            moved(self.units),
            moved(self.posteriors),
            moved(self.soft),
        )


class TrainingBatches(Dataset):
    """``self[step]`` is the batch of that step."""

    def __init__(
        self,
        clips: Clips,
        config: ModelConfig,
        *,
        n_steps: int,
        batch_size: int,
        utterance_share: float,
        shares: Shares,
        augmentation: AugmentConfig,
        seed: int,
        rank: int = 0,
    ):
        self.clips = clips
        self.n_steps = n_steps
        self.batch_size = batch_size
        self._seed, self._rank = seed, rank
        self.augmentation = augmentation
        self.sampler = ClipSampler(clips, config.labels, shares)
        self._n_labels = len(config.labels)
        self._none = config.labels.index(NONE)
        self._noises = np.flatnonzero(clips.labels == self._none)
        self._built_in_share = 0.0 if len(self._noises) else shares.none
        self._full, self._hop = config.n_window_frames, config.n_hop_frames
        self._short = round(MIN_WINDOW_S / config.frame_s)
        index_of = {phone: i + 1 for i, phone in enumerate(config.phones)}
        self._targets = [[index_of[p] for p in ps if p in index_of] for ps in clips.phones]
        self._utterances = _Utterances(clips, self._targets)
        self._utterance_share = utterance_share if len(self._utterances) else 0.0

    @property
    def n_utterances(self) -> int:
        return len(self._utterances)

    def __len__(self) -> int:
        return self.n_steps

    def __getitem__(self, step: int) -> Batch:
        # Processes wait for each other: kind and length of the batch are the same in all of them.
        rng = np.random.default_rng([self._seed, step])
        # Sounds first, languages later: the share of utterances falls over the run.
        progress = step / max(1, self.n_steps)
        of_utterances = rng.random() < self._utterance_share * (1.5 - progress)
        n_frames = self._full
        kind = rng.random()
        if kind < LONG_WINDOW_PROBABILITY:
            n_frames = int(rng.integers(self._full, LONGEST_WINDOWS * self._full))
        elif kind >= LONG_WINDOW_PROBABILITY + FULL_WINDOW_PROBABILITY:
            n_frames = int(rng.integers(self._short, self._full))
        if self._rank:
            rng = np.random.default_rng([self._seed, self._rank, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        if of_utterances:
            log_mel, units, indices = self._utterance_batch(rng, generator)
            labels = self.clips.labels[indices]
            phones = [torch.tensor(self._targets[i]) for i in indices]
            soft, cuts = None, np.zeros(len(labels), dtype=int)
        else:
            log_mel, units, indices, labels, soft = self._window_batch(n_frames, rng, generator)
            phones = None
            probability = self.augmentation.cutmix_probability
            cuts = choose_cuts(labels, self._none, n_frames, probability, rng)
            if cuts.any():
                log_mel, units, mixed = cutmix(log_mel, units, self._or_labels(soft, labels), cuts)
                soft = np.where(cuts[:, None] > 0, mixed, np.nan if soft is None else soft)
        noise = self._noise(log_mel.shape, rng, generator)
        log_mel = augment(log_mel, noise, self.augmentation, generator)
        soft = None if soft is None else torch.from_numpy(soft)
        batch = Batch(log_mel, torch.from_numpy(labels), phones, soft=soft)
        if self.clips.posteriors is None:
            return batch
        posteriors = self.clips.posteriors[indices].astype(np.float32)
        posteriors[(labels == self._none) | (cuts > 0)] = np.nan
        return replace(
            batch,
            units=torch.from_numpy(units.astype(np.int64)),
            posteriors=torch.from_numpy(posteriors),
        )

    def windows(self, n_batches: int) -> Iterator[Batch]:
        """The first batches of windows, without any of utterances."""
        only = copy(self)
        only._utterance_share = 0.0
        return map(only.__getitem__, range(n_batches))

    def _window_batch(
        self, n_frames: int, rng: np.random.Generator, generator: torch.Generator
    ) -> tuple[Tensor, np.ndarray, list[int], np.ndarray, np.ndarray | None]:
        """Log-mel, units, the indices of the clips, labels, and soft targets if there are any."""
        n_windows = math.ceil(self.batch_size * min(1.0, self._full / n_frames))
        indices = [self.sampler.draw(rng) for _ in range(n_windows)]
        slowest = max(self.augmentation.tempo)
        crops = [self._crop(i, int(n_frames * slowest) + 2, rng) for i in indices]
        units = np.stack([own for _, own, _ in crops])
        soft = None
        if self.clips.soft is not None:
            soft = np.stack([self._soft_target(places) for _, _, places in crops])
        crops = torch.from_numpy(np.stack([log_mel for log_mel, _, _ in crops]))
        labels = self.clips.labels[indices]
        share = np.where(labels == self._none, SYNTHETIC_NON_SPEECH, self._built_in_share)
        synthetic = rng.random(len(indices)) < share
        if synthetic.any():
            shape = (int(synthetic.sum()), *crops.shape[1:])
            crops[torch.from_numpy(synthetic)] = synthetic_non_speech(shape, generator)
            units[synthetic] = NO_UNIT
            if soft is not None:
                soft[synthetic] = np.nan
        lengths = n_frames * self._factors(len(indices), self.augmentation.tempo, generator)
        scale = self._factors(len(indices), self.augmentation.vocal_tract_warp, generator)
        units = warp_units(units, n_frames, lengths.numpy())
        labels = np.where(synthetic, self._none, labels)
        return warp(crops, n_frames, lengths, scale), units, indices, labels, soft

    def _utterance_batch(
        self, rng: np.random.Generator, generator: torch.Generator
    ) -> tuple[Tensor, np.ndarray, list[int]]:
        """Log-mel, units and the indices of the clips."""
        slowest, fastest = 1 / self.augmentation.tempo[0], 1 / self.augmentation.tempo[1]
        n_frames, indices = self._utterances.draw(
            self.batch_size * self._full, (fastest, slowest), rng
        )
        lengths = self.clips.n_frames[indices]
        padded = np.zeros((len(indices), self.clips.n_mels, lengths.max()), dtype=np.float32)
        units = np.full((len(indices), lengths.max()), NO_UNIT, dtype=np.int16)
        for row, own, index in zip(padded, units, indices, strict=True):
            version = int(rng.integers(self.clips.n_versions))
            log_mel = self.clips.log_mel(index, version).T
            row[:, : log_mel.shape[1]] = log_mel
            row[:, log_mel.shape[1] :] = log_mel[:, -1:]
            own[: log_mel.shape[1]] = self.clips.units(index)
        units = warp_units(units, n_frames, lengths)
        scale = self._factors(len(indices), self.augmentation.vocal_tract_warp, generator)
        lengths = torch.from_numpy(lengths.astype(np.float32))
        return warp(torch.from_numpy(padded), n_frames, lengths, scale), units, indices

    def _factors(self, n: int, bounds: tuple[float, float], generator: torch.Generator) -> Tensor:
        """(n,) of the axes of so many windows; 1 leaves one exactly as it is."""
        low, high = bounds
        factors = low + (high - low) * torch.rand(n, generator=generator)
        warped = torch.rand(n, generator=generator) < self.augmentation.warp_probability
        return torch.where(warped, factors, 1.0)

    def _or_labels(self, soft: np.ndarray | None, labels: np.ndarray) -> np.ndarray:
        """Soft targets (batch, n_labels), with certainty of the label where there are none."""
        certain = np.eye(self._n_labels, dtype=np.float32)[labels]
        return certain if soft is None else np.where(np.isnan(soft), certain, soft)

    def _crop(
        self, index: int, n_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]:
        """Log-mel (n_mels, n_frames) float32 and units (n_frames,) of a clip or a copy of it,
        joined with others of its speaker if short; and the clips and their frames that stand in
        the middle of each of its windows, side by side."""
        joined = [index]
        n_available = int(self.clips.n_frames[index])
        while n_available < n_frames:
            joined.append(self.sampler.companion(index, rng))
            n_available += int(self.clips.n_frames[joined[-1]])
        start = rng.integers(n_available - n_frames + 1)
        crop = slice(start, start + n_frames)
        version = int(rng.integers(self.clips.n_versions))
        log_mel = np.concatenate([self.clips.log_mel(i, version) for i in joined])[crop]
        units = np.concatenate([self.clips.units(i) for i in joined])[crop]
        first_frames = np.cumsum([0, *self.clips.n_frames[joined]])
        n_windows = max(1, round(n_frames / self._full))
        middles = start + (2 * np.arange(n_windows) + 1) * n_frames // (2 * n_windows)
        at = np.searchsorted(first_frames, middles, side="right") - 1
        places = [
            (joined[k], int(middle - first_frames[k]))
            for k, middle in zip(at, middles, strict=True)
        ]
        return log_mel.T.astype(np.float32), units, places

    def _soft_target(self, places: list[tuple[int, int]]) -> np.ndarray:
        """(n_labels,): the geometric mean of those of some frames (clip, frame), as serving pools
        windows; NaN without."""
        targets = np.stack([self._soft_target_at(*place) for place in places])
        if len(targets) == 1 or np.isnan(targets).any():
            return targets.mean(axis=0)
        log_p = np.log(targets.clip(1e-6)).mean(axis=0)
        return np.exp(log_p - np.logaddexp.reduce(log_p))

    def _soft_target_at(self, index: int, frame: int) -> np.ndarray:
        """(n_labels,) of the clip's window whose middle is nearest to ``frame``; NaN without."""
        targets = self.clips.soft[index]
        if not len(targets):
            return np.full(targets.shape[1], np.nan, np.float32)
        windows = frame_windows(int(self.clips.n_frames[index]), self._full, self._hop)
        nearest = np.argmin([abs(x.start + x.stop - 2 * frame) for x in windows])
        # A teacher's last state may end before the last frame of log-mel.
        return targets[min(nearest, len(targets) - 1)]

    def _noise(
        self, shape: torch.Size, rng: np.random.Generator, generator: torch.Generator
    ) -> Tensor:
        """What lies under the batch: mostly recordings without speech, sometimes other talk, which
        is drawn as windows are: what most clips are is not what most people talk over."""
        if len(self._noises):
            noise = np.empty(shape, dtype=np.float32)
        else:
            noise = synthetic_non_speech(tuple(shape), generator).numpy()
        for row in noise:
            background = rng.random() < BACKGROUND_PROBABILITY
            if background and not len(self._noises):
                continue
            index = int(rng.choice(self._noises)) if background else self.sampler.draw(rng)
            row[:] = self._crop(index, shape[2], rng)[0]
        return torch.from_numpy(noise)


class _Utterances:
    """Transcribed clips in the order of their length, from which batches are drawn."""

    def __init__(self, clips: Clips, targets: list[list[int]]):
        usable = [
            i
            for i, target in enumerate(targets)
            if len(target) >= MIN_PHONES
            and UTTERANCE_FRAMES[0] <= clips.n_frames[i] <= UTTERANCE_FRAMES[1]
            and len(target) < MAX_PHONES_PER_FRAME * clips.n_frames[i]
        ]
        self._indices = np.array(sorted(usable, key=lambda i: clips.n_frames[i]), dtype=int)
        self._n_frames = clips.n_frames[self._indices]
        languages = [clips.languages[i] for i in self._indices]
        kinds = list(zip(languages, clips.synthetic[self._indices].tolist(), strict=True))
        # Rare languages and real voices weigh more than their number.
        count = {kind: kinds.count(kind) for kind in set(kinds)}
        self._weights = np.array(
            [
                (0.4 if synthetic else 1.0) / count[language, synthetic] ** 0.7
                for language, synthetic in kinds
            ]
        )
        self._real = np.flatnonzero(~clips.synthetic[self._indices])
        if not len(self._real):
            self._real = np.arange(len(self._indices))

    def __len__(self) -> int:
        return len(self._indices)

    def draw(
        self, n_total_frames: int, stretch: tuple[float, float], rng: np.random.Generator
    ) -> tuple[int, list[int]]:
        """Length of the batch and its clips, each within ``stretch`` of that length."""
        anchor = self._n_frames[rng.choice(self._real)]
        n_frames = int(np.clip(anchor * rng.uniform(0.95, 1.05), *UTTERANCE_FRAMES))
        low, high = np.searchsorted(
            self._n_frames, [n_frames / stretch[1], n_frames / stretch[0]], side="left"
        )
        low, high = min(low, len(self) - 1), max(high, low + 1)
        weights = self._weights[low:high] / self._weights[low:high].sum()
        n_clips = max(8, n_total_frames // n_frames)
        chosen = low + rng.choice(len(weights), size=n_clips, p=weights)
        return n_frames, self._indices[chosen].tolist()
