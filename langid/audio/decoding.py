"""Encoded audio → chunks of float samples, by libsndfile where it can and FFmpeg otherwise.

libsndfile (soundfile) reads the uncompressed formats and FLAC. FFmpeg reads the rest, and takes
over where libsndfile cannot open a file or stops at damage. Ogg goes to FFmpeg, stream by stream,
although libsndfile reads it: it ends with the first stream of a chain, and it decodes Opus at the
rate that a header names and that can be any. MP3 does because libsndfile's MP3 library prints
complaints to standard error and gives up at the first damage.

Here is also judged what is missing: that a recording is cut off or damaged is said only where
samples of it are not there.
"""

import math
from collections.abc import Generator, Iterator

from langid.audio.completeness import has_its_end
from langid.audio.ffmpeg import Decoded, check_track, decode_ffmpeg
from langid.audio.formats import container_kind, undecodable
from langid.audio.info import StreamInfo
from langid.audio.libsndfile import KINDS as LIBSNDFILE_KINDS
from langid.audio.libsndfile import decode_libsndfile
from langid.audio.ogg import OggLink, ogg_links
from langid.audio.samples import Chunk
from langid.audio.sources import Source
from langid.audio.tags import audio_bounds
from langid.errors import AudioError, Message

CUT_OFF_TOLERANCE_S = 0.5  # beyond 2 %
LOST_TOLERANCE_S = 0.01  # of what Ogg and FLAC announce: less than a packet


def decode(source: Source, info: StreamInfo, audio_track: int | None = None) -> Iterator[Chunk]:
    """Decode a source from its start, as far as it goes.

    `audio_track` counts from 1; None is the default track. What is said of the recording, and
    that samples of it are missing, is added to `info`.

    Yields
    ------
    sample_rate : float
        In Hz; it may change within a file.
    samples : float32, shape (n, channels)
        Full scale ±1, not checked for NaN.

    Raises
    ------
    AudioError
        If it is not audio, has no such audio track, nothing of it can be decoded, or its time
        stamps leave out hours. Damage after the first samples is a warning instead.
    """
    start, end = audio_bounds(source)
    audio = source.part(start, end)
    kind = container_kind(audio.peek(0, 64)) or ("MP3" if start else None)
    info.format = kind
    source.raise_error()
    if start == end:
        raise undecodable(source, kind)
    if kind == "Ogg":
        yield from _decode_ogg(audio, info, audio_track)
    elif kind in LIBSNDFILE_KINDS:
        yield from _decode_simple(audio, kind, info, audio_track)
    else:
        decoded = yield from decode_ffmpeg(audio, kind, info, audio_track)
        _judge(audio, decoded, info)


def _decode_simple(
    source: Source, kind: str, info: StreamInfo, audio_track: int | None
) -> Iterator[Chunk]:
    """One track, by libsndfile first."""
    if audio_track is not None:
        check_track(source.name, audio_track, 1)
    outcome = yield from decode_libsndfile(source)
    source.raise_error()
    if outcome.cut_off_s is not None and outcome.complete:
        info.warn_incomplete(_cut_off(source, outcome.cut_off_s))
    if outcome.complete:
        return
    is_whole = False
    try:
        decoded = yield from _without_first(outcome.n_done, decode_ffmpeg(source, kind, info))
        _judge(source, decoded, info)
        announced_s = decoded.announced_s if kind == "FLAC" else None  # others: of what is there
        is_whole = decoded.audio_s >= (announced_s or math.inf) - LOST_TOLERANCE_S
    except AudioError:
        source.raise_error()
        if not outcome.opened:
            raise
    if outcome.damaged and not is_whole and not info.is_incomplete:
        info.warn_incomplete(_damaged(source))


def _without_first(
    n_samples: int, chunks: Generator[Chunk, None, Decoded]
) -> Generator[Chunk, None, Decoded]:
    while True:
        try:
            sample_rate, samples = next(chunks)
        except StopIteration as stop:
            return stop.value
        n_skipped = min(n_samples, len(samples))
        n_samples -= n_skipped
        if n_skipped < len(samples):
            yield sample_rate, samples[n_skipped:]


def _decode_ogg(source: Source, info: StreamInfo, audio_track: int | None) -> Iterator[Chunk]:
    """The links of a chain one after the other, each with its own clock."""
    links = ogg_links(source)
    error, is_decoded, audio_s = None, False, 0.0
    for link in links:
        part = source.part(link.start, link.end)
        try:
            decoded = yield from decode_ffmpeg(part, "Ogg", info, audio_track)
        except AudioError as new_error:
            source.raise_error()
            if link.has_audio or len(links) == 1:
                error = error or new_error
            continue
        is_decoded = is_decoded or decoded.n_frames > 0
        audio_s += decoded.position_s
        if _is_damaged(link, decoded):
            info.warn_incomplete(_damaged(source))
    if error is not None and not is_decoded:
        raise error
    if links[-1].is_cut_off:
        info.warn_incomplete(_cut_off(source, audio_s))
    elif error is not None:
        info.warn_incomplete(_damaged(source))


def _is_damaged(link: OggLink, decoded: Decoded) -> bool:
    lost_s = (decoded.announced_s or decoded.duration_s) - decoded.audio_s
    return (
        decoded.n_damaged > 0
        or link.n_broken > 0
        or (link.n_lost > 0 and lost_s > LOST_TOLERANCE_S)
    )


def _judge(source: Source, decoded: Decoded, info: StreamInfo) -> None:
    """Say what FFmpeg found missing in a source."""
    announced_s = decoded.announced_s or 0.0
    there_s = max(decoded.duration_s, decoded.end_stamp_s)
    if there_s < 0.98 * announced_s - CUT_OFF_TOLERANCE_S and (
        decoded.n_damaged or not has_its_end(source, decoded.format)
    ):
        info.warn_incomplete(
            Message(
                "{name} is cut off: of the {announced_s:.1f} s it announces only {there_s:.1f} s "
                "could be decoded.",
                name=source.name,
                announced_s=announced_s,
                there_s=decoded.position_s,
            )
        )
    elif decoded.n_damaged:
        info.warn_incomplete(
            Message(
                "{name} is damaged: what could not be decoded ({n} of about {n_packets} packets) "
                "is left out.",
                name=source.name,
                n=decoded.n_damaged,
                n_packets=decoded.n_damaged + decoded.n_frames,
            )
        )


def _cut_off(source: Source, there_s: float) -> Message:
    return Message(
        "{name} is cut off: only its first {there_s:.1f} s are there.",
        name=source.name,
        there_s=there_s,
    )


def _damaged(source: Source) -> Message:
    return Message("{name} is damaged: what could not be decoded is left out.", name=source.name)
