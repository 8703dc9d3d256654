"""Which utterances may stand in a dataset: each audio once, each speaker in one split."""

import math
from collections import defaultdict
from pathlib import Path

from langid.data.splits import SPLITS
from langid.data.store import read_columns
from langid.data.utterance import HAS_ENOUGH, Utterance
from langid.errors import DataError


class Gate:
    """Lets each audio pass once, of each speaker in a language ``max_speaker_s`` seconds at most,
    and of each language ``max_language_s``.

    The first to come stays: let the splits that are not for training come first.
    """

    def __init__(self, max_speaker_s: float = math.inf, max_language_s: float = math.inf):
        self.max_speaker_s, self.max_language_s = max_speaker_s, max_language_s
        self._seen: dict[str, tuple[str, str]] = {}  # digest → split and language
        self._heard_s: defaultdict[tuple[str, str], float] = defaultdict(float)  # of a speaker
        self._spoken_s: defaultdict[str, float] = defaultdict(float)  # in a language

    def refusal(self, utterance: Utterance, split: str) -> str | None:
        """Why this utterance stays out; None lets it in, and remembers it."""
        language = utterance.language
        twin = self._seen.get(utterance.audio_digest)
        if twin is not None:
            if twin[1] != language:
                return "same audio as a clip of another language"
            return "same audio as " + (
                "another clip" if twin[0] == split else f"a clip in {twin[0]}"
            )
        speaker = (utterance.speaker_id, language)
        if self._heard_s[speaker] + utterance.duration_s > self.max_speaker_s:
            return HAS_ENOUGH
        if self._spoken_s[language] + utterance.duration_s > self.max_language_s:
            return "language has enough"
        self._remember(utterance.audio_digest, speaker, split, utterance.duration_s)
        return None

    def remember_folder(self, folder: Path, split: str) -> None:
        """Count what stands in the split's shards as let in."""
        columns = ["audio_digest", "speaker_id", "language", "duration_s"]
        for digest, speaker_id, language, duration_s in read_columns(folder, split, columns):
            self._remember(digest, (speaker_id, language), split, duration_s)

    def _remember(
        self, digest: str, speaker: tuple[str, str], split: str, duration_s: float
    ) -> None:
        self._seen[digest] = (split, speaker[1])
        self._heard_s[speaker] += duration_s
        self._spoken_s[speaker[1]] += duration_s


def check_disjoint(folder: Path) -> None:
    """Make sure that no speaker and no audio stands in two splits of a dataset's files.

    Raises
    ------
    DataError
        With the first that does.
    """
    split_of: dict[tuple[str, str], str] = {}
    for split in SPLITS:
        for names in read_columns(folder, split, ["speaker_id", "audio_digest"]):
            for what, name in zip(("Speaker", "Audio"), names, strict=True):
                other = split_of.setdefault((what, name), split)
                if other != split:
                    raise DataError(
                        f"{what} {name!r} stands in {other} and in {split}: give each speaker "
                        "one split, and each recording one speaker."
                    )
