"""Copies of clips through rooms, noise and codecs, from the waveform to the batch."""

import numpy as np
import pytest

import train
from langid.audio import SAMPLE_RATE
from langid.config import ModelConfig
from langid.training import copies
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import FeatureComputer, prepare_clips
from langid.training.copies import available_codecs, degraded_copy, room_response
from langid.training.sampling import Shares

CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
PROBABILITIES = [name for name in vars(copies) if name.endswith("_PROBABILITY")]
pytestmark = pytest.mark.usefixtures("cache")


def load(folder, n_copies):
    return load_training_data([str(folder)], CONFIG, 0, n_copies=n_copies)


def clicks(duration_s=2.0):
    """Short tones at every half second, over hiss."""
    rng = np.random.default_rng(0)
    waveform = 0.001 * rng.normal(size=round(duration_s * SAMPLE_RATE))
    time_s = np.arange(800) / SAMPLE_RATE
    for start in range(0, len(waveform) - 800, SAMPLE_RATE // 2):
        waveform[start : start + 800] += 0.5 * np.sin(2 * np.pi * 1000 * time_s)
    return waveform.astype(np.float32)


def only(monkeypatch, *names):
    """Of all changes, these and always."""
    assert set(names) <= set(PROBABILITIES)
    for name in PROBABILITIES:
        monkeypatch.setattr(copies, name, float(name in names))


def test_a_copy_is_as_long_as_its_clip_and_the_same_every_time():
    clip = clicks()
    for seed in range(20):
        copy = degraded_copy(clip, np.random.default_rng(seed))
        assert copy.shape == clip.shape and copy.dtype == np.float32 and np.isfinite(copy).all()
        np.testing.assert_array_equal(copy, degraded_copy(clip, np.random.default_rng(seed)))
    assert not np.array_equal(copy, degraded_copy(clip, np.random.default_rng(0)))


@pytest.mark.parametrize("codec", available_codecs(), ids=lambda codec: codec.encoder)
def test_what_comes_out_of_a_codec_is_where_it_was(codec, monkeypatch):
    only(monkeypatch, "CODEC_PROBABILITY")
    monkeypatch.setattr(copies, "CODECS", (codec,))
    clip = clicks()
    copy = degraded_copy(clip, np.random.default_rng(0))
    assert not np.array_equal(copy, clip)
    product = np.fft.rfft(copy, 2 * len(clip)) * np.conj(np.fft.rfft(clip, 2 * len(clip)))
    lag = int(np.fft.irfft(product).argmax())
    assert min(lag, 2 * len(clip) - lag) <= 0.01 * SAMPLE_RATE  # a quarter of a unit


def test_a_room_rings_on_and_keeps_the_direct_sound_first():
    response = room_response(0.5, 0.0, 0.3, 4000.0, np.random.default_rng(0)).astype(np.float64)
    assert response.argmax() == 0 and response[0] == pytest.approx(1, abs=0.05)
    assert np.sum(response[1:] ** 2) == pytest.approx(1, rel=0.1)  # 0 dB below the direct sound
    late = [np.sum(response[s : s + 800] ** 2) for s in (1600, 4800)]  # 200 ms apart, t60 0.5 s
    assert 10 * np.log10(late[0] / late[1]) == pytest.approx(24, abs=3)
    assert len(response) == 0.5 * SAMPLE_RATE


def test_noise_stands_between_the_clicks(monkeypatch):
    only(monkeypatch, "NOISE_PROBABILITY")
    clip = clicks()
    pause = slice(SAMPLE_RATE // 4, SAMPLE_RATE // 2)
    copy = degraded_copy(clip, np.random.default_rng(0))
    assert np.std(copy[pause]) > 3 * np.std(clip[pause])


@pytest.mark.parametrize("n_samples", [1, 10, 160, 4000])
def test_the_shortest_clips_and_silence_have_copies(n_samples, monkeypatch):
    only(monkeypatch, *PROBABILITIES)
    for waveform in (np.zeros(n_samples, np.float32), np.full(n_samples, 0.1, np.float32)):
        for seed in range(8):
            copy = degraded_copy(waveform, np.random.default_rng(seed))
            assert len(copy) == n_samples and np.isfinite(copy).all()


def test_copies_stand_beside_the_clips_frame_by_frame(folder):
    clips = prepare_clips(load(folder, 2)["train"], CONFIG)
    assert clips.n_versions == 3
    versions = [clips.log_mel(0, version) for version in range(3)]
    assert {len(log_mel) for log_mel in versions} == {int(clips.n_frames[0])}
    assert not np.array_equal(versions[0], versions[1])
    assert not np.array_equal(versions[1], versions[2])
    plain = prepare_clips(load(folder, 0)["train"], CONFIG)
    assert plain.n_versions == 1
    np.testing.assert_array_equal(plain.log_mel(0), versions[0])
    with pytest.raises(KeyError):
        plain.log_mel(0, 1)


def test_copies_are_computed_once_and_of_training_clips_only(folder, monkeypatch):
    computed = []
    compute = FeatureComputer.__call__
    monkeypatch.setattr(
        FeatureComputer, "__call__", lambda self, row: computed.append(self) or compute(self, row)
    )
    load(folder, 1)
    computed.clear()
    splits = load(folder, 2)  # the second is new
    assert {computer.copy for computer in computed} == {2}
    # Validation hears the clips themselves, those lent to it as well.
    added = set(splits["train"].column_names) - set(splits["validation"].column_names)
    assert added == {"log_mel_1", "log_mel_2"}
    computed.clear()
    load(folder, 2)
    assert not computed


def test_every_version_is_drawn(folder):
    clips = prepare_clips(load(folder, 2)["train"], CONFIG)
    drawn = []
    log_mel = type(clips).log_mel
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(clips), "log_mel", lambda self, i, v=0: drawn.append(v) or log_mel(self, i, v)
        )
        TrainingBatches(
            clips,
            CONFIG,
            n_steps=1,
            batch_size=32,
            utterance_share=0.0,
            shares=Shares(),
            augmentation=AugmentConfig(),
            seed=0,
        )[0]
    assert set(drawn) == {0, 1, 2}


def test_a_run_trains_on_copies(folder, tmp_path, capsys):
    arguments = ["--data", str(folder), "--output", str(tmp_path / "run"), "--languages", "en,fr"]
    small = ["--steps", "2", "--batch-size", "8", "--validate-every", "2", "--copies", "1"]
    assert train.main([*arguments, *small]) == 0
    assert (tmp_path / "run" / "model.safetensors").is_file()
    with pytest.raises(SystemExit, match="2"):
        train.main([*arguments, "--copies", "-1"])
    assert "argument --copies: -1 is not a whole number from 0 upwards" in capsys.readouterr().err
