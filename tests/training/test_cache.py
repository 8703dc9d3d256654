"""Rows read once, from folders and from a local Hub, to log-mel in the cache and to weights."""

import errno
import os
import re
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import torch
from datasets.arrow_writer import ArrowWriter
from helpers.hub import local_hub
from helpers.hub_server import USER, Handler
from helpers.training import cache_in, write_voxforge
from huggingface_hub import constants
from huggingface_hub.utils import _http
from safetensors.torch import load_file

import train
from langid.config import ModelConfig
from langid.data.prepare import DATASET
from langid.errors import DataError
from langid.hub.publish import push_folder
from langid.training.cache import load_training_data
from langid.training.clips import FeatureComputer

REPO = f"{USER}/data"
FIRST = "train-00000-of-00003.parquet"  # may be asked what columns there are
CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's


@pytest.fixture
def hub(tmp_path, monkeypatch, folder):
    """A local Hub with the dataset; what it is asked from then on is recorded."""
    with local_hub(tmp_path, monkeypatch) as server:
        server.RequestHandlerClass = Faulty
        server.cuts = 0
        push_folder(folder, REPO, what=DATASET)
        server.requests.clear()
        yield server


class Faulty(Handler):
    """Breaks off in the middle of the next ``server.cuts`` answers that hold a part of a file."""

    def _send(self, status, content, headers):
        if self.server.cuts and status == 206:
            self.server.cuts -= 1
            self.close_connection = True
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            content = content[: len(content) // 2]
            self.wfile.write(content)
            return
        super()._send(status, content, headers)


@pytest.fixture
def computed(monkeypatch):
    """Rows whose log-mel is computed, by the name of their audio."""
    names = []
    compute = FeatureComputer.__call__

    def record(self, row):
        names.append(row["audio"]["path"])
        return compute(self, row)

    monkeypatch.setattr(FeatureComputer, "__call__", record)
    return names


def load(*sources, **options):
    return load_training_data([str(source) for source in sources], CONFIG, 0, **options)


def arguments(source, output, *more):
    return [
        *("--data", str(source), "--output", str(output), "--languages", "en,fr"),
        *("--steps", "2", "--batch-size", "8", "--validate-every", "2", *more),
    ]


def files_read(hub):
    """Parquet files whose content was asked for."""
    names = (Path(path).name for method, path, _ in hub.requests if method == "GET")
    return {name for name in names if name.endswith(".parquet")}


def test_rows_come_in_order_whatever_the_number_of_threads(folder, tmp_path):
    splits = []
    for n_threads in (1, 3):
        with cache_in(tmp_path / str(n_threads)):
            splits.append(load(folder, n_threads=n_threads)["train"][:])
    assert splits[0] == splits[1]
    n_bytes = [2 * CONFIG.n_mels * n_frames for n_frames in splits[0]["n_frames"]]
    assert [len(log_mel) for log_mel in splits[0]["log_mel"]] == n_bytes


def test_audio_is_kept_where_the_evaluation_hears_it(folder, cache):
    splits = load(folder)
    assert all(row["audio"] is None for row in splits["train"] if row["language"] != "noise")
    heard = splits["validation"]
    assert all(row["audio"]["bytes"].startswith(b"fLaC") for row in heard)
    assert sorted(set(heard["language"])) == ["en", "fr", "nl", "noise"]  # noise was lent


def test_what_was_computed_is_not_computed_again(folder, cache, computed):
    first = load(folder)
    assert len(computed) == 32
    computed.clear()
    again = load(folder)
    assert computed == []
    assert {name: again[name][:] for name in again} == {name: first[name][:] for name in first}


def test_only_a_changed_file_is_computed_again(folder, cache, computed):
    load(folder)
    computed.clear()
    os.utime(folder / "data" / "train-00001-of-00003.parquet", (1, 1))
    load(folder)
    assert 0 < len(computed) < 12


def test_other_features_are_computed_anew(folder, cache, computed):
    load(folder)
    computed.clear()
    splits = load_training_data([str(folder)], replace(CONFIG, n_mels=40), 0)
    assert len(computed) == 32
    row = splits["train"][0]
    assert len(row["log_mel"]) == row["n_frames"] * 40 * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 16, "dropout": 0.1, "window_s": 3.0, "temperature": 2.0},
        {"labels": ("fr", "none"), "phones": ("a",)},
    ],
)
def test_another_network_takes_the_same_features(folder, cache, computed, changes):
    load(folder)
    computed.clear()
    load_training_data([str(folder)], replace(CONFIG, **changes), 0)
    assert computed == []


def test_a_second_source_leaves_the_first_in_the_cache(folder, tmp_path, cache, computed):
    load(folder)
    computed.clear()
    other = write_voxforge(tmp_path / "other", n_speakers=2, source="other")
    splits = load(folder, other)
    assert len(computed) == 16
    assert len(splits["train"]) + len(splits["validation"]) == 48


def test_an_interruption_keeps_the_parts_that_are_whole(folder, tmp_path, cache, monkeypatch):
    compute = FeatureComputer.__call__
    n_done = 0

    def interrupt(self, row):
        nonlocal n_done
        n_done += 1
        if n_done == 20:  # 6 of validation, and the first file of 9 is done
            raise KeyboardInterrupt
        return compute(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureComputer, "__call__", interrupt)
        assert train.main(arguments(folder, tmp_path / "run", "--num-proc", "1")) == 130
    kept = list(cache.glob("generator/*/*/dataset_info.json"))
    assert len(kept) == 2
    assert not list(cache.rglob("*.incomplete"))

    with monkeypatch.context() as patch:
        n_done = 100
        patch.setattr(FeatureComputer, "__call__", interrupt)
        splits = load(folder)
    assert n_done == 117  # the other two files
    with cache_in(tmp_path / "fresh"):
        fresh = load(folder)
    assert {name: splits[name][:] for name in splits} == {n: fresh[n][:] for n in fresh}


def test_a_full_disk_is_said(folder, tmp_path, cache, monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ArrowWriter, "write_examples_on_file", refuse)
    assert train.main(arguments(folder, tmp_path / "run")) == 2
    message = capsys.readouterr().err
    assert message.startswith("train.py: ") and "No space left" in message
    assert message.count("\n") == 1
    assert not list(cache.rglob("*.arrow"))


@pytest.mark.slow
def test_streamed_downloaded_and_local_give_the_same_weights(hub, folder, tmp_path):
    runs = {
        "streamed": arguments(REPO, tmp_path / "streamed", "--streaming"),
        "downloaded": arguments(REPO, tmp_path / "downloaded"),
        "local": arguments(folder, tmp_path / "local"),
    }
    assert train.main(runs["streamed"]) == 0
    assert len(files_read(hub)) == 4
    kept = [path for path in (tmp_path / "hf").rglob("*") if path.is_file()]
    assert not any(path.read_bytes()[:4] == b"PAR1" for path in kept)  # nor under another name

    assert train.main(runs["downloaded"]) == 0
    assert train.main(runs["local"]) == 0
    weights = {name: load_file(tmp_path / name / "model.safetensors") for name in runs}
    for name in ("downloaded", "local"):
        assert weights[name].keys() == weights["streamed"].keys()
        for tensor, value in weights[name].items():
            assert torch.equal(value, weights["streamed"][tensor]), tensor
    card = (tmp_path / "streamed" / "README.md").read_text()
    assert "| voxforge |" in card and "GPL-3.0-or-later" in card

    hub.requests.clear()
    assert train.main([*runs["streamed"], "--resume"]) == 0
    assert files_read(hub) <= {FIRST}


def test_what_was_downloaded_trains_offline(hub, computed, monkeypatch):
    load(REPO)
    computed.clear()
    hub.stop()
    with pytest.raises(DataError, match="HF_HUB_OFFLINE=1"):
        load(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    assert len(load(REPO)["train"]) == 24
    assert computed == []


def test_a_private_dataset_is_for_its_owner(hub, folder, monkeypatch):
    push_folder(folder, f"{USER}/private", DATASET, True)
    assert len(load(f"{USER}/private", streaming=True)["train"]) == 24
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(DataError, match="hf auth login"):
        load(f"{USER}/private", streaming=True)


def test_another_commit_is_read_anew(hub, computed, tmp_path):
    load(REPO, streaming=True)
    assert len(computed) == 32
    computed.clear()
    push_folder(write_voxforge(tmp_path / "new", n_speakers=3), REPO, what=DATASET)
    splits = load(REPO, streaming=True)
    assert len(computed) == 24
    assert len(splits["train"]) + len(splits["validation"]) == 24


def test_a_connection_that_breaks_is_taken_up(hub, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(_http.time, "sleep", waits.append)
    expected = load(REPO, streaming=True)["train"][:]
    hub.cuts = 2
    with cache_in(tmp_path / "cache"):
        assert load(REPO, streaming=True)["train"][:] == expected
    assert hub.cuts == 0
    assert len(waits) == 2


def test_a_hub_that_goes_away_costs_one_file(hub, computed, monkeypatch):
    monkeypatch.setattr(_http.time, "sleep", lambda _: None)
    monkeypatch.setattr(datasets.config, "STREAMING_READ_MAX_RETRIES", 1)
    monkeypatch.setattr(datasets.config, "STREAMING_READ_RETRY_INTERVAL", 0)
    compute = FeatureComputer.__call__

    def compute_and_cut(self, row):
        if len(computed) == 14:  # in the first of three files of train
            hub.cuts = 1000
        return compute(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureComputer, "__call__", compute_and_cut)
        with pytest.raises(DataError) as caught:
            load(REPO, streaming=True)
    lost = r"The connection to the Hub was lost while .* read \(.*\): run .*\."
    assert re.fullmatch(lost, str(caught.value))
    assert len(computed) == 15
    hub.cuts = 0
    hub.requests.clear()
    splits = load(REPO, streaming=True)
    assert len(splits["train"]) == 24
    assert len(computed) == 32
    assert files_read(hub) == {FIRST, *(f"train-0000{n}-of-00003.parquet" for n in (1, 2))}
