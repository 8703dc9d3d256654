"""Counts of what happened to recordings, by reason, with a few names for each."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

N_NAMES_SHOWN = 3


@dataclass
class Drops:
    """Why recordings were left out (or changed): a count and the first few names a reason."""

    counts: Counter = field(default_factory=Counter)
    names: defaultdict = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        self.counts[reason] += 1
        if len(self.names[reason]) < N_NAMES_SHOWN:
            self.names[reason].append(name)

    def extend(self, other: "Drops") -> None:
        """Add all that another one counted."""
        for reason, count in other.counts.items():
            self.counts[reason] += count
            room = N_NAMES_SHOWN - len(self.names[reason])
            self.names[reason] += other.names[reason][:room]

    def to_dict(self) -> dict[str, dict]:
        """Plain JSON types; ``Drops.from_dict`` reads them."""
        return {"counts": dict(self.counts), "names": dict(self.names)}

    @classmethod
    def from_dict(cls, plain: dict[str, dict]) -> "Drops":
        drops = cls(Counter(plain["counts"]))
        drops.names.update(plain["names"])
        return drops

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
