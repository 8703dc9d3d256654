"""An identifier whose answers a test decides."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from langid.errors import AudioError
from langid.identification import Identification, Segment, WindowResult

LABELS = ("en", "fr", "other", "none")


def identification(
    probabilities: Iterable[float],
    windows: Iterable[Iterable[float]] | None = None,
    duration_s: float = 4.0,
    warnings: tuple[str, ...] = (),
    labels: tuple[str, ...] = LABELS,
) -> Identification:
    """An answer with these probabilities, and one window like it unless others are given."""
    whole = dict(zip(labels, probabilities, strict=True))
    language = max(whole, key=whole.__getitem__)
    rows = [dict(zip(labels, row, strict=True)) for row in windows or [list(whole.values())]]
    return Identification(
        language=language,
        confidence=whole[language],
        probabilities=whole,
        windows=[WindowResult(2.0 * i, 2.0 * i + 4.0, row) for i, row in enumerate(rows)],
        segments=[Segment(0.0, duration_s, language, whole[language])],
        duration_s=duration_s,
        active_s=duration_s,
        warnings=list(warnings),
    )


class FakeIdentifier:
    """Gives each file the answer, or the error, that stands under its name."""

    source = "fake weights"
    revision = None
    n_parameters, weights_bytes = 2_900_000, 5_800_000

    def __init__(
        self, answers: dict[str, Identification | AudioError], labels: tuple[str, ...] = LABELS
    ):
        self.answers = answers
        self.labels = labels
        self.languages = tuple(label for label in labels if label not in ("other", "none"))
        self.asked_languages: object = None
        self.asked_audio_track: int | None = None

    def identify_many(
        self, paths: Iterable, languages: list[str] | None = None, audio_track: int | None = None
    ) -> Iterator[tuple[object, Identification | AudioError]]:
        self.asked_languages = languages
        self.asked_audio_track = audio_track
        if languages is not None and not set(languages) <= set(self.labels):
            raise ValueError("This model does not know a candidate.")
        # Backwards: the order of the answers is no promise.
        return ((path, self.answers[_name(path)]) for path in reversed(list(paths)))


def _name(path: object) -> str:
    return Path(path).name if isinstance(path, str | Path) else "-"
