"""Waveforms through codecs, noise, rooms and more."""

import io

import av
import numpy as np
import pytest

from langid.audio import SAMPLE_RATE, load_audio
from langid.evaluation.degradation import (
    add_coloured_noise,
    change_speed,
    conditions,
    overload,
    reverberate,
)

CODECS = {
    "MP3 32 kbit/s": ("mp3", 16_000, 32),
    "Opus 12 kbit/s": ("opus", 48_000, 12),
    "µ-law 8 kHz": ("pcm_mulaw", 8_000, 64),
    "AMR-NB 12.2 kbit/s": ("amrnb", 8_000, 12.2),
}


def rng():
    return np.random.default_rng(0)


def tone(frequency_hz=1000.0, duration_s=3.0, amplitude=0.25):
    time_s = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def level_db(waveform):
    return 10 * np.log10(np.mean(np.square(waveform, dtype=np.float64)))


def test_there_are_the_conditions_that_people_record_in():
    others = {"noise 20 dB", "noise 10 dB", "noise 5 dB", "small room", "hall", "speed +6 %"}
    others |= {"speed −6 %", "level −30 dB", "clipping by 12 dB"}
    assert others <= set(conditions()) <= others | set(CODECS)
    assert {"MP3 32 kbit/s", "Opus 12 kbit/s", "µ-law 8 kHz"} <= set(conditions())


@pytest.mark.parametrize("name", conditions())
def test_every_condition_gives_a_recording_of_about_the_same_length_every_time(name):
    clip = tone() + 0.01 * rng().normal(size=3 * SAMPLE_RATE).astype(np.float32)
    once, warnings = load_audio(conditions()[name](clip, rng()))
    again, _ = load_audio(conditions()[name](clip, rng()))
    np.testing.assert_array_equal(once, again)
    assert warnings == []
    expected_s = 3.0 / {"speed +6 %": 1.06, "speed −6 %": 0.94}.get(name, 1.0)
    assert len(once) / SAMPLE_RATE == pytest.approx(expected_s, abs=0.05)
    assert np.isfinite(once).all()


@pytest.mark.parametrize("name", conditions())
@pytest.mark.parametrize("n_samples", [SAMPLE_RATE // 2, 5 * SAMPLE_RATE])
def test_silence_goes_through_every_condition(name, n_samples):
    recording, _ = load_audio(conditions()[name](np.zeros(n_samples, np.float32), rng()))
    assert np.abs(recording).max() < 0.01


@pytest.mark.parametrize("name", CODECS)
def test_codecs_are_what_they_are_called(name):
    if name not in conditions():
        pytest.skip("this FFmpeg has no such encoder")
    codec, rate, kbit_per_s = CODECS[name]
    clip = 0.1 * rng().normal(size=10 * SAMPLE_RATE).astype(np.float32)
    data = conditions()[name](clip, rng())
    with av.open(io.BytesIO(data)) as container:
        context = container.streams.audio[0].codec_context
        assert codec in (context.codec.canonical_name, context.name)
        assert (context.sample_rate, context.channels) == (rate, 1)
    assert 8 * len(data) / 10_000 == pytest.approx(kbit_per_s, rel=0.25)


@pytest.mark.parametrize("snr_db", [20, 5])
def test_noise_lies_so_far_below_the_speech_and_is_pink(snr_db):
    speech = np.concatenate([tone(), np.zeros(9 * SAMPLE_RATE, np.float32)])  # a quarter of it
    noise = add_coloured_noise(speech, snr_db, 1, rng()) - speech
    assert level_db(tone()) - level_db(noise) == pytest.approx(snr_db, abs=0.6)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = len(noise) / SAMPLE_RATE
    octaves = [power[round(f * hz) : round(2 * f * hz)].sum() for f in (250, 500, 1000, 2000)]
    assert max(octaves) / min(octaves) < 1.15  # as much in every octave


def test_a_room_adds_a_decaying_tail():
    click = np.zeros(2 * SAMPLE_RATE, dtype=np.float32)
    click[0] = 1
    response = reverberate(click, 0.5, 3.0, rng())
    assert response[0] == pytest.approx(1, abs=0.05)
    tail = response[1:].astype(float)
    assert 10 * np.log10(np.sum(tail**2)) == pytest.approx(-3, abs=0.1)
    early, late = tail[:1600], tail[4000:5600]  # a quarter of a second later
    assert level_db(early) - level_db(late) == pytest.approx(30, abs=1)


def test_speed_changes_length_and_pitch():
    fast = change_speed(tone(1000), 1.06)
    assert len(fast) / SAMPLE_RATE == pytest.approx(3 / 1.06, abs=0.001)
    peak = np.abs(np.fft.rfft(fast)).argmax() / (len(fast) / SAMPLE_RATE)
    assert peak == pytest.approx(1060, abs=1)


def test_an_overloaded_recording_is_cut_off_at_full_scale():
    clipped = overload(tone(997, amplitude=0.01), 12)
    assert np.abs(clipped).max() == 1
    # |sin| > 10 ** (-12 / 20) = 0.251 for 1 - 2 asin(0.251) / pi = 0.838 of the time.
    assert np.mean(np.abs(clipped) == 1) == pytest.approx(0.838, abs=0.01)


def test_a_faint_recording_is_one_of_16_bits():
    faint, _ = load_audio(conditions()["level −30 dB"](tone(), rng()))
    assert level_db(tone()) - level_db(faint) == pytest.approx(30, abs=0.02)
    np.testing.assert_array_equal(faint * 32768, np.round(faint * 32768))
