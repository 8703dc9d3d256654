"""How long a recording says that it is, without decoding it; durations in words."""

import os

import av
import soundfile

from langid.audio.ffmpeg import ERRORS, FORMATS, TIMED_FORMATS
from langid.audio.formats import container_kind
from langid.audio.libsndfile import KINDS as LIBSNDFILE_KINDS
from langid.audio.libsndfile import UNKNOWN_SIZE, may_hold_mpeg
from langid.audio.sources import open_source
from langid.errors import AudioError, Message


def announced_duration_s(audio: object, estimate: bool = False) -> float | None:
    """Seconds that the headers of a path or of the bytes of a file announce.

    None where they announce nothing, where nothing can be opened, and for a file object, which
    cannot be read twice. With ``estimate`` also what FFmpeg makes of the size and the bit rate of
    formats without such headers (MP3, AAC): right within some percent, usually.
    """
    if not isinstance(audio, str | os.PathLike | bytes):
        return None
    try:
        with open_source(audio) as source:
            kind = container_kind(source.peek(0, 64))
            if kind in LIBSNDFILE_KINDS and not may_hold_mpeg(source):
                with soundfile.SoundFile(source) as file:
                    if 0 < file.frames < UNKNOWN_SIZE:
                        return file.frames / file.samplerate
            source.seek(0)
            with av.open(source, "r", options={"format_whitelist": FORMATS}) as container:
                name = container.format.name.split(",")[0]
                if container.duration is None or not (estimate or name in TIMED_FORMATS):
                    return None
                start = max(0, container.start_time or 0) if name == "ogg" else 0
                if start >= container.duration:
                    start = 0
                return (container.duration - start) / av.time_base or None
    except (AudioError, soundfile.SoundFileError, *ERRORS):
        return None


def describe_duration(seconds: float) -> Message:
    """``"8.2 s"``, ``"3 min 20 s"``, ``"3 h 2 min"``."""
    if round(seconds, 1) < 60:
        return Message("{s:.1f} s", s=seconds)
    if round(seconds) < 3600:
        minutes, seconds = divmod(round(seconds), 60)
        return Message("{min} min {s} s", min=minutes, s=seconds)
    hours, minutes = divmod(round(seconds / 60), 60)
    return Message("{h} h {min} min", h=hours, min=minutes)


def too_long(max_duration_s: float) -> AudioError:
    """The error for a recording beyond a limit."""
    limit = (
        Message("{h:g} h", h=max_duration_s / 3600)
        if max_duration_s >= 3600
        else Message("{s:g} s", s=max_duration_s)
    )
    return AudioError(
        Message(
            "The recording lasts more than {limit}, the most that is taken here: cut it into "
            "shorter parts.",
            limit=limit,
        )
    )
