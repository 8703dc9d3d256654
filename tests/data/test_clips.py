"""One recording to the bytes that the dataset stores."""

import io

import numpy as np
import pytest
import soundfile
from helpers.audio import id3_tag, two_tracks
from helpers.recordings import SAMPLE_RATE, record, waveform

from langid.data.clips import ClipLimits, UnusableClip, encode_clip


def encode(recording, **limits):
    pieces, _ = encode_clip(recording, ClipLimits(**limits))
    return pieces


def changes_of(recording, **limits):
    return encode_clip(recording, ClipLimits(**limits))[1]


def reason_of(recording, **limits):
    with pytest.raises(UnusableClip) as caught:
        encode_clip(recording, ClipLimits(**limits))
    return str(caught.value)


def wav(path, samples, sample_rate=SAMPLE_RATE, subtype="PCM_16"):
    soundfile.write(path, samples, sample_rate, subtype=subtype)
    return path


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
    (tmp_path / "text.wav").write_text("not audio")
    (tmp_path / "empty.mp3").write_bytes(b"")
    record(tmp_path / "short.wav", seed=1, duration_s=0.4)
    record(tmp_path / "shorter.wav", seed=1, duration_s=0.01)
    not_finite = waveform(1).astype(np.float32) / 32768
    not_finite[::50] = np.nan
    wav(tmp_path / "nan.wav", not_finite, subtype="FLOAT")
    not_finite[::50] = -np.inf
    wav(tmp_path / "infinite.wav", not_finite, subtype="DOUBLE")
    reasons = {path.stem: reason_of(path) for path in tmp_path.iterdir()}
    assert reasons == {
        "text": "undecodable",
        "empty": "undecodable",
        "short": "shorter than 0.5 s",
        "shorter": "shorter than 0.5 s",
        "nan": "NaN or infinite samples",
        "infinite": "NaN or infinite samples",
    }
    assert reason_of(tmp_path / "absent.wav") == "undecodable"


def test_single_bad_samples_are_repaired_and_told(tmp_path):
    samples = waveform(1).astype(np.float32) / 32768
    samples[1000] = np.nan
    assert changes_of(wav(tmp_path / "nan.wav", samples, subtype="FLOAT")) == [
        "single bad samples interpolated"
    ]


def test_channels_are_chosen_by_speech_here_too(tmp_path):
    """Left and right inverted, with a hum in common that does not cancel: the noise is stored."""
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE)
    speech = np.repeat([0.1, 0, 0.2, 0], SAMPLE_RATE) * np.random.default_rng(0).normal(size=64_000)
    path = wav(tmp_path / "a.wav", np.stack([speech + hum, hum - speech], axis=1))
    pieces, changes = encode_clip(path, ClipLimits())
    assert changes == ["mixed down from 2 channels"]
    stored, _ = soundfile.read(io.BytesIO(pieces[0].data))
    assert np.corrcoef(stored, speech)[0, 1] > 0.99


def test_a_choice_of_track_is_no_damage(tmp_path):
    """What is said of a recording is not always that it is damaged."""
    path = tmp_path / "two.mkv"
    path.write_bytes(two_tracks())
    assert changes_of(path) == ["track 1 of 2", "resampled from 48,000 Hz"]


def test_silence_is_told_from_all_zeros(tmp_path):
    zeros = np.zeros(SAMPLE_RATE)
    assert reason_of(wav(tmp_path / "zero.wav", zeros)) == "silent (all zero)"
    tiny = np.full(SAMPLE_RATE, 1e-6, dtype=np.float32)  # rounds to nothing in 16 bits
    assert reason_of(wav(tmp_path / "tiny.wav", tiny, subtype="FLOAT")) == "silent (all zero)"
    faint = np.random.default_rng(0).normal(0, 10 ** (-66 / 20), SAMPLE_RATE)
    assert reason_of(wav(tmp_path / "faint.wav", faint)) == "silent (nothing above -60 dBFS)"
    assert len(encode(wav(tmp_path / "soft.wav", faint * 10))) == 1
    fainter = faint / 10  # it would be amplified to be identified
    assert reason_of(wav(tmp_path / "fainter.wav", fainter)) == "silent (nothing above -60 dBFS)"


def test_an_mp3_with_odd_tags_keeps_its_bytes_and_prints_nothing(tmp_path, capfd):
    path = record(tmp_path / "a.mp3", seed=1, duration_s=2)
    path.write_bytes(id3_tag(1000) + path.read_bytes()[:-300] + b"TAG" + b"a" * 125)
    (piece,) = encode(path)
    assert piece.suffix == ".mp3" and piece.data == path.read_bytes()
    assert capfd.readouterr() == ("", "")


def test_clipping_is_judged_by_the_share_of_the_samples(tmp_path):
    sine = np.sin(2 * np.pi * 200 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    shouted = np.clip(20 * sine, -1, 1)
    assert reason_of(wav(tmp_path / "clipped.wav", shouted)) == "clipped throughout"
    quieter = shouted.copy()
    quieter[SAMPLE_RATE // 8 :] *= 0.5  # one sample in 16 is at full scale
    assert len(encode(wav(tmp_path / "once.wav", quieter))) == 1


def test_a_minimum_of_sound_can_be_asked_for(tmp_path):
    mostly_silent = np.zeros(5 * SAMPLE_RATE, dtype=np.int16)
    mostly_silent[SAMPLE_RATE : 2 * SAMPLE_RATE] = waveform(1)
    path = wav(tmp_path / "a.wav", mostly_silent)
    assert reason_of(path, min_speech_s=1.5) == "less than 1.5 s above its silence"
    assert len(encode(path, min_speech_s=0.9)) == 1


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".opus", ".mp3"])
def test_bytes_give_what_their_file_gives(tmp_path, suffix):
    path = record(tmp_path / f"a{suffix}", seed=1, duration_s=2)
    assert encode(path.read_bytes()) == encode(path)


def test_every_change_is_told(tmp_path):
    path = record(tmp_path / "same.wav", seed=1, duration_s=2)
    assert changes_of(path) == []
    assert changes_of(record(tmp_path / "kept.opus", seed=1)) == []
    stereo = np.stack([waveform(1), waveform(2)], axis=1)
    assert changes_of(wav(tmp_path / "wide.wav", stereo)) == ["mixed down from 2 channels"]
    slow = record(tmp_path / "slow.wav", seed=1, sample_rate=8000)
    assert changes_of(slow) == ["resampled from 8,000 Hz"]
    assert changes_of(path, max_duration_s=1.5) == [
        "longer than 1.5 s, cut into pieces",
    ]
    path.write_bytes(path.read_bytes()[:50_000])
    assert changes_of(path) == ["damaged, kept as far as it decodes"]


def test_each_piece_must_hold_by_itself(tmp_path):
    samples = np.concatenate([waveform(1), np.zeros(SAMPLE_RATE, np.int16), waveform(2)[:4000]])
    path = wav(tmp_path / "a.wav", samples)
    pieces, changes = encode_clip(path, ClipLimits(max_duration_s=1.0))
    assert [piece.duration_s for piece in pieces] == [1.0]
    assert changes == [
        "longer than 1 s, cut into pieces",
        "a piece left out: silent (all zero)",
        "a piece left out: shorter than 0.5 s",
    ]


def test_a_recording_need_not_be_cut(tmp_path):
    path = record(tmp_path / "a.wav", seed=1, duration_s=45)
    (piece,) = encode(path, max_duration_s=float("inf"))
    assert piece.duration_s == 45


def test_wrongly_named_audio_gets_the_suffix_of_its_format(tmp_path):
    flac = record(tmp_path / "a.flac", seed=1)
    (piece,) = encode(flac.rename(tmp_path / "a.wav"))
    assert piece.suffix == ".flac"
    assert piece.data == (tmp_path / "a.wav").read_bytes()


def test_the_minimum_can_be_lowered(tmp_path):
    path = record(tmp_path / "a.wav", seed=1, duration_s=0.4)
    assert len(encode(path, min_duration_s=0.3)) == 1
