"""The settings that travel with the weights, and what may stand in them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from langid.audio import SAMPLE_RATE
from langid.languages import DEFAULT_LANGUAGES, NONE, OTHER, languages_of

SUBSAMPLING = 4  # log-mel frames per frame of the encoder, and mel bands per band of the stem
# Settings that decide what a log-mel frame is; nothing else does.
MEL_SETTINGS = (
    *("sample_rate", "n_fft", "win_length", "hop_length"),
    *("n_mels", "f_min_hz", "f_max_hz"),
)

# Where a file is read: a number is a number, true is not 1, and NaN is refused.
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
# Upper ends keep a damaged file from asking for all memory.
Samples = Annotated[int, Field(ge=1, le=16_384)]
Width = Annotated[int, Field(ge=1, le=2048)]
Blocks = Annotated[int, Field(ge=0, le=32)]
DropoutProbability = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class LabelTraining:
    """What one label of a model was trained on, in the run that made the weights.

    ``"none"`` may have no recordings: the built-in non-speech (digital silence, hiss, hum, tones)
    trains it then.
    """

    label: str
    n_clips: NonNegativeInt
    hours: NonNegativeFloat

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class ModelConfig:
    """Everything that the weights need to mean something.

    Raises
    ------
    ValueError
        If settings do not fit each other. Types and ranges of single settings are looked at where
        they are read from a file, in `langid.checkpoint.read_config`.
    """

    labels: tuple[str, ...] = (*DEFAULT_LANGUAGES, OTHER, NONE)  # what the model can answer
    sample_rate: int = SAMPLE_RATE
    window_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    hop_s: PositiveFloat = 2.0
    n_fft: Samples = 512
    win_length: Samples = 400  # 25 ms
    hop_length: Samples = 160  # 10 ms
    n_mels: Annotated[int, Field(ge=SUBSAMPLING, le=512, multiple_of=SUBSAMPLING)] = 64
    f_min_hz: NonNegativeFloat = 60.0
    f_max_hz: PositiveFloat = 7600.0
    dynamic_range_db: PositiveFloat = 60.0  # what lies further below the window's peak is cut off
    stem_channels: Width = 32
    width: Width = 256
    n_encoder_blocks: Blocks = 4
    n_head_blocks: Blocks = 2
    embedding_size: Width = 192
    dropout: DropoutProbability = 0.0
    embedding_dropout: DropoutProbability = 0.3
    phones: tuple[str, ...] = ()  # CTC inventory; index 0 of the head is the blank
    n_units: Annotated[int, Field(ge=0, le=8192)] = 0  # of a head for a teacher's units; 0: none
    teacher_languages: tuple[str, ...] = ()  # of a head for a teacher's posteriors; (): none
    temperature: PositiveFloat = 1.0  # divides the logits; fitted on validation recordings
    training: tuple[LabelTraining, ...] = ()  # of each label, in their order; () is not known

    __pydantic_config__ = _STRICT

    def __post_init__(self):
        if problem := self._problem():
            raise ValueError(problem)

    def _problem(self) -> str | None:
        """The first setting that does not fit the others, in words."""
        if len(set(self.labels)) < len(self.labels):
            return "a label is listed twice"
        if NONE not in self.labels or not languages_of(self.labels):
            return f"labels must hold a language and {NONE!r}"
        if self.sample_rate != SAMPLE_RATE:
            return f"sample_rate is {self.sample_rate}, but recordings are decoded to {SAMPLE_RATE}"
        if not self.hop_length <= self.win_length <= self.n_fft <= self.window_s * self.sample_rate:
            return "hop_length, win_length, n_fft and window_s must each be no longer than the next"
        if not self.hop_length / self.sample_rate <= self.hop_s <= self.window_s:
            return "hop_s must lie between hop_length and window_s"
        if not self.f_min_hz < self.f_max_hz <= self.sample_rate / 2:
            return "f_min_hz must lie below f_max_hz, and that within half the sample_rate"
        if not self.training:
            return None
        if [entry.label for entry in self.training] != list(self.labels):
            return "training must name the labels, in their order"
        untrained = [e.label for e in self.training if not e.n_clips and e.label != NONE]
        return f"{', '.join(untrained)} is a label but was not trained" if untrained else None

    @property
    def n_window_frames(self) -> int:
        """Log-mel frames of a full window."""
        return 1 + (round(self.window_s * self.sample_rate) - self.n_fft) // self.hop_length

    @property
    def n_hop_frames(self) -> int:
        """Log-mel frames between the starts of two windows."""
        return round(self.hop_s * self.sample_rate) // self.hop_length

    @property
    def frame_s(self) -> float:
        """Seconds between the starts of two log-mel frames."""
        return self.hop_length / self.sample_rate

    @property
    def mel_settings(self) -> dict[str, int | float]:
        """The settings on which log-mel depends, and no other."""
        return {name: getattr(self, name) for name in MEL_SETTINGS}
