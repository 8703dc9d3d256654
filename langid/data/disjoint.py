"""Which utterances may stand in a dataset: each audio once, each speaker in one split."""

from collections.abc import Iterable
from pathlib import Path

from langid.data.splits import SPLITS
from langid.data.store import read_columns
from langid.data.utterance import Utterance, qualified_speaker
from langid.errors import DataError

REBUILD = (
    "build them with the same --seed and shares and join them with prepare_data.py merge or, where "
    "one name means two people, build one with another --source-name"
)


class Deduplicator:
    """Lets each audio pass once.

    The first to come stays: let the splits that are not for training come first.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}  # digest → split and language

    def reason_against(self, utterance: Utterance, split: str) -> str | None:
        """Why this utterance stays out; None lets it in, and remembers it."""
        language = utterance.language
        duplicate = self._seen.get(utterance.audio_digest)
        if duplicate is not None:
            if duplicate[1] != language:
                return "same audio as a clip of another language"
            return "same audio as " + (
                "another clip" if duplicate[0] == split else f"a clip in {duplicate[0]}"
            )
        self._seen[utterance.audio_digest] = (split, language)
        return None

    def remember_folder(self, folder: Path, split: str) -> None:
        """Count what stands in the split's shards as let in."""
        for digest, language in read_columns(folder, split, ["audio_digest", "language"]):
            self._seen[digest] = (split, language)


class SplitCheck:
    """Notes in which split of which dataset each speaker and each audio stands; once in a split
    of one dataset, it may not stand in another split of any.
    """

    def __init__(self):
        self._place: dict[tuple[str, str], tuple[str, str]] = {}  # → split and dataset
        self._conflicts: dict[str, dict[str, str]] = {"speakers": {}, "recordings": {}}  # → where

    def add(self, dataset: str, split: str, kind: str, names: Iterable[str]) -> None:
        """Note members of a split; ``kind`` is ``"speakers"`` or ``"recordings"``."""
        for name in names:
            other, other_dataset = self._place.setdefault((kind, name), (split, dataset))
            if other != split:
                there = f"{other} of {other_dataset}" if other_dataset != dataset else other
                self._conflicts[kind].setdefault(name, f"in {there} and in {split} of {dataset}")

    def add_folder(
        self,
        dataset: str,
        folder: Path,
        with_audio: bool = True,
        splits: Iterable[str] = SPLITS,
    ) -> None:
        """Note what stands in the Parquet files of a dataset, in those of its ``splits``.

        Raises
        ------
        DataError
            If one of them is damaged.
        """
        for split in splits:
            columns, optional = ["speaker_id", "source", "audio_digest"], ("audio_digest",)
            speakers, digests = set(), set()
            for speaker_id, source, digest in read_columns(folder, split, columns, optional):
                if speaker_id not in (None, "") and source:
                    speakers.add(qualified_speaker(speaker_id, source))
                if digest and with_audio:
                    digests.add(digest)
            self.add(dataset, split, "speakers", sorted(speakers))
            self.add(dataset, split, "recordings", sorted(digests))

    def finish(self, remedy: str = REBUILD) -> None:
        """Make sure that nothing stands in two splits.

        Raises
        ------
        DataError
            That says how many speakers or recordings do, names the first, and says ``remedy``.
        """
        for kind, conflicts in self._conflicts.items():
            for name, where in conflicts.items():
                raise DataError(
                    f"{kind.capitalize()} stand in two splits ({len(conflicts):,}, such as "
                    f"{name!r} {where}): {remedy}."
                )


def check_disjoint(folder: Path) -> None:
    """Make sure that no speaker and no audio stands in two splits of a dataset's files.

    Raises
    ------
    DataError
        With the number of those that do, and the first.
    """
    check = SplitCheck()
    check.add_folder("the dataset", folder)
    check.finish("give each speaker one split, and each recording one speaker")
