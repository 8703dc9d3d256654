"""Waveform → log-mel spectrogram: the only feature code, for training and for serving."""

import math

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from langid.config import ModelConfig

# Smallest mel power before the logarithm: digital silence gives ln(1e-10), about -23.
POWER_FLOOR = 1e-10
DECIBEL = math.log(10) / 10  # of power, on the scale of log-mel: the natural logarithm


class LogMel(nn.Module):
    """Natural logarithm of mel-filtered power.

    Frames are not centred and not padded: frame ``t`` covers exactly the samples
    ``t * hop_length … t * hop_length + n_fft``. Frames cut from a long spectrogram are therefore
    the frames of the window cut from the waveform, which is what lets training work on cached
    features and still see what serving sees.

    Shapes: waveform ``(batch, n_samples)`` in [-1, 1] → ``(batch, n_mels, n_frames)`` with
    ``n_frames = 1 + (n_samples - n_fft) // hop_length``.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.mel = MelSpectrogram(
            sample_rate=config.sample_rate,
            n_fft=config.n_fft,
            win_length=config.win_length,
            hop_length=config.hop_length,
            f_min=config.f_min_hz,
            f_max=config.f_max_hz,
            n_mels=config.n_mels,
            power=2.0,
            center=False,
        )
        # Both follow from the settings: recomputed at construction, never stored with the weights.
        self.mel.spectrogram.register_buffer(
            "window", self.mel.spectrogram.window, persistent=False
        )
        self.mel.mel_scale.register_buffer("fb", self.mel.mel_scale.fb, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        # Mixed precision stops here: a power spectrum spans more than bfloat16's digits.
        with torch.autocast(device_type=waveform.device.type, enabled=False):
            return self.mel(waveform.float()).clamp_min(POWER_FLOOR).log()
