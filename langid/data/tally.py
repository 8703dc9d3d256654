"""What a dataset holds, counted by split and language, and the table that shows it."""

from dataclasses import dataclass, field

from langid.data.splits import SPLITS


@dataclass
class Tally:
    """What one split holds of one language."""

    n_clips: int = 0
    duration_s: float = 0.0
    speakers: set[str] = field(default_factory=set)

    def add(self, speaker_id: str, duration_s: float) -> None:
        self.n_clips += 1
        self.duration_s += duration_s
        self.speakers.add(speaker_id)


Tallies = dict[tuple[str, str], Tally]  # (split, language) →


def table(tallies: Tallies) -> str:
    """One row a language, and for each split its clips, speakers and hours; totals below."""
    splits = [split for split in SPLITS if any(split == held for held, _ in tallies)]
    languages = sorted({language for _, language in tallies})
    width = max(map(len, [*languages, "language"]))
    lines = [
        " " * width + "".join(f"  {split:^24}" for split in splits),
        f"{'language':{width}}" + f"  {'clips':>8}{'speakers':>10}{'h':>6}" * len(splits),
    ]
    for language in [*languages, None]:
        line = f"{language or 'all':{width}}"
        for split in splits:
            parts = [
                tally
                for (held, spoken), tally in tallies.items()
                if held == split and spoken == (language or spoken)
            ]
            n_clips = sum(part.n_clips for part in parts)
            n_speakers = len(set().union(*(part.speakers for part in parts)))
            hours = sum(part.duration_s for part in parts) / 3600
            line += f"  {n_clips:>8,}{n_speakers:>10,}{hours:>6.2f}"
        lines.append(line)
    return "\n".join(line.rstrip() for line in lines)
