"""Recordings of every format, changed at random as damage and malice change them.

Every number is one mutation of one clip, the same on every machine with the same encoders: bytes,
header fields, sizes, truncations, and, container by container, boxes, elements, chunks, objects
and pages that are lost, doubled, exchanged or whose sizes lie.
"""

from collections.abc import Iterator

import numpy as np

from helpers.audio import FORMATS, clip, missing_encoder, mux_tracks, tone, two_tracks
from helpers.ogg import with_checksum

EXTREMES = (0, 1, 7, 8, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1)


def base_clips() -> dict[str, bytes]:
    """A second of every format, and of what containers can hold besides."""
    clips = {
        name: clip(name, duration_s=1.0, n_channels=1 if "amr" in name else 1 + len(name) % 2)
        for name, form in FORMATS.items()
        if missing_encoder(form) is None
    }
    late = [(1.0, tone(duration_s=1.0))]
    for container, codec, video_s in (
        ("mp4", "aac", 2.0),
        ("mov", "alac", 2.0),
        ("mpegts", "mp2", 2.0),
        ("flv", "aac", 0.0),
    ):
        clips[f"late_{container}"] = mux_tracks(late, container, codec, 44_100, video_s=video_s)
    clips["two_tracks"] = two_tracks()
    clips["ogg_chain"] = clips["ogg_opus"] + clips["ogg_vorbis"]
    clips["mp3_tags"] = (
        clips["mp3"] + b"LYRICSBEGIN" + b"la" * 90 + b"LYRICSEND" + b"TAG".ljust(128)
    )
    return clips


def mutation(number: int, clips: dict[str, bytes]) -> tuple[str, bytes]:
    """The name of the clip and the mutated bytes of a number."""
    name = list(clips)[number % len(clips)]
    rng = np.random.default_rng(number)
    data = bytearray(clips[name])
    for _ in range(1 + int(rng.integers(3))):
        mutate = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        data = bytearray(mutate(data, rng, clips)) or bytearray(b"\0")
    return name, bytes(data[: 2**22])


def place(data: bytes, rng: np.random.Generator) -> int:
    """An offset, half of the time near the beginning, where the headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 400)
    return int(rng.integers(max(1, end)))


def change_bytes(data, rng, clips):
    for _ in range(int(rng.integers(1, 20))):
        data[place(data, rng) % len(data)] = int(rng.integers(256))
    return data


def write_extreme(data, rng, clips):
    """A number that is a limit of something, in one of the widths and orders."""
    width = int(rng.choice([1, 2, 3, 4, 8]))
    value = int(EXTREMES[int(rng.integers(len(EXTREMES)))]) & ((1 << 8 * width) - 1)
    at = place(data, rng)
    data[at : at + width] = value.to_bytes(width, "little" if rng.random() < 0.5 else "big")
    return data


def cut_end(data, rng, clips):
    return data[: int(rng.integers(1, len(data) + 1))]


def cut_beginning(data, rng, clips):
    return data[place(data, rng) :]


def insert(data, rng, clips):
    at, n = place(data, rng), int(rng.integers(1, 2000))
    fill = rng.bytes(n) if rng.random() < 0.5 else bytes([int(rng.choice([0, 255]))]) * n
    return data[:at] + fill + data[at:]


def blank(data, rng, clips):
    at, n = place(data, rng), int(rng.integers(1, 3000))
    n = min(n, len(data) - at)
    data[at : at + n] = rng.bytes(n) if rng.random() < 0.5 else bytes(n)
    return data


def repeat(data, rng, clips):
    start, end = sorted((place(data, rng), place(data, rng)))
    return data[:end] + data[start:end] + data[end:]


def join(data, rng, clips):
    other = list(clips.values())[int(rng.integers(len(clips)))]
    at = place(data, rng) if rng.random() < 0.5 else len(data)
    return data[:at] + other + (data[at:] if rng.random() < 0.3 else b"")


def change_part(data, rng, clips):
    """Lose, double, exchange or change a part of the container, or lie about its size."""
    parts = list(container_parts(bytes(data)))
    if not parts:
        return write_extreme(data, rng, clips)
    start, end, size_at, n_size = parts[int(rng.integers(len(parts)))]
    how = int(rng.integers(6))
    if how == 0:
        return data[:start] + data[end:]
    if how == 1:
        return data[:end] + data[start:end] * int(rng.integers(1, 30)) + data[end:]
    if how == 2:
        other = parts[int(rng.integers(len(parts)))]
        first, second = sorted(((start, end), other[:2]))
        if first[1] <= second[0]:
            return (data[: first[0]] + data[slice(*second)] + data[first[1] : second[0]]
                    + data[slice(*first)] + data[second[1] :])  # fmt: skip
    if how == 3 and n_size:
        value = int(EXTREMES[int(rng.integers(len(EXTREMES)))]) & ((1 << 8 * n_size) - 1)
        data[size_at : size_at + n_size] = value.to_bytes(n_size, "big")
        return data
    at = start + int(rng.integers(max(1, min(end - start, 40))))
    data[at : at + 4] = rng.bytes(4) if how == 4 else b"\x7f\xff\xff\xff"
    return with_checksums(data) if data.startswith(b"OggS") else data


def with_checksums(data: bytes) -> bytes:
    pages = [(start, end) for start, end, _, _ in container_parts(bytes(data))]
    return b"".join(with_checksum(bytes(data[start:end])) for start, end in pages) or data


MUTATIONS = (
    change_bytes, write_extreme, write_extreme, cut_end, cut_beginning, insert, blank, repeat,
    join, change_part, change_part, change_part, change_part,
)  # fmt: skip


def container_parts(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, offset and width of its size) of each part, nested ones too."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat"):
        yield from boxes(data, 0, len(data))
    elif data[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        yield from chunks(data, 12, "big" if data[:4] in (b"RIFX", b"FORM") else "little")
    elif data.startswith(b"caff"):
        yield from wide_chunks(data)
    elif data.startswith(b"OggS"):
        yield from ogg_pages(data)
    elif data.startswith(b"\x1a\x45\xdf\xa3"):
        yield from elements(data, 0, len(data))
    elif data.startswith(b"\x30\x26\xb2\x75"):
        yield from objects(data)


def boxes(data, start, end):
    while start + 8 <= end:
        n = int.from_bytes(data[start : start + 4], "big")
        if n < 8 or start + n > end:
            return
        yield start, start + n, start, 4
        if data[start + 4 : start + 8] in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"):
            yield from boxes(data, start + 8, start + n)
        start += n


def chunks(data, start, order):
    while start + 8 <= len(data):
        n = 8 + int.from_bytes(data[start + 4 : start + 8], order)
        end = min(len(data), start + n + n % 2)
        yield start, end, start + 4, 4
        start = end


def wide_chunks(data):
    start = 8
    while start + 12 <= len(data):
        end = min(len(data), start + 12 + int.from_bytes(data[start + 4 : start + 12], "big"))
        yield start, end, start + 4, 8
        start = end


def objects(data):
    start, end = 30, len(data)  # within the header object
    while start + 24 <= end:
        n = int.from_bytes(data[start + 16 : start + 24], "little")
        if n < 24 or start + n > end:
            return
        yield start, start + n, start + 16, 8
        start += n


def elements(data, start, end):
    while start + 2 <= end:
        n_id = 9 - data[start].bit_length()
        at = start + n_id
        if n_id > 4 or at >= end:
            return
        n_size = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + n_size], "big") & ((1 << 7 * n_size) - 1)
        stop = min(end, at + n_size + size)
        yield start, stop, at, n_size
        if data[start:at] in (
            b"\x18\x53\x80\x67",
            b"\x16\x54\xae\x6b",
            b"\xae",
            b"\x1f\x43\xb6\x75",
        ):
            yield from elements(data, at + n_size, stop)
        start = stop


def ogg_pages(data):
    start = 0
    while data.startswith(b"OggS", start) and start + 27 <= len(data):
        n_segments = data[start + 26]
        end = start + 27 + n_segments + sum(data[start + 27 : start + 27 + n_segments])
        if end > len(data):
            return
        yield start, end, start + 6, 8  # its time stamp rather than a size
        start = end
