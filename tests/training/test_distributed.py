"""Two processes that train one model: the same weights in both, the loss of twice the batch."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from helpers.training import short_run

import train
from langid.evaluation.report import read_report
from langid.training.distributed import own_device

ROOT = Path(__file__).parents[2]
# Batches are made up so that each class is a band of its own: learnt within thirty steps.
SCRIPT = """
import sys
import torch
from langid.config import ModelConfig
from langid.model import LanguageCNN
from langid.training.batches import Batch
from langid.training.distributed import process_group
from langid.training.trainer import Optimisation, Trainer

N_STEPS = 30
batch_size, output = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
config = ModelConfig(
    labels=("en", "fr", "other", "none"),
    stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1, embedding_dropout=0.0,
    n_units=4, teacher_languages=("en", "fr"),
)

def batch(step, rank):
    generator = torch.Generator().manual_seed(1000 * rank + step)
    labels = torch.randint(4, (batch_size,), generator=generator)
    log_mel = torch.randn(batch_size, 64, 100, generator=generator)
    log_mel[torch.arange(batch_size), 12 * labels + 8, ::2] += 6
    return Batch(log_mel, labels, None, labels[:, None].expand(-1, 25).contiguous(), None)

with process_group(torch.device("cpu")) as world:
    torch.manual_seed(0)
    trainer = Trainer(
        LanguageCNN(config), Optimisation(N_STEPS, 5e-3, 0.0, 0.0, seed=0),
        torch.device("cpu"), world,
    )
    figures = [trainer.train_step(batch(step, world.rank)) for step in range(N_STEPS)]
    weights = {name: p.detach() for name, p in trainer.model.named_parameters()}
    torch.save(
        {"losses": [f.language for f in figures], "weights": weights}, f"{output}-{world.rank}.pt"
    )
"""


def run(tmp_path, name, n_processes, batch_size):
    import torch

    script = tmp_path / "steps.py"
    script.write_text(SCRIPT)
    launch(n_processes, script, str(batch_size), str(tmp_path / name))
    return [torch.load(tmp_path / f"{name}-{rank}.pt") for rank in range(n_processes)]


def launch(n_processes, script, *arguments):
    launcher = [sys.executable]
    if n_processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone"]
        launcher += ["--nproc-per-node", str(n_processes)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launcher, str(script), *arguments], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_each_of_several_processes_has_a_gpu_of_its_own(monkeypatch):
    assert own_device("cuda") == "cuda"
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert own_device("cuda") == "cuda:1"
    assert own_device("cpu") == "cpu"


@pytest.mark.slow
def test_two_processes_learn_as_one_with_twice_the_batch(tmp_path):
    first, second = run(tmp_path, "two", 2, batch_size=32)
    for name, tensor in first["weights"].items():
        assert tensor.equal(second["weights"][name]), name

    (one,) = run(tmp_path, "one", 1, batch_size=64)
    together = np.mean([first["losses"], second["losses"]], axis=0)
    alone = np.array(one["losses"])
    assert together[-5:].mean() < 0.5 * together[:5].mean()
    # Single steps differ by their batches: compared is the course of the loss.
    for part in np.split(np.arange(30), 3):
        assert together[part].mean() == pytest.approx(alone[part].mean(), rel=0.2, abs=0.1)


@pytest.mark.slow
def test_a_run_notes_its_processes_and_goes_on_with_them(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(datasets.config.HF_DATASETS_CACHE))
    output = tmp_path / "run"
    launch(2, ROOT / "train.py", *short_run(dataset, output, "--device", "cpu"))
    assert read_report(output / "metrics.json").training.settings["processes"] == 2
    assert "| processes | `2` |" in (output / "README.md").read_text()

    assert train.main(short_run(dataset, output, "--resume")) == 2
    sentence = "the number of processes (torchrun --nproc-per-node) was 2 and is 1"
    assert sentence in capsys.readouterr().err
