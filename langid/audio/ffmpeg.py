"""Decoding by FFmpeg through PyAV, whose wheel carries it: nothing is installed on the system."""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.stream import Disposition

from langid.audio.formats import undecodable
from langid.audio.info import StreamInfo
from langid.audio.samples import Chunk, full_scale
from langid.audio.sources import Source
from langid.audio.tags import HEAD_BYTES, LYRICS_BEGIN, tag_bytes
from langid.audio.timestamps import Timeline
from langid.errors import AudioError, Message

# What FFmpeg may take a file for. Without this list text is a "tty" video, a picture is a video of
# one frame, and a playlist opens other files.
FORMATS = (
    "mov,matroska,mp3,aac,loas,asf,amr,wav,w64,aiff,au,caf,flac,ogg,avi,flv,mpeg,mpegts,ac3,eac3,"
    "dts,ape,wv,tta,tak,mpc,mpc8,voc,rm,dsf,xwma,nistsphere,iff,dss,qcp"
)
# Those whose headers state a duration; for the others FFmpeg guesses it from the bit rate.
TIMED_FORMATS = frozenset(
    {
        *("mov", "matroska", "asf", "flv", "avi", "ogg"),
        *("wav", "w64", "aiff", "au", "caf", "flac", "wv", "ape"),
    }
)
STORED_AS = {("ogg", "opus"): "Opus", ("mp3", "mp3"): "MP3"}  # which only decoding tells
# Whose time stamps start again only with another stream, which `langid.audio.ogg` separates.
ONE_CLOCK_FORMATS = frozenset({"ogg"})
TS_DISCONT = 0x0200  # FFmpeg's AVFMT_TS_DISCONT: the clock may change within the file
# FFmpeg's own; then what PyAV makes of damaged headers (a stream that appears late, for instance).
ERRORS = (av.FFmpegError, ValueError, RuntimeError, LookupError, ArithmeticError)

# What may be recorded from any moment on: the first packets then lack what they refer to.
STREAM_FORMATS = frozenset({"mp3", "aac", "loas", "ac3", "eac3", "dts", "mpeg", "mpegts"})
MAX_JOINING_PACKETS = 3
# FFmpeg lists eight planes; PyAV looks for more until a null, behind the end of that list too, and
# then crashes. Channels in one plane are safe.
MAX_PLANES = 7
MAX_DAMAGED_RUN = 2_000  # packets in a row without a sample, some 40 s, before giving up


@dataclass(frozen=True)
class Decoded:
    """What became of a track.

    Attributes
    ----------
    format : str
        FFmpeg's name of the container.
    n_frames, n_damaged : int
        Frames that were decoded, and packets that could not be: not counted are a single last one
        and, of what is a stream, the first few.
    position_s : float
        From a player's 0:00 to the end of the last frame, gaps included.
    duration_s : float
        The same from the first frame on.
    end_stamp_s : float
        The time stamp of that end.
    audio_s : float
        Decoded audio, without what fills gaps.
    announced_s : float or None
        The duration that the headers state, if they state one.
    """

    format: str
    n_frames: int
    n_damaged: int
    position_s: float
    duration_s: float
    end_stamp_s: float
    audio_s: float
    announced_s: float | None


def decode_ffmpeg(
    source: Source,
    kind: str | None,
    info: StreamInfo,
    audio_track: int | None = None,
) -> Generator[Chunk, None, Decoded]:
    """Decode an audio track by its time stamps.

    `kind` is what the file starts like, to word the error. Damaged packets are left out; what
    time stamps leave out is silence. `audio_track` counts from 1; by default it is the first one
    that is marked as default, or else the first.

    Raises
    ------
    AudioError
        If it is not audio, has no such track, or none of its packets can be decoded.
    """
    has_xing = _has_xing(source)
    try:
        container = av.open(
            source, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
        )
    except ERRORS:
        source.raise_error()
        raise undecodable(source, kind) from None
    with container:
        name = container.format.name.split(",")[0]
        stream = _choose_track(source, container, audio_track)
        info.recorded_rate_hz = _opus_input_rate_hz(stream)
        info.format = STORED_AS.get((name, stream.codec_context.codec.canonical_name), info.format)
        timeline = Timeline(
            source.name,
            None if container.start_time is None else container.start_time / av.time_base,
            bool(container.format.flags & TS_DISCONT) and name not in ONE_CLOCK_FORMATS,
        )
        n_packets = Counter()
        n_frames, n_damaged, damaged_run = 0, 0, 0
        for frame in _frames(container, stream, n_packets):
            if frame is None:
                damaged_run += 1
                if damaged_run == MAX_DAMAGED_RUN:
                    break
                continue
            if n_frames == 0 and name in STREAM_FORMATS and damaged_run <= MAX_JOINING_PACKETS:
                damaged_run = 0
            n_frames += 1
            n_damaged, damaged_run = n_damaged + damaged_run, 0
            stamp_s, sample_rate, samples = frame
            gap_s = timeline.place(stamp_s, len(samples) / sample_rate)
            for n_samples in _pieces(gap_s, sample_rate):
                yield sample_rate, np.zeros((n_samples, samples.shape[1]), dtype=np.float32)
            yield sample_rate, samples
        source.raise_error()
        if damaged_run and not n_frames:
            raise undecodable(source, kind)
        _count_tracks(stream, n_packets, info)
        if audio_track is None and info.n_audio_tracks > 1:
            info.warn(
                Message(
                    "This is {track} of {n_tracks} audio tracks of {name}: choose another with "
                    "audio_track.",
                    track=info.audio_track,
                    n_tracks=info.n_audio_tracks,
                    name=source.name,
                )
            )
        if damaged_run > 1:  # one at the end may be anything that follows the audio
            n_damaged += damaged_run
        return Decoded(
            format=name,
            n_frames=n_frames,
            n_damaged=n_damaged,
            position_s=timeline.position_s,
            duration_s=timeline.position_s - timeline.start_s,
            end_stamp_s=timeline.end_stamp_s,
            audio_s=timeline.position_s - timeline.silence_s,
            announced_s=_announced_s(container, stream, name, has_xing),
        )


def _choose_track(
    source: Source,
    container: av.container.InputContainer,
    audio_track: int | None,
) -> av.AudioStream:
    tracks = list(container.streams.audio)
    if not tracks:
        raise AudioError(
            Message("{name} has no audio track: give a recording with sound.", name=source.name)
        )
    if audio_track is None:
        decodable = [track for track in tracks if track.codec_context is not None]
        marked = [track for track in decodable if track.disposition & Disposition.default]
        chosen = next(iter(marked or decodable), tracks[0])
    else:
        check_track(source.name, audio_track, len(tracks))
        chosen = tracks[audio_track - 1]
    if chosen.codec_context is None:
        raise AudioError(
            Message(
                "{name} has an audio track in a coding that cannot be decoded: export it again, "
                "as WAV or MP3 for instance.",
                name=source.name,
            )
        )
    return chosen


def _count_tracks(stream: av.AudioStream, n_packets: Counter[int], info: StreamInfo) -> None:
    """Which one of how many tracks was decoded.

    Those with one packet at most do not count: a header that stands twice makes more of them.
    """
    tracks = sorted({index for index, n in n_packets.items() if n > 1} | {stream.index})
    info.n_audio_tracks, info.audio_track = len(tracks), 1 + tracks.index(stream.index)


def check_track(name: str, audio_track: int, n_tracks: int) -> None:
    """Raise an `AudioError` for a track, counted from 1, that is not there."""
    if n_tracks == 1 and audio_track != 1:
        raise AudioError(f"{name} has one audio track and no track {audio_track}: leave that out.")
    if not 1 <= audio_track <= n_tracks:
        raise AudioError(
            f"{name} has {n_tracks} audio tracks and no track {audio_track}: choose 1 to "
            f"{n_tracks}."
        )


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream, n_packets: Counter[int]
) -> Iterator[tuple[float | None, float, np.ndarray] | None]:
    """Of every decoded frame time stamp in seconds, sample rate in Hz and samples (n, channels),
    and None for every packet that could not be read or decoded.

    Packets of all audio tracks are counted in `n_packets`, by the indices of the streams. Where
    files were joined, a tag may stand between them, which cannot be decoded and is none of those.
    """
    n_tag_bytes = 0
    packets = container.demux(audio=tuple(range(len(container.streams.audio))))
    while True:
        packet, is_of_tag = None, n_tag_bytes > 0
        try:
            packet = next(packets, None)
            if packet is None:
                return
            n_packets[packet.stream.index] += packet.size > 0
            n_tag_bytes -= packet.size
            frames = packet.decode() if packet.stream.index == stream.index else []
            chunks = [(frame.time, float(frame.sample_rate), _samples(frame)) for frame in frames]
        except ERRORS:
            head = b"" if packet is None else bytes(packet)[:HEAD_BYTES]
            if n_bytes := tag_bytes(head):
                n_tag_bytes = n_bytes - packet.size
            elif not (is_of_tag or head.startswith(LYRICS_BEGIN)):
                yield None
            continue
        yield from (chunk for chunk in chunks if chunk[1] > 0 and len(chunk[2]))


def _samples(frame: av.AudioFrame) -> np.ndarray:
    if frame.format.is_planar and frame.layout.nb_channels > MAX_PLANES:
        packed = av.AudioResampler(format=frame.format.packed.name, layout=frame.layout)
        (frame,) = packed.resample(frame)
    data = frame.to_ndarray()  # (channels, n), or (1, n * channels) where interleaved
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    return full_scale(data.T)


def _pieces(duration_s: float, sample_rate: float) -> Iterator[int]:
    """Numbers of samples, of a second at most, that sum up to a duration."""
    n_samples, n_second = round(duration_s * sample_rate), max(1, round(sample_rate))
    while n_samples > 0:
        yield min(n_samples, n_second)
        n_samples -= n_second


def _opus_input_rate_hz(stream: av.AudioStream) -> float | None:
    """The rate at which an Opus stream was recorded (RFC 7845, 5.1), if it says so."""
    header = stream.codec_context.extradata or b""
    if not header.startswith(b"OpusHead"):
        return None
    return float(int.from_bytes(header[12:16], "little")) or None


def _announced_s(
    container: av.container.InputContainer, stream: av.AudioStream, name: str, has_xing: bool
) -> float | None:
    """The duration that the headers state, in seconds, if they state one."""
    if name not in TIMED_FORMATS and not (name == "mp3" and has_xing):
        return None
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    if len(container.streams) == 1 and container.duration:  # otherwise it may be the video's
        return container.duration / av.time_base
    return None


def _has_xing(source: Source) -> bool:
    """Whether an MP3 starts with the frame that states its length (Xing, Info)."""
    first_frame = source.peek(0, 2048)
    return b"Xing" in first_frame or b"Info" in first_frame
