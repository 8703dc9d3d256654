"""Publishing and loading with the real client, against a Hub in this process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from helpers.hub import local_hub
from helpers.hub_server import TOKEN, USER
from huggingface_hub import HfApi, constants
from safetensors.torch import load_file, save_file

import train
from langid.checkpoint import load_model, write_weights
from langid.config import ModelConfig
from langid.errors import PublishError, WeightsError
from langid.hub.publish import push_folder
from langid.model import LanguageCNN
from langid.training.outputs import RUN

REPO = f"{USER}/langid-tiny"
TINY = ModelConfig(stem_channels=4, width=16, n_encoder_blocks=1, n_head_blocks=1)
PATIENCE_S = 15.0  # the client's own retries take longer
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with local_hub(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def run_folder(tmp_path):
    return write_run(tmp_path / "run")


def write_run(folder, seed=0):
    """A finished run: weights, card, figures, and the checkpoint to resume from."""
    torch.manual_seed(seed)
    write_weights(folder, TINY, LanguageCNN(TINY).state_dict())
    (folder / "README.md").write_text(f"---\nlicense: mit\n---\n\n# Run {seed}\n")
    (folder / "metrics.json").write_text('{"accuracy": 0.5}\n')
    (folder / "checkpoint.pt").write_bytes(b"optimiser" * 100)
    return folder


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def published(hub, repo=REPO):
    """Files on the main branch: path → content."""
    repo = hub.repos["model", repo]
    return {path: blob.content for path, blob in repo.commits[repo.refs["main"]].items()}


def same_tensors(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def refusal(function, *arguments):
    """The sentence of the error that the call raises: one line, and soon."""
    start = time.monotonic()
    with pytest.raises(PublishError if function is push_folder else WeightsError) as caught:
        function(*arguments)
    assert time.monotonic() - start < PATIENCE_S
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_a_published_run_loads_as_it_was(hub, run_folder):
    url = push_folder(run_folder, REPO, RUN)
    loaded = load_model(REPO)
    assert same_tensors(loaded.model, load_model(run_folder).model)
    assert loaded.model.config == TINY
    assert loaded.source == REPO
    assert url == f"{hub.url}/{REPO}/commit/{loaded.revision}"
    assert same_tensors(load_model(REPO).model, loaded.model)


def test_all_but_the_checkpoint_is_published_in_one_commit(hub, run_folder):
    push_folder(run_folder, REPO, RUN)
    expected = snapshot(run_folder)
    del expected["checkpoint.pt"]
    files = published(hub)
    del files[".gitattributes"]
    assert files == expected
    assert len(hub.repos["model", REPO].commits) == 2  # the repository's first, and ours


def test_an_unchanged_run_makes_no_commit(hub, run_folder):
    assert push_folder(run_folder, REPO, RUN) == push_folder(run_folder, REPO, RUN)


def test_a_bare_name_is_the_users_own(hub, run_folder):
    push_folder(run_folder, "langid-bare", RUN)
    assert published(hub, f"{USER}/langid-bare")["metrics.json"] == b'{"accuracy": 0.5}\n'


def test_a_private_run_is_for_its_owner(hub, run_folder, monkeypatch):
    push_folder(run_folder, REPO, RUN, True)
    monkeypatch.delenv("HF_TOKEN")
    assert "'hf auth login'" in refusal(load_model, REPO)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert same_tensors(load_model(REPO).model, load_model(run_folder).model)


def test_older_commits_stay_loadable(hub, tmp_path, monkeypatch):
    old, new = write_run(tmp_path / "old", seed=1), write_run(tmp_path / "new", seed=2)
    old_commit = push_folder(old, REPO, RUN).rsplit("/", 1)[1]
    HfApi().create_tag(REPO, tag="v1")
    new_commit = push_folder(new, REPO, RUN).rsplit("/", 1)[1]
    assert load_model(REPO).revision == new_commit
    for revision in (old_commit, "v1"):
        loaded = load_model(REPO, revision)
        assert loaded.revision == old_commit
        assert same_tensors(loaded.model, load_model(old).model)
    monkeypatch.setenv("LANGID_MODEL", REPO)
    assert load_model().revision == new_commit
    monkeypatch.setenv("LANGID_REVISION", "v1")
    loaded = load_model()
    assert (loaded.source, loaded.revision) == (REPO, old_commit)
    assert same_tensors(load_model(REPO, "v1").model, loaded.model)


def test_weights_that_lack_a_tensor_are_refused_by_name(hub, run_folder):
    tensors = load_file(run_folder / "model.safetensors")
    del tensors["classifier.bias"]
    save_file(tensors, run_folder / "model.safetensors")
    push_folder(run_folder, REPO, RUN)
    with pytest.raises(WeightsError, match=r"classifier\.bias: expected \(7,\), found none"):
        load_model(REPO)
    assert "classifier.bias" in refusal(load_model, REPO)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_repository_of_something_else_is_refused(hub, run_folder, missing):
    (run_folder / missing).unlink()
    push_folder(run_folder, REPO, RUN)
    assert "lacks config.json or model.safetensors" in refusal(load_model, REPO)


def test_unknown_repositories_and_revisions_are_named(hub, run_folder):
    sentence = refusal(load_model, f"{USER}/nothing")
    assert f"'{USER}/nothing'" in sentence and "no such repository" in sentence
    push_folder(run_folder, REPO, RUN)
    assert "no such revision" in refusal(load_model, REPO, "v7")
    assert "no such revision" in refusal(load_model, REPO, "0" * 40)


def test_a_hub_that_is_down_is_said_at_once(hub, run_folder):
    hub.stop()
    assert "cannot be reached" in refusal(load_model, REPO)
    assert str(run_folder) in refusal(push_folder, run_folder, REPO, RUN)


def test_loaded_once_loads_without_the_hub(hub, run_folder, monkeypatch):
    push_folder(run_folder, REPO, RUN)
    online = load_model(REPO)
    hub.stop()
    for revision in (None, online.revision):
        offline = load_model(REPO, revision)
        assert offline.revision == online.revision
        assert same_tensors(offline.model, online.model)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load_model(REPO).revision == online.revision


@pytest.mark.parametrize("token", [None, "hf_of_someone_else"])
def test_whoever_is_not_logged_in_is_told_how(hub, run_folder, monkeypatch, token):
    before = snapshot(run_folder)
    with monkeypatch.context() as logged_out:
        logged_out.delenv("HF_TOKEN")
        if token:
            logged_out.setenv("HF_TOKEN", token)
        sentence = refusal(push_folder, run_folder, REPO, RUN)
    assert "401 Unauthorized" in sentence and "'hf auth login'" in sentence
    assert hub.repos == {}
    assert snapshot(run_folder) == before
    push_folder(run_folder, REPO, RUN)
    assert published(hub)["config.json"] == before["config.json"]


@pytest.mark.parametrize("status", [403, 413])
def test_a_refused_upload_can_be_made_up_for(hub, run_folder, status):
    before = snapshot(run_folder)
    hub.fail_uploads(1, status)
    sentence = refusal(push_folder, run_folder, REPO, RUN)
    assert f"{status} " in sentence and str(run_folder) in sentence
    assert list(published(hub)) == [".gitattributes"]
    assert snapshot(run_folder) == before
    push_folder(run_folder, REPO, RUN)
    assert same_tensors(load_model(REPO).model, load_model(run_folder).model)


def test_a_refused_commit_can_be_made_up_for(hub, run_folder):
    push_folder(run_folder, REPO, RUN)
    (run_folder / "metrics.json").write_text('{"accuracy": 0.6}\n')
    hub.fail_uploads(1, 403)  # the weights are there already: only the commit is left to fail
    assert "403 Forbidden" in refusal(push_folder, run_folder, REPO, RUN)
    push_folder(run_folder, REPO, RUN)
    assert published(hub)["metrics.json"] == b'{"accuracy": 0.6}\n'


def test_a_passing_failure_is_tried_again(hub, run_folder):
    hub.fail_uploads(1, 503)
    push_folder(run_folder, REPO, RUN)
    assert same_tensors(load_model(REPO).model, load_model(run_folder).model)


def test_the_command_says_what_the_hub_refused(monkeypatch, tmp_path, capsys):
    def run(*_):
        raise PublishError("The Hub is closed.")

    monkeypatch.setattr(train, "run", run)
    assert train.main(["--data", "data", "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == "train.py: The Hub is closed.\n"


def test_a_faulty_card_is_quoted(hub, run_folder):
    hub.card_error = '"license" must be a string'
    assert '"license" must be a string' in refusal(push_folder, run_folder, REPO, RUN)


def test_no_repository_id_is_said_so(hub, run_folder):
    assert "USER/NAME" in refusal(push_folder, run_folder, "a//b", RUN)
    assert "USER/NAME" in refusal(load_model, "a//b")
    assert hub.requests == []


def test_a_process_of_its_own_needs_the_environment_alone(hub, run_folder, tmp_path):
    code = (
        "import sys; from pathlib import Path; from langid.checkpoint import load_model\n"
        "from langid.hub.publish import push_folder\n"
        "from langid.training.outputs import RUN\n"
        "push_folder(Path(sys.argv[1]), sys.argv[2], RUN); print(load_model(sys.argv[2]).revision)"
    )
    ours = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "own"), "HF_HUB_DISABLE_XET": "1"}
    drop = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"}
    environment = {name: text for name, text in os.environ.items() if name not in drop} | ours
    done = subprocess.run(
        [sys.executable, "-c", code, run_folder, REPO],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,  # importing torch on a busy machine
    )
    assert done.returncode == 0, done.stderr
    repo = hub.repos["model", REPO]
    assert done.stdout.split()[-1] == repo.refs["main"]
    assert (tmp_path / "own" / "hub" / f"models--{REPO.replace('/', '--')}").is_dir()
