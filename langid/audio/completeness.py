"""Whether a file has its end, by the sizes that its structure states.

A recording may announce more time than it holds samples for, when its end is muted; it is cut off
only when bytes are missing.
"""

from langid.audio.sources import Source

SEGMENT, CLUSTER = 0x18538067, 0x1F43B675
MAX_PARTS = 1_000_000  # that are read one by one; a file with more does not tell


def has_its_end(source: Source, container: str) -> bool:
    """Whether no bytes are missing at the end; False if the container, by FFmpeg's name, tells
    nothing of that."""
    if container == "mov":
        return _box_end(source) == source.size
    if container == "matroska":
        return _element_end(source) == source.size
    if container == "avi":
        return _riff_end(source) in (source.size, source.size + 1)  # it may lack its padding
    return False


def _riff_end(source: Source) -> int:
    """Where the last RIFF chunk of an AVI file ends; beyond 1 GB there are several."""
    at = 0
    for _ in range(MAX_PARTS):
        if at >= source.size:
            return at
        head = source.peek(at, 8)
        n_bytes = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or n_bytes == 0:
            return -1
        at += 8 + n_bytes + n_bytes % 2
    return -1


def _box_end(source: Source) -> int:
    """Where the last box of an MP4 file ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    for _ in range(MAX_PARTS):
        if at >= source.size:
            return at
        head = source.peek(at, 16)
        n_bytes = int.from_bytes(head[:4], "big")
        if n_bytes == 1:
            n_bytes = int.from_bytes(head[8:16], "big")
        elif n_bytes == 0:
            n_bytes = source.size - at
        if n_bytes < 8:
            return -1
        at += n_bytes
    return -1


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
