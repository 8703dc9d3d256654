import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from langid.checkpoint import EMBEDDED, load_model, read_config, read_model, write_weights
from langid.config import ModelConfig
from langid.errors import WeightsError
from langid.model import LanguageCNN, normalise

TINY = ModelConfig(
    stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1, phones=("a", "b")
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LanguageCNN(TINY).eval()


@pytest.mark.parametrize("n_samples", [4800, 16_000, 64_000])
def test_any_length_gives_one_row_each(model, n_samples):
    assert model(torch.zeros(3, n_samples)).shape == (3, 7)


def test_probabilities_sum_to_one(model):
    p = model.predict(torch.randn(2, 32_000))
    assert torch.allclose(p.sum(dim=1), torch.ones(2))


def test_temperature_flattens_and_keeps_the_order(model):
    waveform = torch.randn(1, 32_000)
    sharp = model.predict(waveform)
    model.config = dataclasses.replace(TINY, temperature=3.0)
    flat = model.predict(waveform)
    assert flat.max() < sharp.max()
    assert torch.equal(flat.argsort(), sharp.argsort())


def test_a_window_does_not_depend_on_its_neighbours(model):
    a, b = torch.randn(1, 64_000), torch.randn(1, 64_000) * 10
    alone, together = model(a), model(torch.cat([a, b]))[:1]
    assert torch.allclose(alone, together, atol=1e-4)


def test_level_does_not_matter(model):
    waveform = torch.randn(1, 64_000) * 0.1
    assert torch.allclose(model(waveform), model(waveform * 0.05), atol=1e-2)


def test_normalisation_removes_a_stationary_channel():
    x = torch.randn(1, 64, 100)
    channel = torch.randn(1, 64, 1)
    assert torch.allclose(normalise(x, 200.0), normalise(x + channel, 200.0), atol=1e-5)
    assert torch.equal(normalise(torch.zeros(1, 64, 9), 60.0), torch.zeros(1, 64, 9))


def test_phone_logits_have_a_blank(model):
    _, phone_logits = model.forward_features(torch.zeros(2, 64, 400))
    assert phone_logits.shape == (2, 3, 100)


def test_saved_and_loaded_gives_the_same_answers(model, tmp_path):
    write_weights(tmp_path, model.config, model.state_dict())
    loaded = read_model(tmp_path)
    assert loaded.config == TINY
    waveform = torch.randn(2, 32_000)
    # Stored as float16.
    assert torch.allclose(model.predict(waveform), loaded.predict(waveform), atol=5e-3)
    assert load_file(tmp_path / "model.safetensors")["classifier.weight"].dtype == torch.float16


def test_missing_tensor_is_named(model, tmp_path):
    write_weights(tmp_path, model.config, model.state_dict())
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("classifier.bias")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"classifier\.bias: expected \(7,\), found none"):
        read_model(tmp_path)


def test_a_wrong_shape_is_named(model, tmp_path):
    write_weights(tmp_path, model.config, model.state_dict())
    config = json.loads((tmp_path / "config.json").read_text())
    config["width"] = 24
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="does not fit"):
        load_model(tmp_path)


def test_unknown_and_missing_settings_are_named(model, tmp_path):
    write_weights(tmp_path, model.config, model.state_dict())
    config = json.loads((tmp_path / "config.json").read_text())
    config["colour"] = config.pop("n_mels")
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="colour, n_mels"):
        read_config(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_broken_settings_give_a_sentence(model, tmp_path, content):
    write_weights(tmp_path, model.config, model.state_dict())
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"config\.json"):
        load_model(tmp_path)


def test_weights_that_are_no_safetensors_are_refused(model, tmp_path):
    write_weights(tmp_path, model.config, model.state_dict())
    torch.save(model.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="safetensors"):
        load_model(tmp_path)


def test_an_empty_folder_and_a_strange_name_give_a_sentence(tmp_path):
    with pytest.raises(WeightsError, match=r"holds no config\.json"):
        load_model(tmp_path)
    with pytest.raises(WeightsError, match="neither a folder here nor a Hub repository"):
        load_model("no//such//thing")


def test_environment_names_the_default(model, tmp_path, monkeypatch):
    write_weights(tmp_path, model.config, model.state_dict())
    monkeypatch.setenv("LANGID_MODEL", str(tmp_path))
    assert load_model().source == str(tmp_path)
    assert load_model("embedded").source == "embedded weights"


def test_embedded_weights_are_small_and_know_the_five_languages():
    assert load_model("embedded").model.config.labels == (
        *("en", "fr", "de", "es", "it"),
        *("other", "none"),
    )
    assert (EMBEDDED / "model.safetensors").stat().st_size <= 12_000_000
