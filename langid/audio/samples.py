"""Arithmetic on blocks of samples: full scale, blocks of one second, repair, resampling."""

from collections.abc import Iterator

import numpy as np
import soxr

Chunk = tuple[float, np.ndarray]  # sample rate in Hz, float32 samples of shape (n, channels)

MAX_AMPLITUDE = 100.0  # 40 dB over full scale: no recording, but a scale that was forgotten
SPIKE, MAX_USUAL, USUAL_SHARE = 4.0, 2.0, 0.99  # see `beyond_scale`


def full_scale(samples: np.ndarray) -> np.ndarray:
    """Floats as they are, integers of 8 to 32 bits scaled by their width → float32, full scale ±1.

    Unsigned integers have their zero in the middle, as 8-bit WAV has.
    """
    if samples.dtype == np.float32:
        return samples
    if samples.dtype.kind == "f":
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # too large for float32 becomes inf, reported as such
            return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = half if samples.dtype.kind == "u" else 0.0
    return ((samples.astype(np.float64) - middle) / half).astype(np.float32)


def beyond_scale(samples: np.ndarray, spikes: bool) -> np.ndarray | None:
    """Which samples (n, channels) are no numbers or over 40 dB above full scale; None if none are.

    With `spikes` also those over 6 dB above it, if one reaches 12 dB while 99 % stay below full
    scale: a bad sample rings when it is filtered.
    """
    magnitude = np.abs(samples)
    if magnitude.max() <= (SPIKE if spikes else MAX_AMPLITUDE):  # no number compares as False
        return None
    is_usual = np.count_nonzero(magnitude <= 1) >= USUAL_SHARE * samples.size
    is_bad = ~(magnitude <= (MAX_USUAL if spikes and is_usual else MAX_AMPLITUDE))
    return is_bad if is_bad.any() else None


def interpolate(samples: np.ndarray, is_bad: np.ndarray) -> np.ndarray:
    """Samples (n, channels) where those marked in `is_bad`, of the same shape, lie on the straight
    line between their neighbours; a channel that has no others becomes silence."""
    repaired = np.where(is_bad, np.float32(0), samples)
    for channel in np.flatnonzero(is_bad.any(axis=0)):
        bad = np.flatnonzero(is_bad[:, channel])
        good = np.flatnonzero(~is_bad[:, channel])
        if len(good):
            repaired[bad, channel] = np.interp(bad, good, samples[good, channel])
    return repaired


def second_blocks(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Regroup chunks of any length into blocks of one second; the last, and one before a change of
    rate or channel count, may be shorter."""
    held: list[np.ndarray] = []
    n_held, held_rate, n_channels = 0, 0.0, 0
    for sample_rate, samples in chunks:
        if (sample_rate, samples.shape[1]) != (held_rate, n_channels):
            if n_held:
                yield held_rate, np.concatenate(held)
            held, n_held = [], 0
        held_rate, n_channels = sample_rate, samples.shape[1]
        held.append(samples)
        n_held += len(samples)
        n_block = max(1, round(sample_rate))
        if n_held < n_block:
            continue
        joined = np.concatenate(held)
        n_whole = n_held - n_held % n_block
        for start in range(0, n_whole, n_block):
            yield sample_rate, joined[start : start + n_block]
        held, n_held = [joined[n_whole:]], n_held - n_whole
    if n_held:
        yield held_rate, np.concatenate(held)


def resample(blocks: Iterator[Chunk], target_hz: int) -> Iterator[np.ndarray]:
    """Mono blocks (rate, (n,)) → blocks at `target_hz`, none empty, the same as in one piece."""
    resampler, resampler_rate = None, None
    for sample_rate, mono in blocks:
        if sample_rate != resampler_rate:
            if resampler is not None:
                yield from _nonempty(resampler.resample_chunk(mono[:0], last=True))
            resampler_rate = sample_rate
            resampler = (
                None if sample_rate == target_hz else soxr.ResampleStream(sample_rate, target_hz, 1)
            )
        yield from _nonempty(mono if resampler is None else resampler.resample_chunk(mono))
    if resampler is not None:
        yield from _nonempty(resampler.resample_chunk(np.empty(0, np.float32), last=True))


def _nonempty(block: np.ndarray) -> tuple[np.ndarray, ...]:
    return (block,) if len(block) else ()
