"""``Identification``: what is said of a recording, and the arithmetic from probabilities to it."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from langid.audio.duration import describe_duration
from langid.errors import Message
from langid.languages import NONE, choose_labels
from langid.segments import (
    in_keeping,
    label_windows,
    own_languages,
    with_languages_of_passages,
)
from langid.windows import aggregate, merge, restrict, runs

MAX_WINDOWS = 4_000  # in an answer: 2.2 hours of them
LITTLE_S = 1.0  # less than this above the silence comes with a warning
# Less speech than both, in seconds and as a share of the recording, comes with one as well.
LITTLE_SPEECH_S, LITTLE_SPEECH_SHARE = 10.0, 0.1


@dataclass(frozen=True)
class WindowResult:
    """The probabilities of one window or passage, or of some neighbouring ones that were merged."""

    start_s: float
    end_s: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Segment:
    """Neighbouring windows of one label, smoothed, and its mean probability there: that of their
    passage where it is of that label, otherwise their own."""

    start_s: float
    end_s: float
    language: str
    confidence: float


@dataclass(frozen=True)
class LanguageShare:
    """How much of a recording's speech is in one language."""

    language: str
    share: float  # of the seconds of all languages listed: the shares sum to 1
    seconds: float  # of its segments


@dataclass(frozen=True)
class Identification:
    """The answer for a recording. ``language`` and ``confidence`` are the maximum of
    ``probabilities``.

    ``probabilities`` are over the model's labels (ISO 639-1 codes, ``"other"`` if it was trained
    on other languages, ``"none"``) in their order and sum to 1; ``windows`` and ``segments`` are
    in the order of time. Of a recording with more than `MAX_WINDOWS` windows each of ``windows``
    stands for several neighbours, with the mean of their probabilities. ``active_s`` are the
    seconds that stand out of the recording's silence, by `EnergyMeter`.

    ``languages`` are those that hold stretches of their own, longest first: ``language`` is the
    first of them, and there is none where nobody speaks. Where there are several, the
    ``probabilities`` of languages are their shares, as it is no longer the question which one it
    is.

    ``passages`` are longer stretches in one piece, of several windows each. What was spoken in a
    window that lies in one language's passage, the passage says; the windows say when.
    """

    language: str
    confidence: float
    probabilities: dict[str, float]
    windows: list[WindowResult]
    segments: list[Segment]
    duration_s: float
    active_s: float
    warnings: list[str]
    languages: list[LanguageShare] = field(default_factory=list)
    passages: list[WindowResult] = field(default_factory=list)

    def to_dict(self) -> dict:
        """The same as plain JSON types."""
        return dataclasses.asdict(self)

    def refined(self) -> np.ndarray:
        """(n_windows, n_labels): the windows with the languages of their passages."""
        labels = tuple(self.probabilities)
        windows, passages = _rows(self.windows, len(labels)), _rows(self.passages, len(labels))
        return with_languages_of_passages(*windows, *passages, labels.index(NONE))

    def restricted(self, languages: str | Iterable[str] | None) -> "Identification":
        """What `LanguageIdentifier.identify` answers with these candidates, by arithmetic alone.

        This answer is one over all labels; ``languages`` are as there, with its errors. Of more
        than `MAX_WINDOWS` windows the merged ones count.
        """
        labels = tuple(self.probabilities)
        return summarise(
            labels,
            kept_labels(labels, languages),
            *_rows(self.windows, len(labels)),
            (self.duration_s, self.active_s),
            self.warnings,
            *_rows(self.passages, len(labels)),
        )


def kept_labels(labels: tuple[str, ...], languages: str | Iterable[str] | None) -> np.ndarray:
    """(n_labels,) bool: the labels that an answer may be."""
    chosen = choose_labels(languages, labels) or labels
    return np.array([label in chosen for label in labels])


def summarise(
    labels: tuple[str, ...],
    kept: np.ndarray,
    windows: np.ndarray,
    bounds: list[tuple[float, float]],
    lengths_s: tuple[float, float],
    warnings: list[str],
    passages: np.ndarray | None = None,
    passage_bounds: Sequence[tuple[float, float]] = (),
) -> Identification:
    """The answer among the labels ``kept``.

    ``windows`` (n_windows, n_labels) are probabilities over all labels, ``bounds`` the windows'
    (start_s, end_s), ``lengths_s`` the recording's duration and its active seconds; ``passages``
    (n_passages, n_labels) and their bounds are those of longer stretches, if there are any.
    """
    none, warnings = labels.index(NONE), list(warnings)
    if passages is None:
        passages = np.zeros((0, len(labels)))
    refined = with_languages_of_passages(windows, bounds, passages, passage_bounds, none)
    whole = aggregate(refined, none)
    if whole.argmax() == none and not kept[none]:
        warnings.append(
            Message("No speech was found: the answer is only the likelier of the candidates.")
        )
    whole = restrict(whole, kept)
    answer = int(whole.argmax())
    path = label_windows(windows, bounds, none, kept, answer)
    seconds = own_languages(path, windows, bounds, none, kept, answer)
    shares = np.zeros(len(labels))
    shares[list(seconds)] = np.array(list(seconds.values())) / max(sum(seconds.values()), 1e-9)
    if len(seconds) > 1 and shares.max() * (1 - whole[none]) > whole[none]:
        whole = np.where(np.arange(len(labels)) == none, whole, shares * (1 - whole[none]))
    elif seconds:
        seconds = {answer: sum(seconds.values())}
        if answer not in path:  # passages heard a language that is no window's
            path[path != none] = answer

    language = labels[whole.argmax()]
    duration_s, active_s = lengths_s
    if active_s < LITTLE_S < duration_s and language != NONE:
        warning = (
            Message(
                "Only {active_s:.1f} s of this recording is louder than silence: the answer may be "
                "wrong.",
                active_s=active_s,
            )
            if active_s >= 0.05
            else Message(
                "Nothing in this recording is louder than silence: the answer may be wrong."
            )
        )
        warnings += [warning] if warning not in warnings else []  # a restricted answer has it
    windows, refined = restrict(windows, kept), restrict(refined, kept)
    shown = in_keeping(refined, windows, path, none)
    segments = [
        Segment(start_s, end_s, labels[path[first]], float(shown[first:end, path[first]].mean()))
        for first, end, start_s, end_s in runs(path.tolist(), bounds)
    ]
    return Identification(
        language=language,
        confidence=float(whole.max()),
        probabilities=_named(labels, whole),
        windows=_results(labels, windows, bounds),
        segments=segments,
        duration_s=duration_s,
        active_s=active_s,
        warnings=warnings,
        languages=[
            LanguageShare(labels[label], length_s / sum(seconds.values()), length_s)
            for label, length_s in seconds.items()
        ],
        passages=_results(labels, restrict(passages, kept), list(passage_bounds)),
    )


def little_speech(speech_s: float, active_s: float, duration_s: float) -> list[Message]:
    """A warning where a short stretch of speech stands in a long recording."""
    if not speech_s or active_s < LITTLE_S:  # which `summarise` warns of
        return []
    if speech_s >= min(LITTLE_SPEECH_S, LITTLE_SPEECH_SHARE * duration_s):
        return []
    return [
        Message(
            "Only {speech_s:.1f} s of speech in {duration}: the answer may be wrong.",
            speech_s=float(speech_s),
            duration=describe_duration(duration_s),
        )
    ]


def _results(
    labels: tuple[str, ...], probabilities: np.ndarray, bounds: list[tuple[float, float]]
) -> list[WindowResult]:
    """At most `MAX_WINDOWS` of them."""
    merged = zip(*merge(probabilities, bounds, MAX_WINDOWS), strict=True)
    return [WindowResult(start_s, end_s, _named(labels, row)) for row, (start_s, end_s) in merged]


def _rows(
    results: list[WindowResult], n_labels: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    rows = [list(result.probabilities.values()) for result in results]
    bounds = [(result.start_s, result.end_s) for result in results]
    return np.array(rows).reshape(-1, n_labels), bounds


def _named(labels: tuple[str, ...], probabilities: np.ndarray) -> dict[str, float]:
    return dict(zip(labels, probabilities.tolist(), strict=True))
