"""The duration that headers announce."""

import io

import numpy as np
import pytest
import soundfile

from langid.audio.duration import announced_duration_s

RATE = 16_000


def write(path, seconds=7):
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, seconds * RATE), RATE)
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".w64", ".caf"])
def test_headers_announce_the_duration(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}")
    assert announced_duration_s(path) == pytest.approx(7, abs=0.01)
    assert announced_duration_s(path.read_bytes()) == pytest.approx(7, abs=0.01)


def test_what_follows_from_the_bit_rate_is_an_estimate(tmp_path):
    path = write(tmp_path / "a.mp3")
    assert announced_duration_s(path) is None
    assert announced_duration_s(path, estimate=True) == pytest.approx(7, rel=0.05)


def test_what_cannot_be_known_is_none(tmp_path):
    text = tmp_path / "a.wav"
    text.write_text("no sound")
    placeholder = bytearray(write(tmp_path / "b.wav").read_bytes())
    placeholder[40:44] = b"\xff" * 4  # as a program leaves it that writes to a pipe
    for audio in (text, tmp_path / "missing.wav", tmp_path, b"", io.BytesIO(b"RIFF"), None):
        assert announced_duration_s(audio) is None
    assert announced_duration_s(bytes(placeholder)) == pytest.approx(7, abs=0.01)
