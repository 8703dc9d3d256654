"""Pages of Ogg files to change, lose and join: RFC 3533."""

import zlib
from collections.abc import Iterator

HEADER_BYTES = 27
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def pages(data: bytes) -> Iterator[bytes]:
    """The pages of a whole file."""
    at = 0
    while at < len(data):
        n_segments = data[at + 26]
        lacing = data[at + HEADER_BYTES : at + HEADER_BYTES + n_segments]
        n_page = HEADER_BYTES + n_segments + sum(lacing)
        yield data[at : at + n_page]
        at += n_page


def with_checksum(page: bytes) -> bytes:
    """The page with the check sum that it should have."""
    blank = (page[:22] + bytes(4) + page[26:]).translate(REVERSED_BITS)
    crc = zlib.crc32(blank, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return page[:22] + crc.to_bytes(4, "big").translate(REVERSED_BITS) + page[26:]


def without_end_mark(page: bytes) -> bytes:
    return with_checksum(page[:5] + bytes([page[5] & ~4]) + page[6:])


def granule(page: bytes) -> int:
    return int.from_bytes(page[6:14], "little", signed=True)


def later(page: bytes, n_samples: int) -> bytes:
    """The page with a later time stamp."""
    return with_checksum(page[:6] + (granule(page) + n_samples).to_bytes(8, "little") + page[14:])


def opus_with_input_rate(data: bytes, rate_hz: int) -> bytes:
    """An Ogg Opus file whose header says another rate."""
    first, *rest = pages(data)
    at = first.index(b"OpusHead") + 12
    first = with_checksum(first[:at] + rate_hz.to_bytes(4, "little") + first[at + 4 :])
    return b"".join([first, *rest])
