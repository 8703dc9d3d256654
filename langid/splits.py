"""Speakers → splits: by a hash of the speaker, so that later data moves nobody."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from langid.clips import Clip
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
) -> dict[str, str]:
    """Speaker → split, such that every stratum is divided in the same shares.

    Speakers of ``known`` keep their split. The hash of a speaker decides over the others, so that
    of each stratum about the share of each split goes there, and more data never moves a speaker.
    One exception keeps small strata usable: where a split would get none of a stratum that can
    spare a speaker (a language: from as many speakers as there are splits; a part of a language:
    where a share of it is a whole speaker), the nearest by hash goes there. Keep the result and
    give it as ``known`` next time, and such a choice stays as well.

    Parameters
    ----------
    strata_of
        Of each speaker the strata: ``(language,)``, and finer ones such as
        ``(language, gender)``.
    shares
        Of ``"validation"`` and ``"test"``; the rest is ``"train"``.
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
    _fill_gaps(strata_of, split_of, position, shares)
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


def _fill_gaps(
    strata_of: Mapping[str, Iterable[Stratum]],
    split_of: dict[str, str],
    position: dict[str, float],
    shares: Mapping[str, float],
) -> None:
    """Move one speaker where a stratum lacks a split, if it can spare one."""
    speakers_of = defaultdict(set)
    for speaker, strata in strata_of.items():
        for stratum in strata:
            speakers_of[stratum].add(speaker)

    share_of = {"train": 1 - sum(shares.values()), **shares}

    def n_in(stratum: Stratum, split: str) -> int:
        return sum(split_of[speaker] == split for speaker in speakers_of[stratum])

    def needs(stratum: Stratum, split: str) -> bool:
        return len(stratum) == 1 or share_of.get(split, 0.0) * len(speakers_of[stratum]) >= 1

    def fill(stratum: Stratum, lacking: str) -> None:
        if n_in(stratum, lacking) or not needs(stratum, lacking):
            return
        rich = max(SPLITS, key=lambda split: n_in(stratum, split))
        movable = [
            speaker
            for speaker in sorted(speakers_of[stratum] & position.keys())
            if split_of[speaker] == rich
            and (
                lacking == "train"
                or all(
                    n_in(other, rich) > 1 or not needs(other, rich) for other in strata_of[speaker]
                )
            )
        ]
        if movable:
            nearest = max if lacking == "train" else min
            split_of[nearest(movable, key=position.__getitem__)] = lacking

    held_out = [split for split in SPLITS if shares.get(split, 0.0) > 0]
    # Languages before their parts; train first: a lone speaker is worth more there.
    for stratum in sorted(speakers_of, key=lambda names: (len(names), names)):
        for split in ["train", *held_out] if held_out else []:
            fill(stratum, split)
