"""One recording to the bytes that the dataset stores."""

import io

import numpy as np
import pytest
import soundfile
from helpers_recordings import SAMPLE_RATE, record, waveform

from langid.clips import Drops, UnusableClip, encode_clip


def encode(path, min_duration_s=0.5, max_duration_s=30.0):
    return encode_clip(path, min_duration_s, max_duration_s)


@pytest.mark.parametrize("suffix", [".opus", ".flac", ".mp3"])
def test_compressed_mono_16_khz_keeps_its_bytes(tmp_path, suffix):
    path = record(tmp_path / f"a{suffix}", seed=1, duration_s=2)
    (piece,) = encode(path)
    assert piece.data == path.read_bytes()
    assert piece.suffix == suffix
    assert piece.duration_s == pytest.approx(2, abs=0.1)


def test_wav_becomes_flac_of_the_same_samples(tmp_path):
    (piece,) = encode(record(tmp_path / "a.wav", seed=1))
    assert piece.suffix == ".flac"
    assert piece.duration_s == 1
    stored, sample_rate = soundfile.read(io.BytesIO(piece.data), dtype="int16")
    expected, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert sample_rate == SAMPLE_RATE
    np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize("sample_rate", [8000, 44100])
def test_other_rates_are_resampled(tmp_path, sample_rate):
    (piece,) = encode(record(tmp_path / "a.flac", seed=1, duration_s=2, sample_rate=sample_rate))
    info = soundfile.info(io.BytesIO(piece.data))
    assert (info.samplerate, info.channels, info.format) == (SAMPLE_RATE, 1, "FLAC")
    assert info.duration == pytest.approx(2, abs=0.05)


def test_stereo_becomes_mono(tmp_path):
    stereo = np.stack([waveform(1), waveform(2)], axis=1)
    soundfile.write(tmp_path / "a.flac", stereo, SAMPLE_RATE)
    (piece,) = encode(tmp_path / "a.flac")
    assert soundfile.info(io.BytesIO(piece.data)).channels == 1


def test_the_digest_is_of_the_samples_not_of_the_container(tmp_path):
    (wav,) = encode(record(tmp_path / "a.wav", seed=1))
    (flac,) = encode(record(tmp_path / "a.flac", seed=1))
    (other,) = encode(record(tmp_path / "b.wav", seed=2))
    assert wav.digest == flac.digest != other.digest


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_long_recording_is_cut_without_losing_a_sample(tmp_path, suffix):
    path = record(tmp_path / f"a{suffix}", seed=1, duration_s=2.75)
    pieces = encode(path, max_duration_s=1.0)
    assert [piece.duration_s for piece in pieces] == [1.0, 1.0, 0.75]
    joined = [soundfile.read(io.BytesIO(piece.data), dtype="int16")[0] for piece in pieces]
    np.testing.assert_array_equal(np.concatenate(joined), soundfile.read(path, dtype="int16")[0])


def test_a_tail_under_the_minimum_goes(tmp_path):
    path = record(tmp_path / "a.wav", seed=1, duration_s=2.25)
    assert [piece.duration_s for piece in encode(path, max_duration_s=1.0)] == [1.0, 1.0]


def test_a_damaged_compressed_file_is_stored_anew(tmp_path):
    path = record(tmp_path / "a.flac", seed=1, duration_s=4)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (piece,) = encode(path)
    assert 0.5 < piece.duration_s < 4
    assert soundfile.info(io.BytesIO(piece.data)).frames == round(piece.duration_s * SAMPLE_RATE)


def test_reasons_for_leaving_a_recording_out(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    (tmp_path / "text.wav").write_text("not audio")
    (tmp_path / "empty.mp3").write_bytes(b"")
    record(tmp_path / "short.wav", seed=1, duration_s=0.4)
    record(tmp_path / "shorter.wav", seed=1, duration_s=0.01)
    reasons = {}
    for path in tmp_path.iterdir():
        with pytest.raises(UnusableClip) as caught:
            encode(path)
        reasons[path.stem] = str(caught.value)
    assert reasons == {
        "silent": "silent (all zero)",
        "text": "undecodable",
        "empty": "undecodable",
        "short": "shorter than 0.5 s",
        "shorter": "shorter than 0.5 s",
    }


def test_the_minimum_can_be_lowered(tmp_path):
    path = record(tmp_path / "a.wav", seed=1, duration_s=0.4)
    assert len(encode(path, min_duration_s=0.3)) == 1


def test_drops_are_counted_and_name_three_files():
    drops = Drops()
    for name in "abcd":
        drops.add("short", name)
    drops.add("silent", "e")
    assert drops.lines() == ["       4  short: a, b, c, …", "       1  silent: e"]
