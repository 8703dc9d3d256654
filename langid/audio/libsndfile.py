"""Decoding by libsndfile through soundfile: the uncompressed formats and FLAC, to the sample."""

import re
from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import soundfile

from langid.audio.samples import Chunk
from langid.audio.sources import Source

KINDS = frozenset({"WAV", "Wave64", "AIFF", "AU", "CAF", "FLAC", "NIST", "VOC"})
READ_S = 0.25  # length of one read
READ_SAMPLES = 2**18  # its bound over all channels
MALFORMED = 3  # SF_ERR_MALFORMED_FILE, the answer to a CAF file that is cut off
SIZE_MISMATCH = re.compile(  # its log of WAV, AIFF, AU, RF64 and Wave64 in this order
    r"^ *(?:data|SSND|Data Size|Riff size|riff) +: (\d+) \(should be (\d+)\)$", re.MULTILINE
)
_MPEG = rb"(?:[\x50\x55]\0|\0[\x50\x55])"  # the number of the format, in either order of bytes
MPEG_FORMAT = re.compile(  # of WAV, of its extensible form, and of Wave64
    rb"fmt (?:.{4}%b|.{4}(?:\xfe\xff|\xff\xfe).{22}%b|\xf3\xac\xd3\x11.{16}%b)"
    % (_MPEG, _MPEG, _MPEG),
    re.DOTALL,
)
HEADER_SEARCHED_BYTES = 2**20  # for it: other chunks may come before
# What programs announce that write to a pipe and cannot know: 0, which counts as nothing
# announced, or something large. From 0x7FFF0000 on: arecord (0x80000000), espeak and sox
# (0x7FFFF000 and a header), FFmpeg and GStreamer (0xFFFFFFFF), and what ends a header before
# 2 or 4 GiB. Below: round numbers, in decimal or in bits, with or without the header's 36 or 44
# bytes.
UNKNOWN_SIZE = 0x7FFF0000
HEADER_SIZES = (0, 8, 36, 44)
ROUND_DECIMAL = 100_000_000
ROUND_BITS = 24  # ones or zeros at the end of a placeholder such as 0x0FFFFFFF
# What is announced beyond this, of which less than a hundredth is there, is another writer's
# invention rather than a download that failed.
LARGE_BYTES, LARGE_RATIO = 100 * 2**20, 100


class Outcome(NamedTuple):
    """Of libsndfile's attempt."""

    n_done: int  # samples per channel
    opened: bool
    complete: bool
    damaged: bool
    cut_off_s: float | None = None  # what is there of a file that announces more


def decode_libsndfile(source: Source) -> Generator[Chunk, None, Outcome]:
    """Decode a file as far as libsndfile goes; what is left is FFmpeg's to try."""
    n_done, opened = 0, False
    if may_hold_mpeg(source):
        return Outcome(0, opened=False, complete=False, damaged=False)
    try:
        with _SequentialFile(source) as file:
            opened = True
            n_frames = 1 + min(int(file.samplerate * READ_S), READ_SAMPLES // file.channels)
            while True:
                buffer = np.empty((n_frames, file.channels), dtype=np.float32)
                n_read = file.buffer_read_into(buffer, dtype="float32")
                if n_read == 0:
                    break
                n_done += n_read
                yield float(file.samplerate), buffer[:n_read]
            cut_off = _is_cut_off(file, n_done)
            return Outcome(
                n_done,
                opened,
                complete=n_done > 0,  # 0 may be a header that FFmpeg reads past
                damaged=False,
                cut_off_s=n_done / file.samplerate if cut_off else None,
            )
    except soundfile.SoundFileError as error:
        malformed = getattr(error, "code", None) == MALFORMED
        return Outcome(n_done, opened, complete=False, damaged=opened or malformed)


def may_hold_mpeg(source: Source) -> bool:
    """Whether a WAV header names MPEG audio (format 0x50 or 0x55, also as an extension).

    Opening it is enough for libsndfile's MPEG library to print to standard error.
    """
    return MPEG_FORMAT.search(source.peek(0, HEADER_SEARCHED_BYTES)) is not None


def is_placeholder(n_announced: int, n_there: int) -> bool:
    """Whether a size in bytes, larger than the file, is none that its writer can have meant."""
    return (
        n_announced >= UNKNOWN_SIZE
        or (n_announced > LARGE_BYTES and n_announced > LARGE_RATIO * n_there)
        or any(
            size >= ROUND_DECIMAL
            and (
                size % ROUND_DECIMAL == 0
                or (size + 1) >> ROUND_BITS << ROUND_BITS in (size, size + 1)
            )
            for size in (n_announced + sign * n for n in HEADER_SIZES for sign in (-1, 1))
        )
    )


def _is_cut_off(file: soundfile.SoundFile, n_read: int) -> bool:
    """Whether the headers announce clearly more than there is, by libsndfile's own log."""
    sizes = [(int(said), int(there)) for said, there in SIZE_MISMATCH.findall(file.extra_info)]
    return n_read < file.frames < UNKNOWN_SIZE or any(
        1.02 * there < said and not is_placeholder(said, there) for said, there in sizes
    )


class _SequentialFile(soundfile.SoundFile):
    """A file read from start to end.

    A SoundFile that can seek does so after every read, which loses the end of a FLAC stream of
    unknown length.
    """

    def seekable(self) -> bool:
        return False
