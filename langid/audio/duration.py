"""How long a recording says that it is, without decoding it."""

import os

import av
import soundfile

from langid.audio.decoding import LIBSNDFILE_KINDS, UNKNOWN_SIZE, container_kind
from langid.audio.ffmpeg import ERRORS, FORMATS, TIMED_FORMATS
from langid.audio.sources import open_source
from langid.errors import AudioError


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
            if container_kind(source.peek(0, 64)) in LIBSNDFILE_KINDS:
                with soundfile.SoundFile(source) as file:
                    if 0 < file.frames < UNKNOWN_SIZE:
                        return file.frames / file.samplerate
            source.seek(0)
            with av.open(source, "r", options={"format_whitelist": FORMATS}) as container:
                stated = estimate or container.format.name.split(",")[0] in TIMED_FORMATS
                return container.duration / av.time_base if stated and container.duration else None
    except (AudioError, soundfile.SoundFileError, *ERRORS):
        return None
