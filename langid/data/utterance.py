"""What is to be read, what came of it, and what is stored of a piece of speech."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

N_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Job:
    """One thing to read, a recording or an archive, on its way into one split."""

    key: str  # its name among the jobs
    split: str
    n_bytes: int  # about as much as its result takes
    item: Any
    stamp: str = ""  # changes whenever its result might
    amount: float = 1  # of the work, in the unit of the build


@dataclass(frozen=True)
class Utterance:
    """A piece of speech as it is stored; what is not known of it is None."""

    audio: bytes  # a file: FLAC, or the compressed mono 16 kHz original
    file_name: str  # of ``audio``, unlike that of any other utterance
    language: str
    speaker_id: str
    source: str
    duration_s: float
    audio_digest: str  # of the samples in 16 bits, hexadecimal: equal for identical audio
    archive: str | None = None
    utterance_id: str | None = None
    transcript: str | None = None
    transcript_source: str | None = None  # the model that wrote it; None: it came with the audio
    transcript_confidence: float | None = None  # of that model, 0 to 1
    gender: str | None = None  # "female", "male" or "other"
    age_range: str | None = None  # "youth", "adult" or "senior"
    dialect: str | None = None
    native_speaker: bool | None = None
    licence: str | None = None
    synthetic: bool = False


@dataclass
class ReasonCounts:
    """Why recordings were left out (or changed): a count and the first few names a reason."""

    counts: Counter = field(default_factory=Counter)
    names: defaultdict = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        self.counts[reason] += 1
        if len(self.names[reason]) < N_NAMES_SHOWN:
            self.names[reason].append(name)

    def extend(self, other: "ReasonCounts") -> None:
        """Add all that another one counted."""
        for reason, count in other.counts.items():
            self.counts[reason] += count
            room = N_NAMES_SHOWN - len(self.names[reason])
            self.names[reason] += other.names[reason][:room]

    def to_dict(self) -> dict[str, dict]:
        """Plain JSON types; ``ReasonCounts.from_dict`` reads them."""
        return {"counts": dict(self.counts), "names": dict(self.names)}

    @classmethod
    def from_dict(cls, plain: dict[str, dict]) -> "ReasonCounts":
        counts = cls(Counter(plain["counts"]))
        counts.names.update(plain["names"])
        return counts

    def lines(self) -> list[str]:
        """One line a reason, the most frequent first."""
        return [
            f"{count:8,}  {reason}: {self._examples(reason)}"
            for reason, count in self.counts.most_common()
        ]

    def in_words(self) -> str:
        """The three most frequent reasons, for a sentence; empty where nothing was counted."""
        return "; ".join(
            f"{count:,} {reason}: {self._examples(reason)}"
            for reason, count in self.counts.most_common(3)
        )

    def _examples(self, reason: str) -> str:
        names = self.names[reason]
        return ", ".join(names) + (", …" if self.counts[reason] > len(names) else "")


@dataclass
class Reading:
    """What came out of one recording or archive: utterances, and what happened to the others."""

    utterances: list[Utterance] = field(default_factory=list)
    excluded: ReasonCounts = field(default_factory=ReasonCounts)  # left out, and why
    changes: ReasonCounts = field(default_factory=ReasonCounts)  # kept, but cut, resampled …


def qualified_speaker(speaker_id: str | int, source: str) -> str:
    """Speakers of two sources are two people, even if both are called "anna"."""
    name = str(speaker_id)
    return name if name.startswith(f"{source}:") else f"{source}:{name}"
