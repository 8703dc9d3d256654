"""The settings that travel with the weights."""

from dataclasses import dataclass

from langid.languages import DEFAULT_LANGUAGES, NONE, OTHER


@dataclass(frozen=True)
class ModelConfig:
    """Everything that the weights need to mean something."""

    labels: tuple[str, ...] = (*DEFAULT_LANGUAGES, OTHER, NONE)
    sample_rate: int = 16_000
    window_s: float = 4.0
    hop_s: float = 2.0
    n_fft: int = 512
    win_length: int = 400  # 25 ms
    hop_length: int = 160  # 10 ms
    n_mels: int = 64
    f_min_hz: float = 60.0
    f_max_hz: float = 7600.0
    dynamic_range_db: float = 60.0  # what lies further below the window's peak is cut off
    stem_channels: int = 32
    width: int = 256
    n_encoder_blocks: int = 4
    n_head_blocks: int = 2
    embedding_size: int = 192
    dropout: float = 0.0
    embedding_dropout: float = 0.3
    phones: tuple[str, ...] = ()  # CTC inventory; index 0 of the head is the blank
    n_units: int = 0  # classes of frames that a teacher told apart; 0: no such head
    teacher_languages: tuple[str, ...] = ()  # of a second head; empty: no such head
    temperature: float = 1.0  # divides the logits; fitted on validation recordings

    @property
    def n_window_frames(self) -> int:
        """Log-mel frames of a full window."""
        return 1 + (round(self.window_s * self.sample_rate) - self.n_fft) // self.hop_length

    @property
    def n_hop_frames(self) -> int:
        """Log-mel frames between the starts of two windows."""
        return round(self.hop_s * self.sample_rate) // self.hop_length
