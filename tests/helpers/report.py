"""A report of eight clips whose answers are decided here."""

from pathlib import Path

from helpers.identifier import FakeIdentifier, identification
from langid.data.clips import Clip
from langid.evaluation.predictions import Predictions
from langid.evaluation.report import Report
from langid.evaluation.summary import make_report

# file, language, source, split, answer (en, fr, other, none), duration
ROWS = [
    ("a.wav", "en", "radio", "dev", (0.7, 0.1, 0.1, 0.1), 2.0),
    ("b.wav", "en", "wild:one", "dev", (0.3, 0.1, 0.6, 0.0), 4.0),
    ("c.wav", "fr", "wild:one", "dev", (0.2, 0.6, 0.1, 0.1), 6.0),
    ("d.wav", "fr", "wild:two", "dev", (0.9, 0.1, 0.0, 0.0), 8.0),
    ("e.wav", "nl", "radio", "dev", (0.1, 0.2, 0.7, 0.0), 3.0),
    ("f.wav", "pt", "radio", "dev", (0.5, 0.1, 0.2, 0.2), 3.0),
    ("g.wav", "noise", "radio", "dev", (0.0, 0.1, 0.1, 0.8), 3.0),
    ("h.wav", "music", "radio", "dev", (0.0, 0.4, 0.2, 0.4), 3.0),
    ("t.wav", "en", "radio", "train", (0.0, 0.0, 0.0, 1.0), 3.0),
]


def report_of(rows: list[tuple] = ROWS[:-1], labels: tuple[str, ...] | None = None) -> Report:
    """The report of these rows, by default those of the split dev."""
    fake = FakeIdentifier({}, **({"labels": labels} if labels else {}))
    identified = [
        (
            Clip(Path(name), name, language, "", source),
            identification(answer, duration_s=duration_s, labels=fake.labels),
        )
        for name, language, source, _, answer, duration_s in rows
    ]
    return make_report(
        fake,
        Predictions.of(identified, fake.labels),
        [],
        folder="clips",
        split="dev",
        used_for_selection=True,
        processing_s=1.5,
    )
