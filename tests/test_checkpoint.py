"""What of a folder of weights is believed, and what is refused."""

import json
import os
import re
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from langid import checkpoint
from langid.checkpoint import EMBEDDED, read_config, read_model, write_weights
from langid.config import LabelTraining, ModelConfig
from langid.errors import WeightsError
from langid.model import LanguageCNN

TINY = ModelConfig(
    stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1, phones=("a", "b")
)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    write_weights(tmp_path, TINY, LanguageCNN(TINY).state_dict())
    return tmp_path


def change_settings(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_mels": "64"}, "n_mels is '64'"),
        ({"n_mels": 64.5}, "n_mels is 64.5"),
        ({"n_mels": True}, "n_mels is True"),
        ({"n_mels": 63}, "n_mels is 63"),
        ({"width": 10**9}, "width is 1000000000"),
        ({"hop_length": 0}, "hop_length is 0"),
        ({"sample_rate": 8000}, "sample_rate is 8000, but recordings are decoded to 16000"),
        ({"window_s": -4.0}, "window_s is -4.0"),
        ({"window_s": 0.01}, "window_s"),
        ({"hop_s": 5.0}, "hop_s"),
        ({"f_max_hz": 9000.0}, "f_max_hz"),
        ({"labels": []}, "labels must hold a language and 'none'"),
        ({"labels": ["other", "none"]}, "labels must hold a language and 'none'"),
        ({"labels": ["en", "fr"]}, "labels must hold a language and 'none'"),
        ({"labels": ["en", "en", "none"]}, "listed twice"),
        ({"labels": "en"}, "labels is 'en'"),
        ({"labels": ["en", 5, "none"]}, r"labels\.1 is 5"),
        ({"phones": None}, "phones is None"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"training": [{"label": "en"}]}, r"training\.0\.n_clips"),
        ({"training": [{"label": "en", "n_clips": 9, "hours": 1.0}]}, "training must name the"),
    ],
)
def test_settings_that_cannot_be_are_named(folder, changes, sentence):
    change_settings(folder, **changes)
    with pytest.raises(WeightsError, match=sentence) as caught:
        read_model(folder)
    assert "\n" not in str(caught.value) and "config.json" in str(caught.value)


def test_a_whole_number_of_seconds_is_a_number_of_seconds(folder):
    change_settings(folder, window_s=4)
    assert read_config(folder) == TINY


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_tensors_that_are_no_numbers_are_named(folder, value):
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"][3] = value
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"no numbers of the model, in classifier\.bias"):
        read_model(folder)


def test_tensors_of_another_type_are_named(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"] = tensors["classifier.bias"].to(torch.int64)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"classifier\.bias"):
        read_model(folder)


def test_files_of_two_writings_are_not_taken_for_one(folder):
    change_settings(folder, temperature=2.0)
    with pytest.raises(WeightsError, match=r"was not written with this config\.json"):
        read_model(folder)


@pytest.mark.parametrize("fault", ["save_file", "put_in_place"])
def test_a_failed_writing_leaves_the_old_weights_whole(folder, monkeypatch, fault):
    before = read_model(folder)

    def fail(*args, **options):
        raise OSError("No space left on device")

    newer = replace(TINY, temperature=2.0)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, fault, fail)
        with pytest.raises(OSError, match="No space"):
            write_weights(folder, newer, LanguageCNN(newer).state_dict())
    after = read_model(folder)
    assert after.config == TINY
    assert all(map(torch.equal, before.state_dict().values(), after.state_dict().values()))
    write_weights(folder, newer, before.state_dict())
    assert read_model(folder).config == newer
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]


def test_what_labels_were_trained_on_travels_with_the_weights(tmp_path):
    training = (
        *(LabelTraining("en", 12, 0.5), LabelTraining("nl", 4, 0.125)),
        LabelTraining("none", 0, 0.0),  # the built-in non-speech
    )
    config = replace(TINY, labels=("en", "nl", "none"), training=training)
    write_weights(tmp_path, config, LanguageCNN(config).state_dict())
    assert read_model(tmp_path).config.training == training


def test_a_label_without_training_is_no_label():
    with pytest.raises(ValueError, match="other is a label but was not trained"):
        replace(
            TINY, training=tuple(LabelTraining(x, 9 * (x != "other"), 1.0) for x in TINY.labels)
        )


def test_weights_from_before_this_was_recorded_are_read(folder):
    settings = json.loads((folder / "config.json").read_text())
    del settings["training"]
    (folder / "config.json").write_text(json.dumps(settings))
    tensors = load_file(folder / "model.safetensors")
    save_file(tensors, folder / "model.safetensors")  # without the digest, as it was then
    assert read_model(folder).config.training == ()


def test_the_embedded_weights_say_what_their_card_says():
    training = read_config(EMBEDDED).training
    n_clips, hours = sum(x.n_clips for x in training), sum(x.hours for x in training)
    card = (EMBEDDED / "README.md").read_text()
    stated = re.search(rf"{n_clips:,} clips, ([\d.]+) h\.", card)
    # The card adds up durations, the settings frames of log-mel, which leave out the ends.
    assert float(stated[1]) == pytest.approx(hours, rel=0.01)
