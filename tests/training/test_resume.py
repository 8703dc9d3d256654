"""--resume goes on with what a run was started with, or says by name what differs."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from helpers.training import short_run
from safetensors.torch import load_file

import train
from langid.checkpoint import read_config
from langid.config import LabelTraining, ModelConfig
from langid.errors import DataError
from langid.model import LanguageCNN
from langid.training import resume
from langid.training.resume import check_resumable
from langid.training.trainer import Optimisation, Trainer
from langid.training.validation import WindowLogits

CONFIG = ModelConfig(
    labels=("en", "none"),
    stem_channels=4,
    width=16,
    n_encoder_blocks=1,
    n_head_blocks=1,
    phones=("a", "b"),
    training=(LabelTraining("en", 1200, 2.5), LabelTraining("none", 0, 0.0)),
)
OPTIONS = {"languages": "en", "batch_size": 64, "init": None}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    trainer = Trainer(LanguageCNN(CONFIG), Optimisation(4, 0.01, 0.0, 0.3, 0), torch.device("cpu"))
    trainer.save(path, history=[], options=OPTIONS, config=asdict(CONFIG))
    return path


@pytest.mark.slow
def test_a_run_that_ended_and_is_resumed_keeps_its_weights(dataset, tmp_path, monkeypatch):
    biases = np.array([0.3, -0.1, -0.1, -0.1])
    monkeypatch.setattr(WindowLogits, "fit_calibration", lambda self: (1.25, biases))
    assert train.main(short_run(dataset, tmp_path)) == 0
    before = load_file(tmp_path / "model.safetensors")
    assert read_config(tmp_path).temperature == 1.25
    for _ in range(2):
        assert train.main(short_run(dataset, tmp_path, "--resume")) == 0
        after = load_file(tmp_path / "model.safetensors")
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert read_config(tmp_path).temperature == 1.25


def refusal(path, options, config=None):
    with pytest.raises(DataError) as caught:
        check_resumable(path, options, config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_same_fits(checkpoint):
    check_resumable(checkpoint, OPTIONS)
    check_resumable(checkpoint, OPTIONS, CONFIG)


def test_all_options_that_differ_are_named_with_both_values(checkpoint):
    sentence = refusal(checkpoint, {"languages": "en,fr", "batch_size": 32, "init": None})
    assert "--batch-size was 64 and is 32" in sentence
    assert "--languages was en and is en,fr" in sentence
    assert "--init" not in sentence


def test_another_number_of_processes_is_another_run(checkpoint, tmp_path, capsys):
    path = tmp_path / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    torch.save({**state, "options": {**OPTIONS, "processes": 2}}, path)
    check_resumable(path, {**OPTIONS, "processes": 2}, CONFIG)
    sentence = refusal(path, {**OPTIONS, "processes": 1})
    assert "the number of processes (torchrun --nproc-per-node) was 2 and is 1" in sentence
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_checkpoint_that_does_not_tell_its_processes_goes_on_with_a_word(
    checkpoint, capsys, n_processes
):
    options = {**OPTIONS, "processes": n_processes}
    check_resumable(checkpoint, options)
    check_resumable(checkpoint, options, CONFIG)
    said = capsys.readouterr().out
    assert f"how many processes trained: {n_processes} now" in said
    assert said.count("\n") == 1


def test_an_option_that_a_checkpoint_does_not_know_was_off(checkpoint):
    check_resumable(checkpoint, {**OPTIONS, "probes": 0})
    assert "--probes was None and is 4" in refusal(checkpoint, {**OPTIONS, "probes": 4})


def test_phones_that_are_gone_are_laid_to_their_cause(checkpoint, monkeypatch):
    without = replace(CONFIG, phones=())
    monkeypatch.setattr(resume, "espeak_available", lambda: False)
    sentence = refusal(checkpoint, OPTIONS, without)
    assert "phones was 2 phones and is 0 (espeak-ng is not installed here)" in sentence


def test_other_recordings_are_told_by_their_number(checkpoint):
    training = (LabelTraining("en", 1300, 2.7), LabelTraining("none", 0, 0.0))
    sentence = refusal(checkpoint, OPTIONS, replace(CONFIG, training=training))
    assert "was en 1,200 clips, none 0 clips and is en 1,300 clips, none 0 clips" in sentence


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"text"])
def test_a_damaged_checkpoint_is_said(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    assert "is damaged" in refusal(tmp_path / "checkpoint.pt", OPTIONS)


def test_a_checkpoint_of_an_older_version_is_said(tmp_path):
    torch.save({"step": 3}, tmp_path / "checkpoint.pt")
    assert "older version" in refusal(tmp_path / "checkpoint.pt", OPTIONS)
