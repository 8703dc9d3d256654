"""Whether a file has its end, by the sizes that its structure states.

A recording may announce more time than it holds samples for, when its end is muted; it is cut off
only when bytes are missing.
"""

from collections.abc import Callable

from langid.audio.sources import Source

SEGMENT, CLUSTER = 0x18538067, 0x1F43B675
MAX_PARTS = 1_000_000  # that are read one by one; a file with more does not tell


def has_its_end(source: Source, container: str) -> bool:
    """Whether no bytes are missing at the end; False if the container, by FFmpeg's name, tells
    nothing of that."""
    if container == "mov":
        return _end_of_parts(source, _box_bytes) == source.size
    if container == "matroska":
        return _element_end(source) == source.size
    if container == "avi":
        return _end_of_parts(source, _riff_bytes) in (
            source.size,
            source.size + 1,
        )  # it may lack its padding
    return False


def _end_of_parts(source: Source, n_bytes_of: Callable[[bytes, int], int]) -> int:
    """Where the last of the parts ends that a file is made of; -1 where they cannot be followed.

    ``n_bytes_of`` tells the length of a part from its first 16 bytes and how many bytes are left.
    """
    at = 0
    for _ in range(MAX_PARTS):
        if at >= source.size:
            return at
        n_bytes = n_bytes_of(source.peek(at, 16), source.size - at)
        if n_bytes < 8:
            return -1
        at += n_bytes
    return -1


def _riff_bytes(head: bytes, _n_left: int) -> int:
    """Length of a RIFF chunk of an AVI file; beyond 1 GB there are several."""
    n_bytes = int.from_bytes(head[4:8], "little")
    return 8 + n_bytes + n_bytes % 2 if head[:4] == b"RIFF" and n_bytes else 0


def _box_bytes(head: bytes, n_left: int) -> int:
    """Length of a box of an MP4 file (ISO/IEC 14496-12, 4.2)."""
    n_bytes = int.from_bytes(head[:4], "big")
    if n_bytes == 1:
        return int.from_bytes(head[8:16], "big")
    return n_bytes or n_left


def _element_end(source: Source) -> int:
    """Where the last element of a Matroska file ends (RFC 8794); in a segment or cluster of
    unknown size, that is the last element within."""
    at = 0
    for _ in range(MAX_PARTS):
        if at >= source.size:
            return at
        head = source.peek(at, 12)
        n_id = 9 - head[0].bit_length() if head[0] else 9
        if n_id > 4 or len(head) <= n_id:
            return -1
        n_size = 9 - head[n_id].bit_length() if head[n_id] else 9
        if n_size > 8 or len(head) < n_id + n_size:
            return -1
        size = int.from_bytes(head[n_id : n_id + n_size], "big") & ((1 << 7 * n_size) - 1)
        is_unknown = size == (1 << 7 * n_size) - 1
        element = int.from_bytes(head[:n_id], "big")
        if is_unknown and element not in (SEGMENT, CLUSTER):
            return -1
        at += n_id + n_size + (0 if is_unknown else size)
    return -1
