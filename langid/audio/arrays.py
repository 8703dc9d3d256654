"""Arrays → chunks of samples, or an `AudioError` that says what is wrong with them."""

from collections.abc import Iterator

import numpy as np

from langid.audio.samples import Chunk, full_scale
from langid.errors import AudioError

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000  # of recordings, whatever they come in


def checked_rate(sample_rate: float | None) -> float:
    """A sample rate in Hz that somebody gave with an array."""
    if sample_rate is None:
        raise AudioError("An array needs its sample rate: give sample_rate in Hz.")
    try:
        rate = float(sample_rate)
    except (TypeError, ValueError):
        rate = float("nan")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise AudioError(
            f"A sample_rate of {sample_rate!r} is outside 1,000 to 768,000: give that of the "
            "array, in Hz."
        )
    return rate


def time_first(array: np.ndarray) -> np.ndarray:
    """Check an array; → (samples, channels), a view."""
    kind, n_bytes = array.dtype.kind, array.dtype.itemsize
    if kind not in "fiu" or (kind in "iu" and n_bytes > 4):
        raise AudioError(
            f"An array of {array.dtype} is no audio: give floats in [-1, 1] or integers of 8, 16 "
            "or 32 bits."
        )
    if array.ndim == 1:
        return array[:, np.newaxis]
    if array.ndim != 2:
        raise AudioError(
            f"An array of shape {array.shape} is no recording: give (samples,), "
            "(samples, channels) or (channels, samples)."
        )
    if array.size == 0:
        return array.reshape(0, 1)
    return array if array.shape[0] >= array.shape[1] else array.T


def array_chunks(samples: np.ndarray, sample_rate: float) -> Iterator[Chunk]:
    """Chunks of a second of an array (samples, channels)."""
    n_block = round(sample_rate)
    for start in range(0, len(samples), n_block):
        yield sample_rate, full_scale(samples[start : start + n_block])
