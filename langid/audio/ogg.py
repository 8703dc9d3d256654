"""The pages of an Ogg file (RFC 3533): which streams follow each other, and what is missing.

FFmpeg decodes the pages; that a page is lost, broken or cut off shows only here.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from langid.audio.sources import Source

HEADER_BYTES = 27
MAX_PAGE_BYTES = HEADER_BYTES + 255 + 255 * 255
BUFFER_BYTES = 2**18
CONTINUES, BEGINS, ENDS = 1, 2, 4  # flags of a page
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass
class OggLink:
    """Streams that begin together, mostly one; links follow each other in a chain.

    Attributes
    ----------
    start, end : int
        Offsets in the file.
    n_broken : int
        Pages with content whose check sum is wrong: decoders leave them out.
    n_lost : int
        Jumps in the numbers of the pages. Some programs count wrong, so that it takes less audio
        than the time stamps announce to say that pages are missing.
    is_cut_off : bool
        Whether its last page, or a packet that begins there, has no end.
    has_audio : bool
        Whether time passes: a header may stand twice, with nothing behind the first.
    """

    start: int
    end: int
    n_broken: int = 0
    n_lost: int = 0
    is_cut_off: bool = False
    has_audio: bool = False


class _Page(NamedTuple):
    start: int
    end: int
    flags: int
    granule: int  # time stamp of its end, in samples; none if negative
    serial: int
    number: int
    is_whole: bool  # or the file ends within it
    is_sound: bool  # the check sum is right
    has_content: bool
    continues: bool  # its last packet goes on in another page


def ogg_links(source: Source) -> list[OggLink]:
    """The links of a file, at least one, in one reading."""
    links: list[OggLink] = []
    numbers: dict[int, int] = {}  # the last page of each stream
    has_begun = False  # whether the current link has pages other than first ones
    for page in _pages(source):
        if not links or (page.flags & BEGINS and page.is_sound and has_begun):
            links.append(OggLink(page.start if links else 0, page.end))
            numbers, has_begun = {}, False
        link = links[-1]
        link.end = page.end
        has_begun = has_begun or not page.flags & BEGINS
        if not page.is_whole:
            link.is_cut_off = True
        elif not page.is_sound:
            link.n_broken += page.has_content
            continue
        else:
            before = numbers.get(page.serial, page.number - 1)
            link.n_lost += page.number != before + 1
            link.has_audio = link.has_audio or page.granule > 0
            link.is_cut_off = page.continues and not page.flags & ENDS
        numbers[page.serial] = page.number
    source.seek(0)
    if not links:
        return [OggLink(0, source.size)]
    for link, following in pairwise(links):
        link.end = following.start
    links[-1].end = source.size
    return links


def _pages(source: Source) -> Iterator[_Page]:
    """Every page, whatever stands between them."""
    buffer, at, offset = b"", 0, 0  # place in the buffer, and of the buffer in the file
    while True:
        if len(buffer) - at < MAX_PAGE_BYTES:
            offset, buffer, at = offset + at, buffer[at:], 0
            source.seek(offset + len(buffer))
            buffer += source.read(BUFFER_BYTES)
        place = buffer.find(b"OggS", at)
        if place < 0 and len(buffer) - at < MAX_PAGE_BYTES:  # the file has no more
            return
        if place != at:
            at = place if place >= 0 else len(buffer) - 3  # one may begin in the last three
            continue
        header = buffer[at : at + HEADER_BYTES].ljust(HEADER_BYTES, b"\0")
        lacing = buffer[at + HEADER_BYTES : at + HEADER_BYTES + header[26]]
        n_page = HEADER_BYTES + header[26] + sum(lacing)
        page = buffer[at : at + n_page]
        is_whole = len(page) == n_page
        is_sound = is_whole and _checksum(page) == page[22:26]
        yield _Page(
            start=offset + at,
            end=offset + at + len(page),
            flags=header[5],
            granule=int.from_bytes(header[6:14], "little", signed=True),
            serial=int.from_bytes(header[14:18], "little"),
            number=int.from_bytes(header[18:22], "little"),
            is_whole=is_whole,
            is_sound=is_sound,
            has_content=any(lacing),
            continues=lacing.endswith(b"\xff"),
        )
        at += n_page if is_sound else 4  # a broken page's length is not to be trusted


def _checksum(page: bytes) -> bytes:
    """The four bytes of a page's CRC-32, which takes bits in the other order than zlib."""
    blank = (page[:22] + bytes(4) + page[26:]).translate(REVERSED_BITS)
    reverse = zlib.crc32(blank, 0xFFFFFFFF) ^ 0xFFFFFFFF  # starts from 0 and inverts nothing
    return reverse.to_bytes(4, "big").translate(REVERSED_BITS)
