"""Decoding by FFmpeg through PyAV, whose wheel carries it: nothing is installed on the system."""

from collections.abc import Iterator

import av
import numpy as np

from langid.audio.samples import Chunk, full_scale
from langid.audio.sources import Source
from langid.errors import AudioError

# What FFmpeg may take a file for. Without this list text is a "tty" video, a picture is a video of
# one frame, and a playlist opens other files.
FORMATS = (
    "mov,matroska,mp3,aac,loas,asf,amr,wav,w64,aiff,au,caf,flac,ogg,avi,flv,mpeg,mpegts,ac3,eac3,"
    "dts,ape,wv,tta,tak,mpc,mpc8,voc,rm,dsf,xwma,nistsphere,iff,dss,qcp"
)
# Those whose headers state a duration; for the others FFmpeg guesses it from the bit rate.
TIMED_FORMATS = frozenset(
    {"mov", "matroska", "asf", "flv", "avi", "wav", "w64", "aiff", "au", "caf", "flac", "wv", "ape"}
)
# FFmpeg's own; then what PyAV makes of damaged headers (a stream that appears late, for instance).
ERRORS = (av.FFmpegError, ValueError, RuntimeError, LookupError, ArithmeticError)

CUT_OFF_TOLERANCE_S = 0.5  # beyond 2 %
MAX_DAMAGED_RUN = 2_000  # packets in a row without a sample, some 40 s, before giving up


def decode_ffmpeg(
    source: Source, kind: str | None, warnings: list[str], skip: int = 0
) -> Iterator[Chunk]:
    """Decode the (best) audio track, without its first `skip` samples.

    `kind` is what the file starts like, to word the error. Damaged packets are left out and, like
    an early end, reported in `warnings`.

    Raises
    ------
    AudioError
        If it is not audio, has no audio track, or none of its packets can be decoded.
    """
    has_xing = _has_xing(source)
    try:
        container = av.open(
            source, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
        )
    except ERRORS:
        source.raise_error()
        raise _undecodable(source, kind) from None
    with container:
        stream = container.streams.best("audio")
        if stream is None:
            raise _no_audio(source, container)
        decoded_s, n_decoded, n_damaged, damaged_run = 0.0, 0, 0, 0
        for frame in _frames(container, stream):
            if frame is None:
                n_damaged += 1
                damaged_run += 1
                if damaged_run == MAX_DAMAGED_RUN:
                    break
                continue
            sample_rate, samples = frame
            n_decoded += 1
            damaged_run = 0
            decoded_s += len(samples) / sample_rate
            n_skipped = min(skip, len(samples))
            skip -= n_skipped
            if n_skipped < len(samples):
                yield sample_rate, samples[n_skipped:]
        source.raise_error()
        if n_damaged and not n_decoded:
            raise _undecodable(source, kind)
        announced_s = _announced_s(container, stream, has_xing)
    if announced_s and decoded_s < 0.98 * announced_s - CUT_OFF_TOLERANCE_S:
        warnings.append(
            f"{source.name} is cut off: of the {announced_s:.1f} s it announces only "
            f"{decoded_s:.1f} s could be decoded."
        )
    elif n_damaged:
        warnings.append(
            f"{source.name} is damaged: what could not be decoded ({n_damaged} of about "
            f"{n_damaged + n_decoded} packets) is left out."
        )


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[Chunk | None]:
    """Every decoded frame, and None for every packet that could not be read or decoded."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet else []
            chunks = [(float(frame.sample_rate), _frame_samples(frame)) for frame in frames]
        except ERRORS:
            yield None
            continue
        if packet is None:
            return
        yield from (chunk for chunk in chunks if chunk[0] > 0)


def _frame_samples(frame: av.AudioFrame) -> np.ndarray:
    data = frame.to_ndarray()  # (channels, n), or (1, n * channels) where interleaved
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    return full_scale(data.T)


def _announced_s(
    container: av.container.InputContainer, stream: av.AudioStream, has_xing: bool
) -> float | None:
    """The duration that the headers state, in seconds, if they state one."""
    name = container.format.name.split(",")[0]
    if name not in TIMED_FORMATS and not (name == "mp3" and has_xing):
        return None
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    if len(container.streams) == 1 and container.duration:  # otherwise it may be the video's
        return container.duration / av.time_base
    return None


def _has_xing(source: Source) -> bool:
    """Whether an MP3 starts with the frame that states its length (Xing, Info)."""
    head = source.peek(0, 10)
    n_tag = 0
    if head.startswith(b"ID3") and len(head) == 10:  # its size has 4 digits of 7 bits
        n_tag = 10 + sum(digit << 7 * power for power, digit in enumerate(reversed(head[6:])))
    first_frame = source.peek(n_tag, 2048)
    return b"Xing" in first_frame or b"Info" in first_frame


def _undecodable(source: Source, kind: str | None) -> AudioError:
    if kind is None:
        return AudioError(
            f"{source.name} is not audio: give a recording as WAV, FLAC, MP3, Ogg, Opus, M4A, WebM "
            "or another usual format."
        )
    return AudioError(
        f"{source.name} starts like {kind} but nothing in it can be decoded, so it is cut off or "
        "damaged: record, export or download it again."
    )


def _no_audio(source: Source, container: av.container.InputContainer) -> AudioError:
    if any(stream.type == "audio" for stream in container.streams):
        return AudioError(
            f"{source.name} has an audio track in a coding that cannot be decoded: export it "
            "again, as WAV or MP3 for instance."
        )
    return AudioError(f"{source.name} has no audio track: give a recording with sound.")
