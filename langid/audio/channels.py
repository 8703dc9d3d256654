"""Channels → mono: the mean, unless speech stands out clearly better without it.

The mean of the channels is what most recordings want: it holds whoever speaks in either. It fails
where channels of opposite phase cancel (a balanced microphone on a stereo plug), also when they
share an offset, hum or hiss that does not, and where one channel is noise and louder than the
speech in another. What decides is the level in the band of speech, in frames of 32 ms: the loudest
5 % of them against the quietest 10 %. Speech, with its syllables and pauses, spans tens of dB;
hum, hiss and noise span few, however loud they are, so that a mixture counts by its speech and not
by its power. (The range between such percentiles is the signal-to-noise estimate of NIST's
``stnr``, taken per frame.)
"""

from collections.abc import Iterator

import numpy as np

from langid.audio.samples import Chunk

SECTION_S = 10.0  # a decision holds for so long: some phrases and their pauses
SECTION_VALUES = 2**22  # its bound over all channels: 16 MB
FRAME_S = 0.032
BAND_HZ = (60.0, 4000.0)  # of speech, and of what spoils it: mains hum too
LOUD_PERCENTILE, QUIET_PERCENTILE = 95, 10
FLOOR_DB = -100.0
MAX_RANGE_DB = 25.0  # more is quieter pauses, not better speech
RANGE_MARGIN_DB = 10.0  # a mixture that spans so much less than the best is spoilt by noise
LEVEL_MARGIN_DB = 10.0  # the mean has cancelled when it is so much below unrelated channels
FAINT_DB = 45.0  # what is so far below the loudest mixture is crosstalk


def downmix(blocks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Blocks (rate, (n, channels)) of a second → blocks (rate, (n,)), float32.

    Blocks whose channels are equal pass at once; others, and what follows, wait for up to ten
    seconds.
    """
    held: list[np.ndarray] = []
    held_rate = 0.0
    for sample_rate, samples in blocks:
        if held and (sample_rate, samples.shape[1]) != (held_rate, held[0].shape[1]):
            yield from _mixed(held, held_rate)
            held = []
        if not held and (samples.shape[1] == 1 or (samples == samples[:, :1]).all()):
            yield sample_rate, np.ascontiguousarray(samples[:, 0])
            continue
        held_rate = sample_rate
        held.append(samples)
        n_held = sum(map(len, held))
        if n_held >= SECTION_S * sample_rate or n_held * samples.shape[1] >= SECTION_VALUES:
            yield from _mixed(held, held_rate)
            held = []
    if held:
        yield from _mixed(held, held_rate)


def mixing_weights(samples: np.ndarray, sample_rate: float) -> np.ndarray:
    """Weights (channels,) for a section (n, channels): those of the mean, of one channel, or, of
    two channels with opposite phase, of half their difference."""
    n_channels = samples.shape[1]
    mean = np.full(n_channels, 1 / n_channels)
    mixtures = np.vstack([mean, np.eye(n_channels)])
    if n_channels == 2:
        mixtures = np.vstack([mixtures, [0.5, -0.5]])
    level_db = _levels_db(samples, sample_rate, mixtures)
    if level_db is None:
        return mean
    loud_db, quiet_db = np.percentile(level_db, [LOUD_PERCENTILE, QUIET_PERCENTILE], axis=1)
    range_db = np.minimum(loud_db - quiet_db, MAX_RANGE_DB)
    is_present = loud_db > max(FLOOR_DB, loud_db.max() - FAINT_DB)
    if not is_present.any():
        return mean
    is_clear = is_present & (range_db >= range_db[is_present].max() - RANGE_MARGIN_DB)
    cancelled_db = loud_db[is_clear].max() - LEVEL_MARGIN_DB - 10 * np.log10(n_channels)
    if is_clear[0] and loud_db[0] >= cancelled_db:
        return mean
    score_db = np.where(is_clear, loud_db + range_db, -np.inf)
    # Half the difference is as good as one of two channels of opposite phase, and free of what
    # they share; it counts first where they differ by little.
    if n_channels == 2 and score_db[-1] >= score_db.max() - LEVEL_MARGIN_DB / 2 > score_db[0]:
        return mixtures[-1]
    return mixtures[score_db.argmax()]


def _mixed(blocks: list[np.ndarray], sample_rate: float) -> Iterator[Chunk]:
    weights = mixing_weights(np.concatenate(blocks), sample_rate).astype(np.float32)
    for samples in blocks:
        yield sample_rate, samples @ weights


def _levels_db(samples: np.ndarray, sample_rate: float, mixtures: np.ndarray) -> np.ndarray | None:
    """Mean squares in the band of speech (mixtures, frames), in dB; None if there is no frame."""
    n_frame = max(8, round(FRAME_S * sample_rate))
    n_frames = len(samples) // n_frame
    if n_frames == 0:
        return None
    window = np.hanning(n_frame).astype(np.float32)
    frequencies_hz = np.fft.rfftfreq(n_frame, 1 / sample_rate)
    in_band = (frequencies_hz >= BAND_HZ[0]) & (frequencies_hz <= BAND_HZ[1])
    samples = samples - samples.mean(axis=0)
    frames = samples[: n_frames * n_frame].reshape(n_frames, n_frame, -1)
    spectra = np.stack(
        [
            np.fft.rfft(frames[..., channel] * window, axis=1)[:, in_band].astype(np.complex64)
            for channel in range(samples.shape[1])
        ]
    )
    scale = 2 / (n_frame * float(np.square(window).sum()))
    power = np.stack(
        [
            np.square(np.abs(np.tensordot(mixture, spectra, axes=1))).sum(axis=1)
            for mixture in mixtures.astype(np.float32)
        ]
    )
    return 10 * np.log10(np.maximum(power * scale, 10 ** (FLOOR_DB / 10)))
