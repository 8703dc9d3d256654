"""Recordings of every format, rate and channel count, arrays, and streaming."""

import io

import numpy as np
import pytest
import soundfile
from helpers.audio import FORMATS, clip, dominant_hz, encode, level_db, missing_encoder, tone

from langid.audio import MIN_DURATION_S, SAMPLE_RATE, AudioStream, load_audio
from langid.errors import AudioError

TONE_DB = level_db(tone())
WAV_FLOAT = FORMATS["wav_float"]


def sentence(audio, sample_rate=None) -> str:
    """The message of the error: one line, one sentence."""
    with pytest.raises(AudioError) as caught:
        load_audio(audio, sample_rate)
    message = str(caught.value)
    assert message.endswith(".") and ". " not in message and "\n" not in message
    return message


def assert_is_the_tone(waveform, warnings, duration_tolerance_s=0.1, level_tolerance_db=0.7):
    """1.5 s of 1000 Hz, amplitude 0.25, as `tone()` makes it."""
    assert waveform.dtype == np.float32 and waveform.ndim == 1
    assert warnings == []
    assert len(waveform) / SAMPLE_RATE == pytest.approx(1.5, abs=duration_tolerance_s)
    middle = waveform[3200:-3200]
    assert dominant_hz(middle, SAMPLE_RATE) == pytest.approx(1000, abs=2)
    assert level_db(middle) == pytest.approx(TONE_DB, abs=level_tolerance_db)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format(name, tmp_path):
    form = FORMATS[name]
    if reason := missing_encoder(form):
        pytest.skip(reason)
    path = tmp_path / f"clip{form.suffix}"
    path.write_bytes(clip(name))
    waveform, warnings = load_audio(path)
    assert_is_the_tone(
        waveform,
        warnings,
        duration_tolerance_s=1e-4 if form.lossless else 0.1,
        level_tolerance_db=0.01 if form.lossless else 2.0 if "amr" in name else 0.7,
    )
    np.testing.assert_array_equal(load_audio(path.read_bytes())[0], waveform)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", ["wav_16", "wav_u8", "wav_float", "flac", "ogg_vorbis", "m4a"])
def test_one_to_six_channels(name, n_channels):
    waveform, warnings = load_audio(clip(name, n_channels=n_channels))
    # Codecs keep only the lowest frequencies of the sixth channel, a woofer's: 5 of 6 are left.
    assert_is_the_tone(waveform, warnings, level_tolerance_db=2.0 if n_channels == 6 else 0.7)


@pytest.mark.parametrize(
    "sample_rate", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000]
)
@pytest.mark.parametrize("name", ["wav_16", "wav_24", "flac"])
def test_8_to_96_khz(name, sample_rate):
    waveform, warnings = load_audio(clip(name, sample_rate=sample_rate))
    assert_is_the_tone(waveform, warnings, duration_tolerance_s=1e-4, level_tolerance_db=0.05)


@pytest.mark.parametrize("sample_rate", [1_000, 12_344, 192_000, 768_000])
def test_odd_rates(sample_rate):
    waveform, _ = load_audio(tone(400, 1.5, sample_rate), sample_rate)
    assert len(waveform) == 24_000
    assert dominant_hz(waveform, SAMPLE_RATE) == pytest.approx(400, abs=2)


def test_samples_at_16_khz_pass_unchanged():
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, 50_000, dtype=np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    expected = samples.astype(np.float32) / 2**15
    for waveform, _ in (load_audio(buffer), load_audio(samples, SAMPLE_RATE)):
        np.testing.assert_array_equal(waveform, expected)


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "u2", "i4", "u4", "f2", "f4", "f8"])
def test_arrays_of_each_type(dtype):
    dtype = np.dtype(dtype)
    samples = tone().astype(np.float64)
    if dtype.kind in "iu":
        half = 2.0 ** (8 * dtype.itemsize - 1)
        samples = np.round(samples * half) + (half if dtype.kind == "u" else 0)
    assert_is_the_tone(*load_audio(samples.astype(dtype), 44_100))


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_arrays_either_way_round(n_channels):
    """The longer axis is time."""
    samples = tone(n_channels=n_channels)
    rows, _ = load_audio(samples, 44_100)
    columns, _ = load_audio(samples.T, 44_100)
    np.testing.assert_array_equal(rows, columns)
    assert_is_the_tone(rows, [])


def test_a_flat_array_and_a_strided_view():
    samples = tone()[:, 0]
    assert_is_the_tone(*load_audio(samples, np.int64(44_100)))
    assert_is_the_tone(*load_audio(np.repeat(samples, 2)[::2], 44_100.0))
    backwards, _ = load_audio(samples[::-1], 44_100)
    assert len(backwards) == 24_000


def test_an_array_is_left_as_it_was():
    samples = tone(sample_rate=SAMPLE_RATE)
    before = samples.copy()
    waveform, _ = load_audio(samples, SAMPLE_RATE)
    waveform += 1
    np.testing.assert_array_equal(samples, before)


def test_a_file_and_the_array_it_holds_are_the_same():
    noise = np.random.default_rng(0).normal(scale=0.1, size=(100_000, 2)).astype(np.float32)
    wav = encode(WAV_FLOAT, noise)
    np.testing.assert_array_equal(load_audio(wav)[0], load_audio(noise, 44_100)[0])


@pytest.mark.parametrize("name", ["wav_float", "flac", "m4a_alac"])
def test_a_stereo_recording_with_one_side_inverted_is_heard(name):
    samples = tone(n_channels=2) * np.array([1, -1], dtype=np.float32)
    assert_is_the_tone(*load_audio(encode(FORMATS[name], samples)))


def test_silence_is_audio():
    waveform, warnings = load_audio(np.zeros(44_100, np.int16), 44_100)
    np.testing.assert_array_equal(waveform, np.zeros(SAMPLE_RATE))
    assert warnings == []


def test_a_stream_gives_the_whole_in_blocks_of_a_second_once():
    for name in ("wav_16", "ogg_opus", "mp3", "m4a", "webm_opus"):
        data = clip(name, duration_s=5.3)
        stream = AudioStream(data)
        blocks = list(stream)
        assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
        assert all(0.9 < len(block) / SAMPLE_RATE < 1.1 for block in blocks[:-2])
        assert all(0 < len(block) / SAMPLE_RATE < 1.1 for block in blocks)
        whole, _ = load_audio(data)
        np.testing.assert_array_equal(np.concatenate(blocks), whole)
        assert stream.duration_s == pytest.approx(len(whole) / SAMPLE_RATE)
        assert list(stream) == []


def test_nothing_is_lost_or_doubled_between_blocks():
    """A ramp shows any slip, at block boundaries too."""
    ramp = np.linspace(-1, 1, 10 * SAMPLE_RATE + 77, dtype=np.float32)
    np.testing.assert_array_equal(np.concatenate(list(AudioStream(ramp, SAMPLE_RATE))), ramp)
    upsampled, _ = load_audio(ramp[::2].copy(), SAMPLE_RATE // 2)
    np.testing.assert_allclose(upsampled[200:-200], ramp[200 : len(upsampled) - 200], atol=1e-4)


class LongWav(io.RawIOBase):
    """Five hours of 48 kHz stereo, nearly the 4 GiB that WAV can announce, made as it is read."""

    header = encode(FORMATS["wav_16"], tone(duration_s=0, n_channels=2), 48_000)
    size = 44 + 5 * 3600 * 48_000 * 4

    def __init__(self):
        self.position = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=0):
        self.position = (0, self.position, self.size)[whence] + offset
        return self.position

    def read(self, size=-1):
        assert size <= 2**22, "nobody reads the file at once"
        announced = (self.size - 44).to_bytes(4, "little")
        head = (self.header[:40] + announced)[self.position : self.position + size]
        data = head + bytes(min(size, self.size - self.position) - len(head))
        self.position += len(data)
        return data


def test_five_hours_are_read_as_they_are_used():
    file = LongWav()
    stream = AudioStream(file)
    for second, block in zip(range(1, 40), stream, strict=False):
        assert len(block) < 1.1 * SAMPLE_RATE
        assert file.position < 44 + (second + 1) * 48_000 * 4


def test_a_long_mp3_is_read_as_it_is_used():
    mp3 = clip("mp3", duration_s=10.0)
    file = io.BytesIO(mp3 * 60)
    stream = AudioStream(file)
    for second, block in zip(range(1, 60), stream, strict=False):
        assert len(block) < 1.1 * SAMPLE_RATE
        assert file.tell() < (second + 5) * len(mp3) / 10 + 2**17
    for block in stream:
        assert len(block) < 1.1 * SAMPLE_RATE
    assert stream.duration_s == pytest.approx(600, abs=5)


@pytest.mark.parametrize("n_samples", [1, 100, int(MIN_DURATION_S * 16_000) - 1])
def test_too_short(n_samples):
    message = sentence(np.zeros(n_samples), 16_000)
    assert f"lasts {n_samples / 16_000:.2f} s: at least 0.3 s are needed" in message


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100, 48_000])
def test_just_long_enough(sample_rate):
    waveform, _ = load_audio(np.zeros(round(MIN_DURATION_S * sample_rate)), sample_rate)
    assert len(waveform) == 4_800


@pytest.mark.parametrize("shape", [(0,), (0, 2), (2, 0)])
def test_arrays_without_samples(shape):
    assert "contains no samples" in sentence(np.zeros(shape), 16_000)


@pytest.mark.parametrize("name", ["wav_16", "aiff", "au", "caf", "w64", "rf64", "nist", "voc"])
def test_files_without_samples(name):
    assert "contains no samples" in sentence(clip(name, duration_s=0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 30_000, 44_099])
def test_nan_and_infinity(value, position):
    samples = tone(duration_s=1.0)
    samples[position] = value
    assert "NaN or infinite" in sentence(samples, 44_100)
    samples[::50] = value
    for name in ("wav_float", "wav_double"):
        assert "NaN or infinite" in sentence(encode(FORMATS[name], samples))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 8526.0, -1e30, 50.0])
@pytest.mark.parametrize("position", [0, 30_000, 66_149])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_single_bad_samples_of_a_file_are_interpolated(value, position, n_channels):
    samples = tone(n_channels=n_channels)
    expected, _ = load_audio(samples, 44_100)
    samples[position, 0] = value
    waveform, (warning,) = load_audio(encode(WAV_FLOAT, samples))
    total = f"{samples.size:,}"
    assert warning == (
        f"The input has 1 of {total} samples that are no numbers or far out of range: their "
        "neighbours stand in for them."
    )
    np.testing.assert_allclose(waveform, expected, atol=0.02)


def test_floats_too_large_for_audio():
    assert "divide floats by their full scale" in sentence(tone() * 20_000, 44_100)
    assert "export it again with 16 bits" in sentence(encode(WAV_FLOAT, tone() * 20_000))
    assert "NaN or infinite" in sentence(tone().astype(np.float64) * 1e300, 44_100)


def test_loud_floats_are_kept():
    for amplitude in (3.0, 50.0):
        loud = tone(amplitude=amplitude)
        for waveform, warnings in (load_audio(loud, 44_100), load_audio(encode(WAV_FLOAT, loud))):
            assert np.abs(waveform).max() == pytest.approx(amplitude, rel=0.05)
            assert warnings == []


@pytest.mark.parametrize("sample_rate", [0, -16_000, 999, 768_001, float("nan"), float("inf"), "x"])
def test_absurd_rates_of_arrays(sample_rate):
    assert "outside 1,000 to 768,000" in sentence(np.zeros(16_000), sample_rate)


@pytest.mark.parametrize("sample_rate", [500, 1_000_000])
def test_absurd_rates_of_files(sample_rate):
    message = sentence(clip("wav_16", sample_rate=sample_rate, duration_s=1.0))
    assert f"sample rate of {sample_rate:,} Hz, outside 1 to 768 kHz" in message


@pytest.mark.parametrize("sample_rate", [0, 2**32 - 1])
def test_impossible_rates_of_files(sample_rate):
    wav = bytearray(clip("wav_16"))
    wav[24:28] = sample_rate.to_bytes(4, "little")
    assert "record, export or download it again" in sentence(bytes(wav))


def test_an_array_without_a_rate_and_a_file_with_one():
    assert "give sample_rate in Hz" in sentence(np.zeros(16_000))
    assert "leave it out" in sentence(clip("wav_16"), 44_100)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint64, complex, object, "U1", "S1", "M8[s]"])
def test_arrays_that_hold_no_samples(dtype):
    assert "is no audio" in sentence(np.zeros(16_000, dtype=dtype), 16_000)


@pytest.mark.parametrize("shape", [(), (1, 16_000, 1), (2, 2, 16_000)])
def test_arrays_of_other_shapes(shape):
    assert "give (samples,)" in sentence(np.zeros(shape), 16_000)


def test_too_many_channels():
    assert "80 channels" in sentence(np.zeros((80, 300)), 16_000)
    assert "33 channels" in sentence(encode(FORMATS["wav_16"], np.zeros((16_000, 33))))
