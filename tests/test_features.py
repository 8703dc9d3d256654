import torch

from langid.config import ModelConfig
from langid.features import POWER_FLOOR, LogMel

CONFIG = ModelConfig()


def test_shape_follows_the_arithmetic():
    log_mel = LogMel(CONFIG)(torch.zeros(2, 64_000))
    assert log_mel.shape == (2, CONFIG.n_mels, 1 + (64_000 - CONFIG.n_fft) // CONFIG.hop_length)
    assert log_mel.shape[2] == CONFIG.n_window_frames


def test_digital_silence_is_the_floor_and_not_infinite():
    log_mel = LogMel(CONFIG)(torch.zeros(1, 16_000))
    assert torch.allclose(log_mel, torch.tensor(POWER_FLOOR).log().expand_as(log_mel))


def test_a_tone_is_loudest_in_its_band_and_in_all_frames():
    t = torch.arange(16_000) / 16_000
    low, high = LogMel(CONFIG)(
        torch.stack([torch.sin(440 * 6.2832 * t), torch.sin(3000 * 6.2832 * t)])
    )
    assert len(set(low.argmax(dim=0).tolist())) == 1
    assert low.argmax(dim=0)[0] < high.argmax(dim=0)[0]


def test_frames_of_a_recording_are_frames_of_its_windows():
    generator = torch.Generator().manual_seed(0)
    waveform = torch.randn(1, 80_000, generator=generator) * 0.1
    log_mel = LogMel(CONFIG)
    whole, window = log_mel(waveform), log_mel(waveform[:, 16_000:])
    assert torch.allclose(whole[:, :, 100:], window, atol=1e-4)


def test_nothing_is_stored_with_the_weights():
    assert LogMel(CONFIG).state_dict() == {}
