"""Tags that stand before and behind encoded audio: texts, lyrics and pictures, no samples.

Decoders skip some of them and stumble over others, so all are cut away before. Known are, in
front, ID3v2 (https://id3.org/id3v2.4.0-structure) and APEv2; behind, ID3v1 with its enhanced form,
APEv2 (https://wiki.hydrogenaud.io/index.php?title=APEv2_specification), Lyrics3 of both versions
(https://id3.org/Lyrics3v2) and ID3v2.4 with a footer.
"""

from langid.audio.sources import Source

ID3V1_BYTES = 128
ENHANCED_ID3V1_BYTES = 227
ID3V2_BYTES = 10  # of a header, and of a footer
ID3V2_HAS_FOOTER = 0x10
APE_BYTES = 32  # of a header, and of a footer
APE_HAS_HEADER = 0x80
HEAD_BYTES = APE_BYTES
LYRICS_BEGIN = b"LYRICSBEGIN"
MAX_LYRICS_BYTES = 2**20  # of Lyrics3v2, whose size has six digits; version 1 holds 5,100


def audio_bounds(source: Source) -> tuple[int, int]:
    """Offsets of the audio's first byte and of the byte after its last; equal if there is none."""
    start, end = 0, source.size
    while n_bytes := tag_bytes(source.peek(start, HEAD_BYTES)):
        start = min(start + n_bytes, end)
    while n_bytes := _tag_behind(source, start, end):
        end = max(start, end - n_bytes)
    return start, end


def tag_bytes(head: bytes) -> int:
    """Bytes of the tag that begins with these `HEAD_BYTES` bytes; 0 if they begin none."""
    if head.startswith(b"ID3") and len(head) >= ID3V2_BYTES:
        return _id3v2_bytes(head)
    if head.startswith(b"APETAGEX") and len(head) == APE_BYTES:
        return APE_BYTES + int.from_bytes(head[12:16], "little")
    return 0


def _tag_behind(source: Source, start: int, end: int) -> int:
    """Bytes of the tag that ends at an offset; 0 if there is none behind `start`."""
    room = end - start
    tail = source.peek(end - min(room, ENHANCED_ID3V1_BYTES), min(room, ENHANCED_ID3V1_BYTES))
    if tail[-ID3V1_BYTES:].startswith(b"TAG") and room >= ID3V1_BYTES:
        return ID3V1_BYTES
    if tail.startswith(b"TAG+") and room >= ENHANCED_ID3V1_BYTES:
        return ENHANCED_ID3V1_BYTES
    footer = tail[-APE_BYTES:]
    if footer.startswith(b"APETAGEX") and len(footer) == APE_BYTES:
        n_header = APE_BYTES if footer[23] & APE_HAS_HEADER else 0
        n_bytes = int.from_bytes(footer[12:16], "little") + n_header
        return n_bytes if APE_BYTES <= n_bytes <= room else APE_BYTES
    footer = tail[-ID3V2_BYTES:]
    if footer.startswith(b"3DI") and len(footer) == ID3V2_BYTES:
        n_bytes = _id3v2_bytes(footer)
        return n_bytes if n_bytes <= room else 0
    if tail.endswith((b"LYRICS200", b"LYRICSEND")):
        n_searched = min(room, MAX_LYRICS_BYTES)
        begin = source.peek(end - n_searched, n_searched).rfind(LYRICS_BEGIN)
        return n_searched - begin if begin >= 0 else 0
    return 0


def _id3v2_bytes(header: bytes) -> int:
    """Bytes of a whole ID3v2 tag, whose size has four digits of seven bits."""
    digits = header[6:10]
    if max(digits) > 0x7F:
        return 0
    n_footer = ID3V2_BYTES if header[5] & ID3V2_HAS_FOOTER else 0
    return ID3V2_BYTES + sum(d << 7 * i for i, d in enumerate(reversed(digits))) + n_footer
