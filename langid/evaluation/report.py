"""The report of an evaluation: frozen types, and how they are kept as JSON.

`langid.evaluation.summary` makes them; text, page, cards, ``metrics.json`` and README's figures
are renderings of them. A figure that the clips cannot give is None. Accuracies are mean recalls
(balanced accuracies), 0 to 1; "closed" choices are among the model's languages only, "open" ones
among all its labels, "other" and "none" included.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from langid.errors import DataError
from langid.languages import OTHER
from langid.version import VERSION

METRICS_FILE = "metrics.json"
# Types are held, at construction and when read back; what is unknown or missing is refused.
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def is_wild(source: str) -> bool:
    """Whether a source is called ``wild`` or ``wild:…``: of no corpus that is trained on."""
    return source.split(":")[0] == "wild"


@dataclass(frozen=True, config=_STRICT)
class ClassRecall:
    """Of the ``n`` clips of one class."""

    n: int
    recall: float | None  # closed; None for "other" and "none"
    recall_open: float | None


@dataclass(frozen=True, config=_STRICT)
class Group:
    """Some of the clips: those of one source, or of one range of durations."""

    n: int
    clip_accuracy: float | None  # closed
    clip_accuracy_open: float | None
    per_language: dict[str, ClassRecall]  # by label; labels without clips are absent


@dataclass(frozen=True, config=_STRICT)
class OtherLanguage:
    """How a language outside the model fares."""

    n: int
    rejection_rate: float  # share answered "other"
    taken_for: dict[str, int]  # how often which answer instead, the most frequent first


@dataclass(frozen=True, config=_STRICT)
class Confusion:
    """Open answers: a row for each true class, a column for each answer, both as ``labels``."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, config=_STRICT)
class CalibrationBin:
    """Clips whose confidence lies in one bin: its mean there, and the share that is right."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, config=_STRICT)
class Mistake:
    """A clip whose answer is wrong (or its label is)."""

    file: str
    language: str
    answer: str
    confidence: float
    duration_s: float
    source: str


@dataclass(frozen=True, config=_STRICT)
class Failure:
    """A clip that could not be identified, and why."""

    file: str
    error: str


@dataclass(frozen=True, config=_STRICT)
class TrainingSource:
    """What was trained on of one source and licence."""

    source: str
    licence: str
    languages: tuple[str, ...]
    n_clips: int
    hours: float
    n_speakers: int
    synthetic: bool
    sounds_only: bool = False  # its labels were not learnt, only what a teacher heard in it


@dataclass(frozen=True, config=_STRICT)
class Training:
    """How the weights came about."""

    settings: dict[str, JsonValue]
    sources: tuple[TrainingSource, ...]
    parents: tuple[str, ...] = ()  # models that it started from
    inherited: tuple[TrainingSource, ...] = ()  # what they were trained on beside ``sources``
    unrecorded: tuple[str, ...] = ()  # those, and theirs, that do not tell what they learnt from

    @property
    def all_sources(self) -> tuple[TrainingSource, ...]:
        """Everything that the weights are known to have learnt from."""
        return self.sources + self.inherited


@dataclass(frozen=True, config=_STRICT)
class Report:
    """What a model is worth on labelled clips."""

    model: str
    revision: str | None
    package_version: str
    n_parameters: int | None
    weights_bytes: int | None  # of the tensors, as they are stored
    folder: str
    split: str | None
    used_for_selection: bool  # the weights or their calibration were chosen by these clips
    n_clips: int  # with an answer
    n_failed: int
    errors: tuple[Failure, ...]
    clip_accuracy: float | None  # closed
    clip_accuracy_open: float | None
    window_accuracy: float | None  # closed, every window a clip of its own
    n_windows: int
    confusion: Confusion
    ece: float | None  # expected calibration error of the open answer's confidence
    calibration: tuple[CalibrationBin, ...]  # the curve behind it, by rising confidence
    other_auroc: float | None  # P(other) of other languages against that of the model's own
    none_recall: float | None  # share of the clips without speech that are answered so
    missed_speech_rate: float | None  # share of the clips with speech that are answered "none"
    by_duration: dict[str, Group]
    per_language: dict[str, ClassRecall]  # every label of the model
    per_source: dict[str, Group]
    wild: Group | None  # the sources called "wild:…" together
    other_languages: dict[str, OtherLanguage]
    worst: tuple[Mistake, ...]  # wrong with the highest confidence, that first
    audio_s: float
    processing_s: float  # decoding included, loading the model not
    real_time_factor: float  # processing_s / audio_s: lower is faster
    training: Training | None = None
    conditions: dict[str, float] | None = None  # name → points of clip_accuracy that it costs
    peer: "Report | None" = None  # another model on the same clips

    @property
    def languages(self) -> list[str]:
        """Labels that are languages and have clips here."""
        return [k for k, v in self.per_language.items() if v.recall is not None]

    @property
    def other_recall(self) -> float | None:
        """Share of the clips in other languages that are answered so."""
        return self.per_language[OTHER].recall_open if OTHER in self.per_language else None

    def n_clips_of(self, labels: Iterable[str]) -> int:
        """Clips of these classes."""
        return sum(self.per_language[label].n for label in labels)

    @property
    def wild_is_unseen(self) -> bool:
        """Whether the sources of ``wild`` are proven not to be among those of the training."""
        training = self.training
        if self.wild is None or training is None or training.unrecorded:
            return False
        trained_on = {source.source.removeprefix("wild:") for source in training.all_sources}
        wild = {name.removeprefix("wild:") for name in self.per_source if is_wild(name)}
        return bool(trained_on) and not wild & trained_on

    def to_json(self) -> str:
        """The text of ``metrics.json``."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False)
        return text + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        """The report that ``to_json`` wrote.

        Raises
        ------
        DataError
            If it is not exactly one, with the first field that is unknown, missing or wrong.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "the text"
            raise DataError(
                f"This is no report of langid {VERSION} ({field}: {first['msg']}): measure the "
                "model again with 'python -m langid evaluate'."
            ) from error


_ADAPTER = TypeAdapter(Report)


def read_report(path: Path) -> Report:
    """The report in a file.

    Raises
    ------
    DataError
        If there is none, naming the file.
    """
    try:
        return Report.from_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
