"""Encoded audio → chunks of float samples, by libsndfile where it can and FFmpeg otherwise.

libsndfile (soundfile) reads the uncompressed formats, FLAC and Ogg. FFmpeg reads the rest, and
takes over where libsndfile cannot open a file, stops at damage, or ends before the file does (Ogg
streams one after the other). MP3 goes to FFmpeg although libsndfile reads it: its MP3 library
prints complaints to standard error and gives up at the first damage.
"""

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import soundfile

from langid.audio.ffmpeg import decode_ffmpeg
from langid.audio.samples import Chunk
from langid.audio.sources import Source
from langid.errors import AudioError

SIGNATURES = {  # how files start, to choose the decoder and to word errors
    "WAV": rb"(RIFF|RIFX|RF64)....WAVE",
    "Wave64": rb"riff\x2e\x91\xcf\x11",
    "AIFF": rb"FORM....(AIF[FC]|8SVX)",
    "AU": rb"\.snd|dns\.",
    "CAF": rb"caff",
    "FLAC": rb"fLaC",
    "Ogg": rb"OggS",
    "NIST": rb"NIST_1A",
    "VOC": rb"Creative Voice File",
    "MP3": rb"ID3",
    "MP4": rb"....(ftyp|moov|mdat)",
    "WebM": rb"\x1a\x45\xdf\xa3",
    "WMA": rb"\x30\x26\xb2\x75",
    "AMR": rb"#!AMR",
    "AVI": rb"RIFF....AVI ",
    "FLV": rb"FLV\x01",
}
LIBSNDFILE_KINDS = frozenset({"WAV", "Wave64", "AIFF", "AU", "CAF", "FLAC", "Ogg", "NIST", "VOC"})

READ_S = 0.25  # length of one libsndfile read
READ_SAMPLES = 2**18  # its bound over all channels
MAX_OGG_PAGE_BYTES = 65_307
OGG_SERIAL = slice(14, 18)  # in a page, RFC 3533
MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE, its answer to a CAF file that is cut off
SIZE_MISMATCH = re.compile(  # libsndfile's log of WAV, AIFF, AU, RF64 and Wave64 in this order
    r"^ *(?:data|SSND|Data Size|Riff size|riff) +: (\d+) \(should be (\d+)\)$", re.MULTILINE
)
UNKNOWN_SIZE = 0x7FFF0000  # programs that write to a pipe announce about 2 or 4 GiB


def decode(source: Source, warnings: list[str]) -> Iterator[Chunk]:
    """Decode a source from its start, as far as it goes.

    Yields
    ------
    sample_rate : float
        In Hz; it may change within a file.
    samples : float32, shape (n, channels)
        Full scale ±1, not checked for NaN.

    Raises
    ------
    AudioError
        If it is not audio, has no audio track, or nothing of it can be decoded. Damage after the
        first samples adds a sentence to `warnings` instead.
    """
    kind = container_kind(source.peek(0, 64))
    outcome = _Outcome(0, opened=False, complete=False, damaged=False)
    if kind in LIBSNDFILE_KINDS and not (kind == "Ogg" and _has_other_ogg_streams(source)):
        outcome = yield from _decode_libsndfile(source, warnings)
    source.raise_error()
    if outcome.complete:
        return
    n_warnings = len(warnings)
    try:
        yield from decode_ffmpeg(source, kind, warnings, skip=outcome.n_done)
    except AudioError:
        source.raise_error()
        if not outcome.opened:
            raise
    if outcome.damaged and len(warnings) == n_warnings:
        warnings.append(f"{source.name} is damaged: what could not be decoded is left out.")


def container_kind(head: bytes) -> str | None:
    """What a file that starts with these bytes says it is, a key of `SIGNATURES`."""
    return next((k for k, p in SIGNATURES.items() if re.match(p, head, re.DOTALL)), None)


class _Outcome(NamedTuple):
    """Of libsndfile's attempt."""

    n_done: int  # samples per channel
    opened: bool
    complete: bool
    damaged: bool


def _decode_libsndfile(source: Source, warnings: list[str]) -> Generator[Chunk, None, _Outcome]:
    n_done, opened = 0, False
    try:
        with _SequentialFile(source) as file:
            if file.subtype.startswith("MPEG"):
                return _Outcome(0, opened=False, complete=False, damaged=False)
            opened = True
            n_frames = 1 + min(int(file.samplerate * READ_S), READ_SAMPLES // file.channels)
            while True:
                buffer = np.empty((n_frames, file.channels), dtype=np.float32)
                n_read = file.buffer_read_into(buffer, dtype="float32")
                if n_read == 0:
                    break
                n_done += n_read
                yield float(file.samplerate), buffer[:n_read]
            # 0 samples may be a header that was never completed, which FFmpeg reads past.
            complete = n_done > 0 and (file.format != "OGG" or source.tell() == source.size)
            if complete and _is_cut_off(file, n_done):
                warnings.append(
                    f"{source.name} is cut off: only its first {n_done / file.samplerate:.1f} s "
                    "are there."
                )
            return _Outcome(n_done, opened, complete, damaged=False)
    except soundfile.SoundFileError as error:
        malformed = getattr(error, "code", None) == MALFORMED
        return _Outcome(n_done, opened, complete=False, damaged=opened or malformed)


def _has_other_ogg_streams(source: Source) -> bool:
    """Whether the last page of an Ogg file has another serial number than the first."""
    tail = source.peek(max(0, source.size - MAX_OGG_PAGE_BYTES), MAX_OGG_PAGE_BYTES)
    last_page = max(0, tail.rfind(b"OggS", 0, -OGG_SERIAL.stop))
    return tail[last_page:][OGG_SERIAL] != source.peek(0, OGG_SERIAL.stop)[OGG_SERIAL]


def _is_cut_off(file: soundfile.SoundFile, n_read: int) -> bool:
    """Whether the headers announce clearly more than there is, by libsndfile's own log."""
    log = file.extra_info
    sizes = [(int(announced), int(there)) for announced, there in SIZE_MISMATCH.findall(log)]
    return (
        "lacks an end-of-stream bit" in log
        or n_read < file.frames < UNKNOWN_SIZE
        or any(1.02 * there < announced < UNKNOWN_SIZE for announced, there in sizes)
    )


class _SequentialFile(soundfile.SoundFile):
    """A file read from start to end.

    A SoundFile that can seek does so after every read, which loses the end of a FLAC stream of
    unknown length.
    """

    def seekable(self) -> bool:
        return False
