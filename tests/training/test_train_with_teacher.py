"""train.py --teacher, with a small teacher in Whisper's place."""

import json

import pytest
import torch
from helpers.hub import local_hub
from helpers.hub_server import USER
from helpers.teacher import MelodyTeacher
from helpers.training import cache_in, interrupted_at
from safetensors.torch import load_file

import train
from langid.checkpoint import load_model
from langid.training import averaging, probe, teacher_options
from langid.training.units import UNITS_FILE, Units

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_cache_and_teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(teacher_options, "WhisperTeacher", lambda model, n: MelodyTeacher())
    with cache_in(tmp_path / "cache"):
        yield


def units_of(run):
    return (run / UNITS_FILE).read_bytes()


def arguments(folder, output, *more):
    return [
        *("--data", str(folder), "--output", str(output), "--languages", "en,fr"),
        *("--teacher", "melodies", "--units", "8", "--steps", "4", "--batch-size", "8"),
        *("--validate-every", "2", "--num-proc", "1", *more),
    ]


@pytest.mark.parametrize("n_probes", [0, 2])
def test_a_run_with_a_teacher_resumes_exactly(folder, tmp_path, monkeypatch, n_probes):
    monkeypatch.setattr(probe, "N_BATCHES", 3)
    probes = ("--probes", str(n_probes))
    straight, torn = tmp_path / "straight", tmp_path / "torn"
    assert train.main(arguments(folder, straight, *probes)) == 0

    def check(batch):
        assert batch.units is not None and batch.posteriors is not None
        assert (batch.soft is not None) == (n_probes > 0 and batch.phones is None)

    with interrupted_at(3, check):
        assert train.main(arguments(folder, torn, *probes)) == 130
    assert train.main(arguments(folder, torn, *probes, "--resume")) == 0
    a, b = load_file(straight / "model.safetensors"), load_file(torn / "model.safetensors")
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
    assert {"unit_head.weight", "teacher_classifier.weight"} <= a.keys()

    last = json.loads((straight / "log.jsonl").read_text().splitlines()[-1])
    assert last["unit_loss"] > 0 and last["posterior_loss"] > 0
    assert (straight / "units.safetensors").is_file()
    assert (straight / "contradicted.csv").read_text().startswith("language,source")


@pytest.mark.parametrize("n_probes", ["1", "-1"])
def test_a_single_probe_is_refused(folder, tmp_path, capsys, n_probes):
    with pytest.raises(SystemExit) as stopped:
        train.main(arguments(folder, tmp_path / "run", "--probes", n_probes))
    assert stopped.value.code == 2
    assert "must be 0 or at least 2" in capsys.readouterr().err


def test_probes_without_a_teacher_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        train.main(["--data", "speech", "--output", str(tmp_path / "run"), "--probes", "4"])
    assert stopped.value.code == 2
    assert "give one with --teacher" in capsys.readouterr().err


def test_resuming_without_the_teacher_is_refused(folder, tmp_path, capsys):
    assert train.main(arguments(folder, tmp_path / "run")) == 0
    without = arguments(folder, tmp_path / "run", "--resume")
    at = without.index("--teacher")
    assert train.main(without[:at] + without[at + 2 :]) == 2
    assert "--teacher was melodies and is None" in capsys.readouterr().err


def test_weights_from_before_the_teacher_go_on_with_it(folder, tmp_path):
    first = arguments(folder, tmp_path / "first")
    at = first.index("--teacher")
    assert train.main(first[:at] + first[at + 2 :]) == 0
    old = load_model(tmp_path / "first").model
    assert old.config.n_units == 0
    more = ["--init", str(tmp_path / "first"), "--encoder-blocks", "6"]
    assert train.main(arguments(folder, tmp_path / "second", *more)) == 0
    new = load_model(tmp_path / "second").model
    assert new.config.n_units == 8 and new.config.n_encoder_blocks == 6


def test_units_of_the_run_that_is_started_from_are_kept(folder, tmp_path):
    assert train.main(arguments(folder, tmp_path / "first")) == 0
    more = ["--init", str(tmp_path / "first"), "--seed", "5"]
    assert train.main(arguments(folder, tmp_path / "second", *more)) == 0
    assert units_of(tmp_path / "first") == units_of(tmp_path / "second")


@pytest.mark.parametrize("state_size, units", [(16, "5"), (8, "8")])
def test_units_of_another_number_or_of_other_states_are_fitted(
    folder, tmp_path, monkeypatch, capsys, state_size, units
):
    assert train.main(arguments(folder, tmp_path / "first")) == 0
    monkeypatch.setattr(MelodyTeacher, "state_size", state_size)
    monkeypatch.setattr(MelodyTeacher, "fingerprint", f"melodies of {state_size}")
    more = ["--init", str(tmp_path / "first"), "--units", units]
    assert train.main(arguments(folder, tmp_path / "second", *more)) == 0
    assert f"{units} are fitted to the teacher's, of {state_size}" in capsys.readouterr().out
    found = Units.load(tmp_path / "second" / UNITS_FILE)
    assert (len(found), found.state_size) == (int(units), state_size)


def test_without_a_number_the_units_of_the_run_that_is_started_from_are_kept(folder, tmp_path):
    assert train.main(arguments(folder, tmp_path / "first")) == 0
    more = arguments(folder, tmp_path / "second", "--init", str(tmp_path / "first"))
    at = more.index("--units")
    assert train.main(more[:at] + more[at + 2 :]) == 0
    assert units_of(tmp_path / "first") == units_of(tmp_path / "second")


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the Hub's client
def test_units_go_to_the_hub_and_come_back(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "N_STATISTICS_BATCHES", 8)
    repo = f"{USER}/taught"
    fetch, fetched = averaging.fetch_weights, []
    monkeypatch.setattr(
        averaging, "fetch_weights", lambda *args, **also: fetched.append(1) or fetch(*args, **also)
    )
    with local_hub(tmp_path, monkeypatch):
        first = arguments(folder, tmp_path / "first", "--push-to-hub", repo)
        assert train.main(first) == 0
        more = arguments(folder, tmp_path / "second", "--init", repo, "--seed", "5")
        assert train.main(more) == 0
        assert len(fetched) == 1  # weights, units and figures of one commit
        assert units_of(tmp_path / "first") == units_of(tmp_path / "second")
        mean = f"{repo}=1,{tmp_path / 'second'}=1"
        arguments_of_mean = ["--data", str(folder), "--output", str(tmp_path / "mean")]
        arguments_of_mean += ["--languages", "en,fr", "--init", mean, "--steps", "0"]
        assert train.main(arguments_of_mean) == 0
        assert len(fetched) == 2
        assert units_of(tmp_path / "first") == units_of(tmp_path / "mean")
        assert '"mean of"' in (tmp_path / "mean" / "metrics.json").read_text()
