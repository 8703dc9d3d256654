"""Random changes of log-mel batches that make every recording sound like every other's channel.

Everything happens on cached log-mel, batch-wise and vectorised, so that a CPU trains at the speed
of the network alone: noise adds as mel power, a channel is a smooth gain over bands, reverberation
a decaying smear over time, a codec an energy-dependent cut, a vocal tract a warp of the band axis.

Shapes: ``log_mel`` is (batch, n_mels, n_frames), natural logarithm of power, everywhere.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from langid.config import ModelConfig
from langid.features import DECIBEL, POWER_FLOOR

REVERBERATION_TAIL_S = 0.8  # later reflections are below what noise leaves of them


@dataclass(frozen=True)
class AugmentConfig:
    """Probabilities and ranges; every draw is uniform in its range unless said otherwise."""

    # Of the tempo and of the vocal tract, each: interpolation smooths log-mel, and what is served
    # is never smoothed. A network that only saw smoothed log-mel lost 10 points of clips by it.
    warp_probability: float = 0.5
    tempo: tuple[float, float] = (0.85, 1.18)
    vocal_tract_warp: tuple[float, float] = (0.88, 1.14)
    cutmix_probability: float = 0.0  # see langid.training.cutmix
    noise_probability: float = 0.6
    noise_snr_db: tuple[float, float] = (0.0, 25.0)
    reverberation_probability: float = 0.2
    reverberation_t60_s: tuple[float, float] = (0.1, 1.5)
    channel_probability: float = 0.7
    channel_gain_db: float = 10.0  # standard deviation at the knots
    band_limit_probability: float = 0.4
    codec_probability: float = 0.4
    gate_probability: float = 0.2
    mixed_statistics_probability: float = 0.5
    contrast: tuple[float, float] = (0.8, 1.2)
    n_time_masks: int = 2
    max_time_mask_frames: int = 30
    n_band_masks: int = 2
    max_band_mask: int = 10
    frame_s: float = ModelConfig().frame_s  # between the starts of two frames


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _chosen(n: int, probability: float, generator: torch.Generator) -> Tensor:
    """(n, 1, 1) mask of the examples a change applies to."""
    return (torch.rand(n, generator=generator) < probability).view(n, 1, 1)


def warp(log_mel: Tensor, n_frames: int, lengths: Tensor, band_scale: Tensor) -> Tensor:
    """Resample both axes: the first ``lengths[i]`` frames become ``n_frames``.

    ``lengths`` (batch,) in frames sets the tempo; ``band_scale`` (batch,) stretches the band axis
    about its lower end, as a shorter or longer vocal tract does (VTLP, Jaitly & Hinton 2013).
    """
    n_mels, n_available = log_mel.shape[1:]
    time = torch.linspace(0, 1, n_frames) * (lengths[:, None] - 1)
    band = torch.arange(n_mels)[None] * band_scale[:, None]
    grid = torch.stack(
        torch.broadcast_tensors(
            (2 * time / (n_available - 1) - 1)[:, None, :],
            (2 * band / (n_mels - 1) - 1)[:, :, None],
        ),
        dim=3,
    )
    return F.grid_sample(
        log_mel[:, None], grid, mode="bilinear", padding_mode="border", align_corners=True
    )[:, 0]


def _power_db(log_mel: Tensor) -> Tensor:
    """Level of each example over its louder frames, (batch, 1, 1), in decibels."""
    frame_power = log_mel.logsumexp(dim=1)
    return (frame_power.quantile(0.8, dim=1) / DECIBEL).view(-1, 1, 1)


def add_noise(log_mel: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Mix ``noise`` (same shape) under each example at ``snr_db`` (batch, 1, 1)."""
    gain_db = _power_db(log_mel) - _power_db(noise) - snr_db
    return torch.logaddexp(log_mel, noise + gain_db * DECIBEL)


def stationary_noise(log_mel: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with a random smooth spectrum: a line over bands plus bumps, chi-square over time."""
    n, n_mels, n_frames = log_mel.shape
    spectrum = smooth_curves(n, n_mels, 6, 8.0, generator).unsqueeze(2) * DECIBEL
    # A mel band averages a handful of Fourier bins: its power fluctuates by a few decibels.
    return spectrum + 0.5 * torch.randn(log_mel.shape, generator=generator)


def synthetic_non_speech(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Log-mel (batch, n_mels, n_frames) of what microphones give when nobody speaks: digital
    silence, hiss, mains hum and steady or switched tones, a quarter each."""
    n, n_mels, n_frames = shape
    silence = torch.full(shape, math.log(POWER_FLOOR))
    hiss = stationary_noise(silence, generator) + _uniform(n, -20, -5, generator).view(-1, 1, 1)
    band = torch.arange(n_mels).view(1, -1, 1)
    # A tone fills a band or two; a hum is tones at the bottom.
    lowest_tones = torch.where(torch.rand(n, 1, 1, generator=generator) < 0.5, 6.0, float(n_mels))
    centre = torch.rand(n, 1, 1, generator=generator) * lowest_tones
    tone = hiss + 12 * torch.exp(-((band - centre) ** 2) / 2)
    period = _uniform(n, 20, 200, generator).view(-1, 1, 1)
    switched = (torch.arange(n_frames).view(1, 1, -1) % period) < period / 2
    beeps = torch.where(switched, tone, hiss)
    kind = torch.randint(4, (n, 1, 1), generator=generator)
    return torch.where(
        kind == 0, silence, torch.where(kind == 1, hiss, torch.where(kind == 2, tone, beeps))
    )


def smooth_curves(
    n: int, n_points: int, n_knots: int, scale: float, generator: torch.Generator
) -> Tensor:
    """(n, n_points) random curves through ``n_knots`` normal draws of deviation ``scale``."""
    knots = scale * torch.randn(n, 1, n_knots, generator=generator)
    return F.interpolate(knots, n_points, mode="linear", align_corners=True)[:, 0]


def reverberate(log_mel: Tensor, t60_s: Tensor, wet_db: Tensor, frame_s: float) -> Tensor:
    """Add an exponentially decaying tail: ``t60_s``, ``wet_db`` (batch,)."""
    n, n_mels, n_frames = log_mel.shape
    n_taps = min(round(REVERBERATION_TAIL_S / frame_s), n_frames)
    lag_s = frame_s * torch.arange(n_taps)
    kernel = torch.exp(-6 * math.log(10) * lag_s / t60_s[:, None])
    kernel = kernel / kernel.sum(1, keepdim=True) * torch.exp(wet_db * DECIBEL)[:, None]
    kernel[:, 0] += 1
    # Scaled per example so that the powers stay within float32.
    peak = log_mel.amax(dim=(1, 2), keepdim=True)
    power = F.pad((log_mel - peak).exp().transpose(0, 1), (n_taps - 1, 0))
    smeared = F.conv1d(power, kernel.flip(1).unsqueeze(1), groups=n).transpose(0, 1)
    return smeared.clamp_min(1e-12).log() + peak


def band_limit(log_mel: Tensor, low: Tensor, high: Tensor, depth_db: Tensor) -> Tensor:
    """Attenuate bands below ``low`` and above ``high`` (batch,), as narrow channels do."""
    band = torch.arange(log_mel.shape[1])[None]
    outside = (band < low[:, None]) | (band > high[:, None])
    return log_mel - (outside * depth_db[:, None]).unsqueeze(2) * DECIBEL


def codec_cut(log_mel: Tensor, threshold_db: Tensor) -> Tensor:
    """Drop what a low-rate codec excluded: bands far below the loudest of the same frame."""
    peak = log_mel.amax(dim=1, keepdim=True)
    return torch.where(log_mel < peak - threshold_db * DECIBEL, log_mel - 20 * DECIBEL, log_mel)


def gate(log_mel: Tensor, threshold_db: Tensor) -> Tensor:
    """Noise gate: frames far below the loud ones fall to silence."""
    frame_db = (log_mel.logsumexp(dim=1, keepdim=True)) / DECIBEL
    return torch.where(
        frame_db < _power_db(log_mel) - threshold_db, log_mel - 30 * DECIBEL, log_mel
    )


def mix_statistics(log_mel: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    """Give each band the mean and deviation over time that another recording's channel would.

    They become those of ``others`` (same shape) to the share ``weight`` (batch, 1, 1), as in
    Freq-MixStyle (Kim et al. 2022, arXiv:2206.12513). No deviation changes by more than a factor
    of 2: digital silence among ``others`` would wipe out the speech.
    """
    std, mean = torch.std_mean(log_mel, dim=2, keepdim=True)
    other_std, other_mean = torch.std_mean(others, dim=2, keepdim=True)
    scale = (torch.lerp(std, other_std, weight) / std.clamp_min(1e-3)).clamp(0.5, 2.0)
    return (log_mel - mean) * scale + torch.lerp(mean, other_mean, weight)


def mask_spectrogram(log_mel: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """SpecAugment (Park et al. 2019): spans of frames and of bands become the example's mean."""
    n, n_mels, n_frames = log_mel.shape
    masked = torch.zeros(log_mel.shape, dtype=torch.bool)
    frame, band = torch.arange(n_frames)[None], torch.arange(n_mels)[None]
    for _ in range(config.n_time_masks):
        start = (torch.rand(n, 1, generator=generator) * n_frames).long()
        width = (torch.rand(n, 1, generator=generator) * config.max_time_mask_frames).long()
        masked |= ((frame >= start) & (frame < start + width)).unsqueeze(1)
    for _ in range(config.n_band_masks):
        start = (torch.rand(n, 1, generator=generator) * n_mels).long()
        width = (torch.rand(n, 1, generator=generator) * config.max_band_mask).long()
        masked |= ((band >= start) & (band < start + width)).unsqueeze(2)
    return torch.where(masked, log_mel.mean(dim=(1, 2), keepdim=True), log_mel)


def augment(
    log_mel: Tensor, noise: Tensor, config: AugmentConfig, generator: torch.Generator
) -> Tensor:
    """All channel changes in the order in which the world applies them: room, noise, microphone
    and line, codec; then SpecAugment.

    ``noise`` is log-mel of other recordings, of the same shape.
    """
    n, n_mels, _ = log_mel.shape
    x = log_mel

    def draw(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, generator)

    wet = reverberate(x, draw(*config.reverberation_t60_s), draw(-12, 6), config.frame_s)
    x = torch.where(_chosen(n, config.reverberation_probability, generator), wet, x)

    recorded = _chosen(n, 0.5, generator)
    noise = torch.where(recorded, noise, stationary_noise(x, generator))
    noisy = add_noise(x, noise, draw(*config.noise_snr_db).view(-1, 1, 1))
    x = torch.where(_chosen(n, config.noise_probability, generator), noisy, x)

    gain = smooth_curves(n, n_mels, 7, config.channel_gain_db, generator).unsqueeze(2) * DECIBEL
    x = x + gain * _chosen(n, config.channel_probability, generator)

    limited = band_limit(
        x, draw(-6, n_mels * 0.12), draw(n_mels * 0.68, n_mels * 1.15), draw(15, 50)
    )
    x = torch.where(_chosen(n, config.band_limit_probability, generator), limited, x)

    cut = codec_cut(x, draw(20, 45).view(-1, 1, 1))
    x = torch.where(_chosen(n, config.codec_probability, generator), cut, x)
    gated = gate(x, draw(20, 40).view(-1, 1, 1))
    x = torch.where(_chosen(n, config.gate_probability, generator), gated, x)

    mixed = mix_statistics(x, x.roll(1, dims=0), draw(0, 0.8).view(-1, 1, 1))
    x = torch.where(_chosen(n, config.mixed_statistics_probability, generator), mixed, x)

    mean = x.mean(dim=(1, 2), keepdim=True)
    x = mean + (x - mean) * draw(*config.contrast).view(-1, 1, 1)
    return mask_spectrogram(x, config, generator)
