"""Arithmetic on blocks of samples: full scale, downmix, blocks of one second, resampling."""

from collections.abc import Iterator

import numpy as np
import soxr

Chunk = tuple[float, np.ndarray]  # sample rate in Hz, float32 samples of shape (n, channels)

CANCELLED = 0.1  # mono power, relative to what unrelated channels would keep


def full_scale(samples: np.ndarray) -> np.ndarray:
    """Floats as they are, integers of 8 to 32 bits scaled by their width → float32, full scale ±1.

    Unsigned integers have their zero in the middle, as 8-bit WAV has.
    """
    if samples.dtype == np.float32:
        return samples
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # too large for float32 becomes inf, reported as such
            return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = half if samples.dtype.kind == "u" else 0.0
    return ((samples.astype(np.float64) - middle) / half).astype(np.float32)


def second_blocks(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Regroup chunks of any length into blocks of one second; the last, and one before a change of
    rate or channel count, may be shorter."""
    held: list[np.ndarray] = []
    n_held, held_rate, n_channels = 0, 0.0, 0
    for sample_rate, samples in chunks:
        if held and (sample_rate, samples.shape[1]) != (held_rate, n_channels):
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


def downmix(samples: np.ndarray) -> np.ndarray:
    """(n, channels) → (n,): the mean, or the loudest channel where the channels cancel out.

    A recording with one channel inverted (a balanced microphone on a stereo plug) has a mean of
    nearly nothing. The mean counts as cancelled when it is 10 dB below what it would keep of
    unrelated channels, their mean power divided by their number.
    """
    n_channels = samples.shape[1]
    mono = samples.mean(axis=1, dtype=np.float32)
    if n_channels == 1:
        return mono
    power = np.square(samples).mean(axis=0)
    if np.square(mono).mean() < CANCELLED * power.mean() / n_channels:
        return np.ascontiguousarray(samples[:, power.argmax()])
    return mono


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
