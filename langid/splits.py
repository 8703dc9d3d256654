"""Speakers → splits: by a hash of the speaker, so that later data moves nobody."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from langid.clips import Clip, DataError

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


def assign_splits(
    clips: Iterable[Clip], validation_share: float = 0.1, seed: int = 0
) -> list[Clip]:
    """Give every clip a split such that no speaker stands in two.

    Splits that the folder gives are kept, and a speaker's undecided clips follow them. Other
    speakers go to validation where their hash falls under ``validation_share``: of each
    language about that share, and more data never moves a speaker. One exception keeps small
    corpora usable: where none of a language's speakers falls under the share, the one nearest
    to it goes to validation if train keeps another; that choice may change with more data.

    Raises
    ------
    DataError
        If the folder itself puts one speaker into two splits.
    """
    clips = list(clips)
    split_of = _given_splits(clips)
    speakers = sorted({clip.speaker_id for clip in clips} - split_of.keys())
    position = {speaker: speaker_position(speaker, seed) for speaker in speakers}
    for speaker in speakers:
        split_of[speaker] = "validation" if position[speaker] < validation_share else "train"
    if validation_share > 0:
        _fill_gaps(clips, split_of, position)
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


def _fill_gaps(clips: list[Clip], split_of: dict[str, str], position: dict[str, float]) -> None:
    """Move one speaker where a language lacks train or validation, if it can spare one."""
    languages_of, speakers_of = defaultdict(set), defaultdict(set)
    for clip in clips:
        languages_of[clip.speaker_id].add(clip.language)
        speakers_of[clip.language].add(clip.speaker_id)

    def n_in(language: str, split: str) -> int:
        return sum(split_of[speaker] == split for speaker in speakers_of[language])

    # Train comes first: a lone speaker is worth more there than in validation.
    for lacking, rich, nearest in (("train", "validation", max), ("validation", "train", min)):
        for language in sorted(speakers_of):
            if n_in(language, lacking):
                continue
            movable = [
                speaker
                for speaker in sorted(speakers_of[language] & position.keys())
                if split_of[speaker] == rich
                and (
                    lacking == "train"
                    or all(n_in(spoken, rich) > 1 for spoken in languages_of[speaker])
                )
            ]
            if movable:
                split_of[nearest(movable, key=position.__getitem__)] = lacking
