"""The Space: assembled, started from there alone, pushed with the real client to a local Hub."""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.hub import local_hub
from helpers.hub_server import USER
from huggingface_hub import ModelCard

from langid.__main__ import main
from langid.errors import PublishError
from langid.hub import publish, space
from langid.hub.space import LOCK, REQUIREMENTS, ROOT, assemble, pins, try_out
from langid.training.outputs import RUN

REPO = f"{USER}/langid-space"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "sleep", lambda _: None)
    with local_hub(tmp_path, monkeypatch) as server:
        yield server


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def published(hub) -> dict[str, bytes]:
    repo = hub.repos["space", REPO]
    files = {path: blob.content for path, blob in repo.commits[repo.refs["main"]].items()}
    del files[".gitattributes"]
    return files


def tracked() -> set[str]:
    """What git keeps, or would, of the project, without tests and what serves developers only."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of the repository")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(listed.stdout.split("\0")) - {"", "pyproject.toml"}
    return {name for name in names if not name.startswith((".", "tests/"))}


def complaint(capsys, *arguments: str) -> str:
    """The one line on standard error of a command that fails with exit status 2."""
    assert main(["space", *arguments]) == 2
    sentence = capsys.readouterr().err.strip()
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_the_space_is_the_project_without_its_tests(tmp_path):
    assert set(assemble(ROOT, tmp_path / "space")) == tracked()
    for name, content in contents(tmp_path / "space").items():
        if name != REQUIREMENTS:
            assert content == (ROOT / name).read_bytes()


def test_what_lies_about_stays_at_home(tmp_path):
    root = tmp_path / "root"
    assemble(ROOT, root)
    names = set(contents(root))
    for name in ("langid/.env", "langid/page/answer.py~", "langid/__pycache__/a.pyc", "notes.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("mine")
    assert set(assemble(root, tmp_path / "space")) == names


def test_its_requirements_are_the_locked_versions(tmp_path):
    assemble(ROOT, tmp_path)
    lines = (tmp_path / REQUIREMENTS).read_text().splitlines()
    assert lines[1:] == pins((ROOT / LOCK).read_text())
    assert "gradio==6.31.0" in {line.split(" ;")[0] for line in lines}
    assert not any("--hash" in line for line in lines[1:])


def test_pins_lose_their_hashes_and_keep_their_markers():
    lock = (
        "# by uv\nav==1 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n"
        "b-c==2 ; python_full_version < '3.12' \\\n    --hash=sha256:ef\n    # via av\n"
    )
    assert pins(lock) == ["av==1", "b-c==2 ; python_full_version < '3.12'"]


@pytest.mark.slow
def test_a_dry_run_starts_it_from_there_alone_and_asks_it(tmp_path, capsys, monkeypatch):
    # Neither this checkout nor its settings reach it.
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    monkeypatch.setenv("LANGID_MODEL", str(tmp_path / "nowhere"))
    folder = tmp_path / "space"
    assert main(["space", "--dry-run", str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"{folder}: {len(tracked())} files, " in out
    assert "It starts and answers: examples/french.flac is fr, 9" in out
    assert set(contents(folder)) == tracked()  # it leaves nothing behind


@pytest.mark.slow
def test_a_space_that_lacks_something_does_not_pass(tmp_path):
    assemble(ROOT, tmp_path)
    (tmp_path / "langid" / "page" / "words.py").unlink()
    with pytest.raises(
        PublishError, match=r"does not start: .*No module named 'langid.page.words'"
    ):
        try_out(tmp_path)


def test_only_what_works_is_pushed(tmp_path, capsys, monkeypatch, hub):
    def fail(*_):
        raise PublishError("It does not start.")

    monkeypatch.setattr(space, "try_out", fail)
    arguments = ["--dry-run", str(tmp_path / "space"), "--push", REPO]
    assert complaint(capsys, *arguments) == "It does not start."
    assert not hub.repos


def test_a_push_uploads_what_a_dry_run_assembles(tmp_path, capsys, hub):
    assemble(ROOT, tmp_path / "space")
    assert main(["space", "--push", REPO]) == 0
    repo = hub.repos["space", REPO]
    files = published(hub)
    url = f"https://huggingface.co/spaces/{REPO}/resolve/main/examples/page.png"
    assert files["README.md"].startswith(f"---\nthumbnail: {url}\ntitle: ".encode())
    files["README.md"] = files["README.md"].replace(f"thumbnail: {url}\n".encode(), b"")
    assert files == contents(tmp_path / "space")
    assert (repo.sdk, repo.private) == ("gradio", False)
    assert len(repo.commits) == 2  # the repository's first, and ours
    url = f"{hub.url}/spaces/{REPO}/commit/{repo.refs['main']}"
    assert capsys.readouterr().out == f"{url}\n"


def test_a_second_push_removes_what_the_project_no_longer_has(tmp_path, hub, monkeypatch):
    root = tmp_path / "root"
    assemble(ROOT, root)
    names = set(contents(root))
    (root / "langid" / "old.py").write_text("")
    monkeypatch.setattr(space, "ROOT", root)
    assert main(["space", "--push", REPO]) == 0
    assert set(published(hub)) == names | {"langid/old.py"}
    (root / "langid" / "old.py").unlink()
    assert main(["space", "--push", REPO, "--private"]) == 2  # it is public
    assert main(["space", "--push", REPO]) == 0
    assert set(published(hub)) == names


def test_the_space_names_the_repository_that_holds_its_weights(tmp_path, capsys, hub):
    model, other = f"{USER}/langid-five", f"{USER}/other"
    weights = ROOT / "langid" / "weights"
    publish.push_folder(weights, model, RUN)
    assert main(["space", "--push", REPO, "--model", model]) == 0
    card = published(hub)["README.md"].decode()
    assert ModelCard(card).data.to_dict()["models"] == [model]
    shutil.copytree(weights, tmp_path / "other")
    with (tmp_path / "other" / "model.safetensors").open("ab") as file:
        file.write(b"other")
    publish.push_folder(tmp_path / "other", other, RUN)
    capsys.readouterr()
    asked = ["--push", REPO, "--model"]
    assert "someone/other does not hold the weights" in complaint(capsys, *asked, other)
    assert "no such repository" in complaint(capsys, *asked, f"{USER}/none")
    assert "no repository id" in complaint(capsys, *asked, "a/b/c")
    assert published(hub)["README.md"].decode() == card


def test_what_cannot_be_pushed_is_one_sentence(tmp_path, capsys, hub, monkeypatch):
    assert "no repository id" in complaint(capsys, "--push", "a/b/c")
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty: choose a new folder" in complaint(capsys, "--dry-run", str(tmp_path))
    assert "cannot be assembled" in complaint(capsys, "--dry-run", str(tmp_path / "mine.txt"))
    monkeypatch.setenv("HF_TOKEN", "")
    assert "'hf auth login'" in complaint(capsys, "--push", REPO)
    hub.stop()
    assert "could not be uploaded" in complaint(capsys, "--push", REPO)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--install", "--push", REPO],
        ["--private", "--dry-run", "x"],
        ["--model", REPO, "--dry-run", "x"],
    ],
)
def test_it_is_said_what_the_command_needs(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["space", *arguments])
    assert stop.value.code == 2
    assert "--" in capsys.readouterr().err
