"""Runs that start from the mean of others, and those that take no step from there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers.training import short_run
from safetensors.torch import load_file

import train
from langid.evaluation.report import read_report
from langid.training.trainer import Trainer


@pytest.fixture(autouse=True)
def few_batches(monkeypatch):
    """Statistics of a few batches: how good they are is not asked here."""
    monkeypatch.setattr(train, "N_STATISTICS_BATCHES", 8)


@pytest.fixture(scope="module")
def parents(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parents")
    for seed in (0, 1):
        run = short_run(dataset, folder / str(seed), "--seed", str(seed), "--steps", "2")
        assert train.main(run) == 0
    report = read_report(folder / "1" / "metrics.json")
    (known, *_) = report.training.sources
    more = (*report.training.sources, replace(known, source="crowd", licence="GPL-3.0", hours=7.0))
    report = replace(report, training=replace(report.training, sources=more))
    (folder / "1" / "metrics.json").write_text(report.to_json(), encoding="utf-8")
    return f"{folder}/0=3,{folder}/1=1"


def _means(parents, name):
    tensors = [load_file(f"{x.split('=')[0]}/model.safetensors")[name] for x in parents.split(",")]
    return 0.75 * tensors[0].float() + 0.25 * tensors[1].float()


@pytest.mark.slow
def test_the_mean_of_runs_is_a_run_without_a_step(dataset, parents, tmp_path):
    output = tmp_path / "mean"
    assert train.main(short_run(dataset, output, "--init", parents, "--steps", "0")) == 0
    mean = load_file(output / "model.safetensors")
    for name in ("encoder.0.body.0.weight", "classifier.bias"):  # and no bias beside it
        assert torch.allclose(mean[name].float(), _means(parents, name), atol=2e-3), name
    name = "encoder.0.body.1.running_var"  # taken anew
    assert not torch.allclose(mean[name].float(), _means(parents, name), rtol=1e-2)
    training = read_report(output / "metrics.json").training
    assert training.settings["mean of"] == parents and training.sources
    assert (training.parents, training.unrecorded) == (("0", "1"), ())
    assert [(x.source, x.licence) for x in training.inherited] == [("crowd", "GPL-3.0")]
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "license: other" in card and "- copyleft or share-alike: 7.0 h (crowd)" in card
    assert "started from `0`, `1`, which were trained on" in card
    config = json.loads((output / "config.json").read_text())
    first = json.loads((Path(parents.split("=")[0]) / "config.json").read_text())
    assert (
        config["training"] == first["training"] and "mean of" in (output / "README.md").read_text()
    )


@pytest.mark.slow
def test_training_goes_on_from_a_mean_and_resumes(dataset, parents, tmp_path):
    straight, halves = tmp_path / "straight", tmp_path / "halves"
    assert train.main(short_run(dataset, straight, "--init", parents)) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "train_step", _interrupted_after(2, Trainer.train_step))
        assert train.main(short_run(dataset, halves, "--init", parents)) == 130
    assert train.main(short_run(dataset, halves, "--init", parents, "--resume")) == 0
    first, second = (load_file(x / "model.safetensors") for x in (straight, halves))
    assert all(torch.equal(first[name], second[name]) for name in first)


def _interrupted_after(n_steps, train_step):
    def step(trainer, batch):
        if trainer.step == n_steps:
            raise KeyboardInterrupt
        return train_step(trainer, batch)

    return step


def test_without_a_step_no_other_language_is_learnt(dataset, tmp_path, capsys):
    wanted = short_run(dataset, tmp_path / "x", "--init", "embedded", "--steps", "0")
    assert train.main(wanted) == 2
    assert "--languages en,fr,de,es,it" in capsys.readouterr().err
