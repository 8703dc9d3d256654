from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest
import torch
from datasets import Dataset
from helpers.clips import LABELS
from helpers.clips import clips as make_clips

from langid import LanguageIdentifier
from langid.checkpoint import read_model, write_weights
from langid.config import ModelConfig
from langid.languages import NONE
from langid.model import LanguageCNN
from langid.training import validation
from langid.training.clips import Clips
from langid.training.trainer import (
    Optimisation,
    learning_rate_at,
    mixed_precision,
    update_average,
)
from langid.training.validation import ClipLogits, WindowLogits, calibrate, classify_clips
from langid.windows import aggregate, cut_windows, frame_windows


class Logits(WindowLogits):
    """Made by hand instead of by a model."""

    def __init__(self, logits, owners, targets):
        self.labels = LABELS
        self.targets = np.array(targets)
        rows, owners = np.array(logits, dtype=np.float32), np.array(owners)
        self._clips = [
            ClipLogits(
                rows[owners == i],
                [(2.0 * k, 2.0 * k + 4.0) for k in range((owners == i).sum())],
                np.zeros((0, len(LABELS))),
                [],
            )
            for i in range(len(targets))
        ]


def test_windows_of_frames_are_those_of_samples():
    config = ModelConfig()
    for n_samples in (16_000, 64_000, 64_160, 100_000, 96_000, 200_000):
        n_frames = 1 + (n_samples - config.n_fft) // config.hop_length
        windows = list(
            cut_windows([np.zeros(n_samples, np.float32)], config.window_s, config.hop_s, 16_000)
        )
        slices = frame_windows(n_frames, config.n_window_frames, config.n_hop_frames)
        assert len(slices) == len(windows)
        for piece, window in zip(slices, windows, strict=True):
            # The tail is cut to the sample there and to the frame here.
            assert abs(piece.start * config.hop_length - window.start_s * 16_000) <= 160


def test_clips_are_aggregated_as_in_serving():
    logits = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 5], [0, 3, 0, 0]]
    # Out of order: the second clip's windows stand around the first's.
    result = Logits(logits, [1, 0, 1, 1], [1, 0]).clip_probabilities(1.0)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    none = LABELS.index(NONE)
    np.testing.assert_allclose(result[0], aggregate(p[[1]], none), rtol=1e-5)
    np.testing.assert_allclose(result[1], aggregate(p[[0, 2, 3]], none), rtol=1e-5)


def test_figures_of_a_validation():
    logits = [[3, 0, 0, 0], [0, 3, 0, 0], [3, 0, 0, 0], [0, 1, 2, 0]]
    result = Logits(logits, range(4), [0, 1, 1, 2]).validate()
    assert result.recalls == {"en": 1.0, "fr": 0.5}
    assert result.clip_accuracy == pytest.approx(0.75)
    assert result.clip_accuracy_open == pytest.approx((1 + 0.5 + 1) / 3)
    assert result.other_auroc == 1.0
    assert result.score == pytest.approx(0.75 * 0.75 + 0.25)


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    targets = rng.integers(2, size=1000)
    # True log-odds of ±1: right 73 % of the time, and stated twice as surely.
    right = rng.random(1000) < 1 / (1 + np.exp(-1))
    said = np.where(right, targets, 1 - targets)
    logits = np.full((1000, 4), -50.0)
    logits[:, :2] = 0
    logits[np.arange(1000), said] = 2.0
    assert Logits(logits, range(1000), targets).fit_temperature() == pytest.approx(2.0, abs=0.4)


def test_biases_take_back_a_preference():
    rng = np.random.default_rng(0)
    targets = rng.integers(2, size=500)
    logits = np.full((500, 4), -50.0)
    logits[:, :2] = rng.standard_normal((500, 2))
    logits[np.arange(500), targets] += 2.0
    logits[:, 0] += 1.0  # English is answered too readily
    window_logits = Logits(logits, range(500), targets)
    temperature, biases = window_logits.fit_calibration(bias_penalty=0.0)
    assert biases.sum() == pytest.approx(0)
    assert (biases[1] - biases[0]) * temperature == pytest.approx(1.0, abs=0.35)
    p = window_logits.clip_probabilities(temperature, biases)
    recalls = [(p[targets == i].argmax(axis=1) == i).mean() for i in (0, 1)]
    assert recalls[0] == pytest.approx(recalls[1], abs=0.08)


def test_calibration_leaves_a_label_without_clips_alone():
    rng = np.random.default_rng(0)
    targets = rng.integers(2, size=200)  # neither another language nor silence is validated
    logits = rng.standard_normal((200, 4))
    logits[np.arange(200), targets] += 1.0
    _, biases = Logits(logits, range(200), targets).fit_calibration()
    assert biases[2] == biases[3] == 0


def test_a_perfectly_wrong_order_counts_as_such():
    # Both clips of English look more like another language than the one that is.
    logits = [[3, 0, 2, 0], [3, 0, 2, 0], [0, 3, 0, 0]]
    result = Logits(logits, range(3), [0, 0, 2]).validate()
    assert result.other_auroc == 0.0
    assert result.score == pytest.approx(0.75 * result.clip_accuracy)


def test_what_no_clip_tells_is_not_known():
    result = Logits([[3, 0, 0, 0], [0, 3, 0, 0]], range(2), [0, 1]).validate()
    assert result.other_auroc is None
    assert result.score == result.clip_accuracy == 1.0


def test_a_validation_without_the_label_other():
    logits = Logits([[3, 0, 0], [0, 3, 0], [0, 0, 3]], range(3), [0, 1, 2])
    logits.labels = ("en", "fr", "none")
    assert logits.validate().clip_accuracy_open == 1.0
    _, biases = logits.fit_calibration()
    assert biases.sum() == pytest.approx(0)


@pytest.mark.parametrize(
    ("features", "enabled"),
    [({"avx512_bf16": True}, True), ({"bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_bfloat16_only_where_the_processor_multiplies_it(monkeypatch, features, enabled):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    with mixed_precision(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") == enabled


def test_validation_computes_as_serving_does(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    torch.manual_seed(0)
    config = ModelConfig(stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1)
    model = LanguageCNN(config).eval()
    log_mel = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float16)
    rows = Dataset.from_dict({"log_mel": [log_mel.tobytes()]})
    columns = (np.zeros(1, int), ["en"], ["a"], ["b"], [None], np.zeros(1, bool), [300], [[]])
    clips = Clips(rows, *columns, 64)
    (clip,) = classify_clips(model, clips, torch.device("cpu"))
    expected, _ = model.forward_features(torch.from_numpy(log_mel.astype(np.float32)).T[None])
    np.testing.assert_array_equal(clip.windows, expected.detach().numpy())
    assert clip.passages.shape == (0, len(config.labels))


@pytest.mark.parametrize("n_s", [3.0, 7.3, 19.0, 40.0])
def test_a_clip_is_answered_as_in_serving(n_s, monkeypatch):
    monkeypatch.setattr(validation, "N_WAITING", 4)
    torch.manual_seed(0)
    config = ModelConfig(stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1)
    model = LanguageCNN(config).eval()
    with torch.no_grad():
        model.classifier.weight *= 30  # answers that differ
        model.classifier.bias[config.labels.index(NONE)] -= 3
    # A whole number of frames, as the tail is cut to the sample there and to the frame here.
    n_samples = int(n_s * 100) * 160 + config.n_fft
    waveform = np.random.default_rng(1).normal(0, 0.1, n_samples).astype(np.float32)
    waveform *= np.linspace(0.1, 1, n_samples, dtype=np.float32)
    log_mel = model.log_mel(torch.from_numpy(waveform)[None])[0].T.numpy()
    rows = Dataset.from_dict({"log_mel": [log_mel.astype(np.float16).tobytes()]})
    columns = (np.zeros(1, int), ["en"], ["a"], ["b"], [None], np.zeros(1, bool))
    clips = Clips(rows, *columns, np.array([len(log_mel)]), [[]], 64).select(np.zeros(3, int))
    found, *same = WindowLogits(model, clips, torch.device("cpu")).clip_probabilities(1.0)
    np.testing.assert_allclose(same, [found, found], atol=1e-6)
    served = LanguageIdentifier(model, "made up").identify(waveform, config.sample_rate)
    assert len(served.languages) < 2  # where there are two, their shares are served
    np.testing.assert_allclose(found, list(served.probabilities.values()), atol=0.02)


def test_a_second_calibration_gives_the_same_weights(monkeypatch, tmp_path):
    torch.manual_seed(0)
    config = ModelConfig(
        labels=LABELS, stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1
    )
    rng = np.random.default_rng(0)
    log_mels = [rng.normal(size=(100, 64)).astype(np.float16).tobytes() for _ in range(8)]
    clips = make_clips([(LABELS[i % 2], "a", str(i), True) for i in range(8)])
    clips = replace(clips, features=Dataset.from_dict({"log_mel": log_mels}))
    write_weights(tmp_path, config, LanguageCNN(config).state_dict())
    uncalibrated = read_model(tmp_path).classifier.bias
    # A penalty that lets eight clips move the biases.
    monkeypatch.setattr(
        WindowLogits, "fit_calibration", partialmethod(WindowLogits.fit_calibration, 0.0)
    )

    calibrate(tmp_path, clips, torch.device("cpu"))
    once = read_model(tmp_path)
    assert not torch.equal(once.classifier.bias, uncalibrated)
    for _ in range(2):
        calibrate(tmp_path, clips, torch.device("cpu"))
        again = read_model(tmp_path)
        assert again.config == once.config
        for name, tensor in once.state_dict().items():
            assert torch.equal(tensor, again.state_dict()[name]), name


def test_learning_rate_rises_and_falls_to_nothing():
    o = Optimisation(1000, 0.01, 0.0, 0.0, seed=0)
    rates = [learning_rate_at(step, o) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-4, rel=0.01)
    assert max(rates) == pytest.approx(0.01, rel=0.05)
    assert rates.index(max(rates)) == 99
    assert rates[-1] < 1e-6


def test_average_forgets_its_random_start():
    average = [torch.full((3,), 100.0)]
    for n in range(1, 60):
        update_average(average, [torch.zeros(3)], torch.tensor(n))
    assert average[0].abs().max() < 1e-3
    count = [torch.tensor(0)]
    update_average(count, [torch.tensor(7)], torch.tensor(1))
    assert count[0] == 7
