"""Sizes that writers announce: which are meant, and which only stand for one that is not known."""

import numpy as np
import pytest
from helpers.audio import clip, tone

from langid.audio import load_audio
from langid.audio.libsndfile import is_placeholder


def wav_that_announces(n_bytes: int, data: bytes | None = None, riff: int | None = None) -> bytes:
    wav = bytearray(data or clip("wav_16", duration_s=3.0))
    riff = min(n_bytes + 36, 0xFFFFFFFF) if riff is None else riff
    wav[4:8], wav[40:44] = riff.to_bytes(4, "little"), n_bytes.to_bytes(4, "little")
    return bytes(wav)


PLACEHOLDERS = [
    0, 0x7FFFFFFF, 0x7FFFFFDB, 0x7FFFFFD3, 0x7FFFF000, 0x7FFF0000, 0x7FFFFFFF - 36, 0x80000000,
    0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFDB, 0xFFFFFFD3, 0xFFFFFF00, 0xFFFF0000, 0x3FFFFFFF,
    0x40000000, 0x0FFFFFFF, 0x10000000, 0x20000000, 0x7F000000, 2_000_000_000, 1_000_000_000,
    2_000_000_000 - 36, 1_000_000_000 - 44, 500_000_000, 0x7EFFFFFF, 1_234_567_890,
]  # fmt: skip


@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_a_placeholder_is_no_end_that_is_missing(size):
    expected, _ = load_audio(clip("wav_16", duration_s=3.0))
    for riff in (None, 0, 36, size, 0xFFFFFFFF):
        waveform, warnings = load_audio(wav_that_announces(size, riff=riff))
        np.testing.assert_array_equal(waveform, expected)
        assert warnings == []


@pytest.mark.parametrize("seconds", [4, 10, 125, 250])
def test_a_plausible_size_is(seconds):
    _, (warning,) = load_audio(wav_that_announces(2 * 44_100 * seconds))
    assert warning == "The input is cut off: only its first 3.0 s are there."


def test_a_size_is_judged_by_what_is_there():
    assert is_placeholder(300_000_000, 100_000)
    assert not is_placeholder(300_100_100, 250_000_000)  # most of a long recording
    assert is_placeholder(0x7FFFF000, 0x70000000)


def test_a_header_that_stands_twice_is_no_damage():
    """As services do that join parts with a header each; it is heard as a click of 44 bytes."""
    wav = clip("wav_16", duration_s=3.0)
    waveform, warnings = load_audio(wav[:44] + wav)
    assert len(waveform) / 16_000 == pytest.approx(3.0, abs=0.01)
    assert warnings == []


@pytest.mark.parametrize(
    ("name", "first_of_audio"),
    [
        ("flac", b"\xff\xf8"),
        ("webm_opus", b"\x1f\x43\xb6\x75"),
        ("ogg_opus", b"OggS\0\0" + b"\0" * 7 + b"\1"),
        ("ogg_opus", b"OggS"),
        ("mp3_lame", b"\xff\xfb"),
    ],
)
def test_a_beginning_that_stands_twice_is_no_damage(name, first_of_audio):
    """A recorder that was started twice, or parts with a header each."""
    data = clip(name, duration_s=3.0)
    n_header = data.find(first_of_audio, 100)
    n_header = n_header if n_header > 0 else data.index(b"OggS", 200)
    waveform, warnings = load_audio(data[:n_header] + data)
    assert len(waveform) / 16_000 == pytest.approx(3.0, abs=0.1)
    assert warnings == []


def test_a_tone_stays_what_it_was_beside_a_chunk_of_unknown_kind():
    wav = clip("wav_16", duration_s=3.0)
    odd = wav + b"XtRa" + (10).to_bytes(4, "little") + bytes(10)
    waveform, warnings = load_audio(odd)
    expected = tone(duration_s=3.0, sample_rate=16_000)[:, 0]
    np.testing.assert_allclose(waveform[500:-500], expected[500:-500], atol=0.01)
    assert warnings == []
