"""``LanguageCNN``: waveform windows → language logits, log-mel features included.

A 2-D convolutional stem over log-mel (small shifts in frequency are other vocal tracts), a 1-D
residual encoder over time, and attentive statistics pooling (Okabe et al., 2018,
arXiv:1803.10963). In training the encoder also spells out phones through a CTC head (phonetically
aware language identification, PHO-LID, arXiv:2203.12366); its posteriors are fed back to the
language head (self-conditioned CTC, arXiv:2104.02724). Where a teacher was at hand, a second head
names the unit that the teacher heard in each frame, fed back in the same way, and a third one says
which of the teacher's languages it was.
"""

from textwrap import shorten
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from langid.config import SUBSAMPLING, ModelConfig
from langid.errors import DeviceError
from langid.features import DECIBEL, LogMel

ENCODER_DILATIONS = (1, 2, 1, 2, 4, 8)  # of the encoder's blocks; more begin again
LOG_MEL_DEVIATION = 3.0  # about that of speech from its bands' means; keeps inputs near 1


def usable_device(name: str | torch.device) -> torch.device:
    """The device of that name, after a number was written to it and read back.

    Raises
    ------
    DeviceError
        If torch knows no such device, or it is not there or cannot be used.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError, ValueError) as error:  # torch's refusals
        first_sentence = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        reason = shorten(first_sentence, 120, placeholder=" …")
        raise DeviceError(
            f"The device {str(name)!r} cannot be used: {reason}; choose another, such as cpu."
        ) from error
    return device


def normalise(log_mel: Tensor, dynamic_range_db: float) -> Tensor:
    """Remove level and stationary channel from each window, from the window alone.

    ``log_mel`` (batch, n_mels, n_frames) is floored ``dynamic_range_db`` below its own peak, so
    that a noise gate or a codec's empty bands look like any quiet background, and each band's
    mean over time is subtracted (cepstral mean normalisation, Atal 1974).
    """
    peak = log_mel.amax(dim=(1, 2), keepdim=True)
    log_mel = torch.maximum(log_mel, peak - dynamic_range_db * DECIBEL)
    return (log_mel - log_mel.mean(dim=2, keepdim=True)) / LOG_MEL_DEVIATION


class ResidualBlock1d(nn.Module):
    """Two convolutions over time around a skip: (batch, width, n) → the same."""

    def __init__(self, width: int, dilation: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Conv1d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm1d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class Stem2d(nn.Module):
    """Log-mel as a picture: (batch, n_mels, n) → (batch, width, n / SUBSAMPLING).

    Two convolutions of stride 2 make the SUBSAMPLING, over time and over bands alike.
    """

    def __init__(self, n_mels: int, channels: int, width: int):
        super().__init__()
        wide = 2 * channels
        self.down = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, wide, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
        )
        self.body = nn.Sequential(
            nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.project = nn.Sequential(
            nn.Conv1d(wide * (n_mels // SUBSAMPLING), width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x.unsqueeze(1))
        x = F.relu(x + self.body(x))  # (batch, wide, n_mels / SUBSAMPLING, n / SUBSAMPLING)
        return self.project(x.flatten(1, 2))


class AttentiveStatistics(nn.Module):
    """Weighted mean and standard deviation over time: (batch, width, n) → (batch, 2 width)."""

    def __init__(self, width: int, hidden: int = 64):
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv1d(width, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        weight = self.attention(x).float().softmax(dim=2)
        x = x.float()
        mean = (weight * x).sum(dim=2)
        variance = (weight * x.square()).sum(dim=2) - mean.square()
        return torch.cat([mean, variance.clamp_min(1e-5).sqrt()], dim=1)


class Heads(NamedTuple):
    """Logits of all heads; n is the number of log-mel frames / SUBSAMPLING."""

    language: Tensor  # (batch, n_labels)
    phones: Tensor  # (batch, 1 + n_phones, n)
    units: Tensor | None  # (batch, n_units, n)
    teacher_languages: Tensor | None  # (batch, n_teacher_languages)


class LanguageCNN(nn.Module):
    """Waveform windows (batch, n_samples) → logits (batch, n_labels).

    Windows of any length from about 0.3 s work, all of one batch being equally long; the network
    is trained on 1 s to three times ``window_s``.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = c = config
        self.log_mel = LogMel(c)
        self.stem = Stem2d(c.n_mels, c.stem_channels, c.width)
        self.encoder = nn.Sequential(
            *[
                ResidualBlock1d(c.width, ENCODER_DILATIONS[i % len(ENCODER_DILATIONS)], c.dropout)
                for i in range(c.n_encoder_blocks)
            ]
        )
        n_phones = len(c.phones) + 1
        self.phone_head = nn.Conv1d(c.width, n_phones, 1)
        self.phone_feedback = nn.Conv1d(n_phones, c.width, 1)
        if c.n_units:
            self.unit_head = nn.Conv1d(c.width, c.n_units, 1)
            self.unit_feedback = nn.Conv1d(c.n_units, c.width, 1)
            # Nothing comes back at first: weights from before there were units say the same.
            nn.init.zeros_(self.unit_feedback.weight)
            nn.init.zeros_(self.unit_feedback.bias)
        self.head = nn.Sequential(
            *[ResidualBlock1d(c.width, (2, 4)[i % 2], c.dropout) for i in range(c.n_head_blocks)]
        )
        self.pooling = AttentiveStatistics(c.width)
        self.embedding = nn.Sequential(
            nn.Linear(2 * c.width, c.embedding_size, bias=False),
            nn.BatchNorm1d(c.embedding_size),
            nn.ReLU(inplace=True),
            nn.Dropout(c.embedding_dropout),
        )
        self.classifier = nn.Linear(c.embedding_size, len(c.labels))
        if c.teacher_languages:
            self.teacher_classifier = nn.Linear(c.embedding_size, len(c.teacher_languages))

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform (batch, n_samples) in [-1, 1] → uncalibrated logits (batch, n_labels)."""
        return self.forward_features(self.log_mel(waveform))[0]

    def forward_features(self, log_mel: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel (batch, n_mels, n_frames) → language logits (batch, n_labels) and phone logits
        (batch, 1 + n_phones, n_frames / SUBSAMPLING)."""
        heads = self.forward_heads(log_mel)
        return heads.language, heads.phones

    def forward_heads(self, log_mel: Tensor) -> Heads:
        """Log-mel (batch, n_mels, n_frames) → the logits of all heads."""
        x = normalise(log_mel, self.config.dynamic_range_db)
        x = self.encoder(self.stem(x))
        phone_logits = self.phone_head(x)
        fed_back = self.phone_feedback(phone_logits.float().softmax(dim=1).to(x.dtype))
        unit_logits = None
        if self.config.n_units:
            unit_logits = self.unit_head(x)
            fed_back = fed_back + self.unit_feedback(unit_logits.float().softmax(dim=1).to(x.dtype))
        z = self.embedding(self.pooling(self.head(x + fed_back)))
        teacher_logits = self.teacher_classifier(z) if self.config.teacher_languages else None
        return Heads(self.classifier(z), phone_logits, unit_logits, teacher_logits)

    @torch.inference_mode()
    def predict(self, waveform: Tensor) -> Tensor:
        """Waveform (batch, n_samples) → calibrated probabilities (batch, n_labels)."""
        logits = self(waveform.to(self.classifier.weight.device))
        return (logits.float() / self.config.temperature).softmax(dim=1)
