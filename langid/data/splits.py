"""Speakers → splits: by a hash of the speaker, so that later data moves nobody."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from langid.data.clips import Clip
from langid.errors import DataError

Stratum = tuple[str, ...]  # (language,) or (language, gender)

SPLITS = ("train", "validation", "test")
_SPLIT_OF_NAME = {
    "train": "train",
    "training": "train",
    "dev": "validation",
    "valid": "validation",
    "val": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def split_name(text: str) -> str | None:
    """``"dev"`` → ``"validation"``; None for a text that names no split."""
    return _SPLIT_OF_NAME.get(text.strip().lower())


def speaker_position(speaker_id: str, seed: int) -> float:
    """Place of a speaker in [0, 1): uniform over speakers, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}:{speaker_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def assign_speakers(
    strata_of: Mapping[str, Iterable[Stratum]],
    shares: Mapping[str, float],
    seed: int = 0,
    known: Mapping[str, str] = MappingProxyType({}),
    tolerance: float = 1.0,
) -> dict[str, str]:
    """Speaker → split, such that every stratum is divided in about the same shares.

    Speakers of ``known`` keep their split. The hash of a speaker decides over the others, so that
    more data moves nobody; of a large stratum it gives each split its share. Of small ones it may
    give much more or less: then the speakers nearest by hash are moved. Keep the result and give
    it as ``known`` next time, and they stay as well.

    Parameters
    ----------
    strata_of
        Of each speaker the strata: ``(language,)``, and finer ones such as
        ``(language, gender)``.
    shares
        Of ``"validation"`` and ``"test"``; the rest is ``"train"``.
    tolerance
        How far, relative to what was asked for, a stratum's number of speakers in a split may be
        off. With 1 speakers are moved only where a split has none of a stratum that can spare one
        (a language: from as many speakers as there are splits; a part of a language: where its
        share is a whole speaker).
    """
    bounds, upper = [], 0.0
    for split in ("validation", "test"):
        upper += shares.get(split, 0.0)
        bounds.append((upper, split))
    position = {
        speaker: speaker_position(speaker, seed) for speaker in sorted(strata_of.keys() - known)
    }
    split_of = {speaker: known[speaker] for speaker in strata_of if speaker in known}
    for speaker, place in position.items():
        split_of[speaker] = next((split for upper, split in bounds if place < upper), "train")
    _Balance(strata_of, split_of, position, shares, tolerance).restore()
    return split_of


def assign_splits(clips: Iterable[Clip], shares: Mapping[str, float], seed: int = 0) -> list[Clip]:
    """Give every clip of a folder a split such that no speaker stands in two.

    Splits that the folder gives are kept, and a speaker's undecided clips follow them; the other
    speakers are divided by ``assign_speakers``.

    Raises
    ------
    DataError
        If the folder itself puts one speaker into two splits.
    """
    clips = list(clips)
    strata_of = defaultdict(set)
    for clip in clips:
        strata_of[clip.speaker_id].add((clip.language,))
    split_of = assign_speakers(strata_of, shares, seed, _given_splits(clips))
    return [replace(clip, split=split_of[clip.speaker_id]) for clip in clips]


def _given_splits(clips: list[Clip]) -> dict[str, str]:
    given = defaultdict(set)
    for clip in clips:
        if clip.split is not None:
            given[clip.speaker_id].add(clip.split)
    torn = sorted(speaker for speaker, splits in given.items() if len(splits) > 1)
    if torn:
        places = " and ".join(name for name in SPLITS if name in given[torn[0]])
        others = f" (and {len(torn) - 1} more)" if len(torn) > 1 else ""
        raise DataError(
            f"Speaker {torn[0]!r}{others} is in both {places}: give each speaker one split, or "
            "leave the splits out to have the speakers divided here."
        )
    return {speaker: splits.pop() for speaker, splits in given.items()}


class _Balance:
    """Moves speakers that have a ``position`` until no stratum is off by more than tolerated."""

    def __init__(
        self,
        strata_of: Mapping[str, Iterable[Stratum]],
        split_of: dict[str, str],
        position: Mapping[str, float],
        shares: Mapping[str, float],
        tolerance: float,
    ):
        self.strata_of, self.split_of, self.position = strata_of, split_of, position
        self.held_out = {split: share for split, share in shares.items() if share > 0}
        self.tolerance = tolerance
        self.movable: defaultdict[Stratum, list[str]] = defaultdict(list)
        self.n: defaultdict[Stratum, Counter[str]] = defaultdict(Counter)
        for speaker, strata in strata_of.items():
            for stratum in strata:
                self.n[stratum][split_of[speaker]] += 1
                if speaker in position:
                    self.movable[stratum].append(speaker)

    def restore(self) -> None:
        if not self.held_out:
            return
        # Languages before their parts; train first: a lone speaker is worth more there.
        for stratum in sorted(self.n, key=lambda names: (len(names), names)):
            for split in ("train", *self.held_out):
                while self.n[stratum][split] < self._fewest(stratum, split):
                    largest = self.n[stratum].most_common(1)[0][0]
                    if not self._move_one(stratum, largest, split, at_any_cost=split == "train"):
                        break
            for split in self.held_out if self.tolerance < 1 else ():
                while self.n[stratum][split] > self._most(stratum, split):
                    if not self._move_one(stratum, split, "train"):
                        break

    def _asked(self, stratum: Stratum, split: str) -> float:
        return self.held_out.get(split, 0.0) * self.n[stratum].total()

    def _fewest(self, stratum: Stratum, split: str) -> int:
        asked = self._asked(stratum, split)
        is_language = len(stratum) == 1
        return max(int(is_language or asked >= 1), math.floor(asked * (1 - self.tolerance)))

    def _most(self, stratum: Stratum, split: str) -> int:
        return max(1, math.ceil(self._asked(stratum, split) * (1 + self.tolerance)))

    def _move_one(
        self, stratum: Stratum, source: str, target: str, at_any_cost: bool = False
    ) -> bool:
        """Move the speaker nearest by hash to another split, if one can be spared."""
        spare = [
            speaker
            for speaker in self.movable[stratum]
            if self.split_of[speaker] == source and (at_any_cost or self._spares(speaker, source))
        ]
        if not spare:
            return False
        speaker = (max if target == "train" else min)(spare, key=self.position.__getitem__)
        for other in self.strata_of[speaker]:
            self.n[other][source] -= 1
            self.n[other][target] += 1
        self.split_of[speaker] = target
        return True

    def _spares(self, speaker: str, split: str) -> bool:
        """Whether each of the speaker's strata has more in ``split`` than it has to have."""
        return all(
            self.n[stratum][split] > self._fewest(stratum, split)
            for stratum in self.strata_of[speaker]
        )
