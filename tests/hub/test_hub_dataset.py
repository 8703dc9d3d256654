"""Publishing datasets with the real client and loading them back, against a local Hub."""

import subprocess
import sys
from pathlib import Path

import pytest
from datasets import Audio, load_dataset
from helpers.dataset import LANGUAGES, utterance, write_dataset, write_shards
from helpers.hub import local_hub
from helpers.hub_server import CUT, LOST, TOKEN, USER
from huggingface_hub import HfApi

from langid.data.card import write_card
from langid.data.card_texts import VOXFORGE
from langid.data.prepare import DATASET
from langid.data.store import dataset_features
from langid.data.utterance import ReasonCounts
from langid.errors import PublishError
from langid.hub import publish
from langid.hub.publish import open_repo, push_folder

REPO = f"{USER}/voxforge"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's


@pytest.fixture
def waits(monkeypatch):
    """Seconds that publishing would have waited."""
    waits = []
    monkeypatch.setattr(publish, "sleep", waits.append)
    return waits


@pytest.fixture
def hub(tmp_path, monkeypatch, waits):
    with local_hub(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    folder = write_dataset(tmp_path / "dataset")
    write_card(folder, ReasonCounts(), ReasonCounts(), text=VOXFORGE, repo_id=REPO)
    (folder / "notes.txt").write_text("not published")
    (folder / ".part").write_text("not published")
    return folder


def push(folder, repo=REPO, private=False, **options):
    return push_folder(folder, repo, DATASET, private, **options)


def published(hub, repo=REPO):
    """Files on the main branch: path → content."""
    repo = hub.repos["dataset", repo]
    files = {path: blob.content for path, blob in repo.commits[repo.refs["main"]].items()}
    del files[".gitattributes"]
    return files


def on_disk(folder):
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return {name: (folder / name).read_bytes() for name in names}


def complete(folder):
    """What of the folder is published."""
    return {n: c for n, c in on_disk(folder).items() if n not in ("notes.txt", ".part")}


def uploads(hub):
    return [path for method, path, _ in hub.requests if method == "PUT"]


def commits(hub):
    return [path for _, path, _ in hub.requests if "/commit/" in path]


def refusal(*arguments, **options):
    with pytest.raises(PublishError) as caught:
        push(*arguments, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def rows_of(split):
    return list(split.cast_column("audio", Audio(decode=False)))


def test_a_dataset_comes_back_as_it_was(hub, folder, tmp_path):
    url = push(folder)
    repo = hub.repos["dataset", REPO]
    assert url == f"{hub.url}/datasets/{REPO}/commit/{repo.refs['main']}"
    assert published(hub) == complete(folder)
    assert len(repo.commits) == 2  # the repository's first, and ours
    local = load_dataset(str(folder), cache_dir=str(tmp_path / "local"))
    for streaming in (False, True):
        splits = load_dataset(REPO, streaming=streaming)
        assert set(splits) == {"train", "validation", "test"}
        for name, split in splits.items():
            assert split.features == dataset_features(LANGUAGES)
            assert rows_of(split) == rows_of(local[name])
    train = rows_of(load_dataset(REPO, split="train"))
    assert [row["audio"]["path"] for row in train] == ["anna-1.flac", "anna-2.flac", "Bob-3.flac"]
    assert train[0]["audio"]["bytes"] == utterance("anna", "fr", 1).audio


def test_a_private_dataset_is_for_its_owner(hub, folder, monkeypatch):
    push(folder, private=True)
    assert hub.repos["dataset", REPO].private
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(Exception, match="doesn't exist on the Hub or cannot be accessed"):
        load_dataset(REPO)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert len(load_dataset(REPO, split="train")) == 3


def test_what_shall_be_private_is_not_sent_where_all_can_read(hub, folder):
    push(folder)
    before = published(hub)
    (folder / "build.json").write_text("{}\n")
    assert "is public" in refusal(folder, private=True)
    assert published(hub) == before


def test_a_second_push_sends_no_large_file_again(hub, folder):
    push(folder)
    assert len(uploads(hub)) == 4
    hub.requests.clear()
    write_shards(folder, "test", [[utterance("dora", "fr", 5)]])
    (folder / "build.json").write_text("{}\n")
    push(folder)
    assert len(uploads(hub)) == 1  # of the shard that changed
    assert published(hub) == complete(folder)
    hub.requests.clear()
    assert push(folder) == push(folder)
    assert uploads(hub) == commits(hub) == []


def test_shards_of_an_earlier_push_go_in_the_same_commit(hub, folder):
    shards = [[utterance(f"x{i}", "de", 10 + i)] for i in range(3)]
    write_shards(folder, "train", shards)
    write_card(folder, ReasonCounts(), ReasonCounts(), text=VOXFORGE, repo_id=REPO)
    push(folder)
    HfApi().upload_file(
        path_or_fileobj=b"mine", path_in_repo="LICENSE.md", repo_id=REPO, repo_type="dataset"
    )
    repo = hub.repos["dataset", REPO]
    n_commits = len(repo.commits)
    write_shards(folder, "train", shards[:2])
    (folder / "data" / "validation-00000-of-00001.parquet").unlink()
    write_card(folder, ReasonCounts(), ReasonCounts(), text=VOXFORGE, repo_id=REPO)
    push(folder)
    assert published(hub) == {**complete(folder), "LICENSE.md": b"mine"}
    assert len(repo.commits) == n_commits + 1
    assert {name: len(split) for name, split in load_dataset(REPO).items()} == {
        **{"train": 2, "test": 2}
    }


@pytest.mark.parametrize("step", ["create", "check", "commit"])
@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_the_client_does_not_try_again_is_tried_again(hub, folder, waits, step, status):
    hub.fail(step, 2, status)
    push(folder)
    assert waits == [2.0, 4.0]
    assert published(hub) == complete(folder)


@pytest.mark.parametrize("step", ["check", "commit"])
def test_a_connection_that_breaks_is_made_again(hub, folder, waits, step):
    hub.fail(step, 1, CUT)
    push(folder)
    assert waits == [2.0]
    assert published(hub) == complete(folder)


def test_a_commit_whose_answer_is_lost_is_not_undone(hub, folder, waits):
    push(folder)
    write_shards(folder, "test", [[utterance("dora", "fr", 5)], [utterance("emil", "de", 6)]])
    hub.fail("commit", 1, LOST)
    push(folder)
    assert waits == [2.0]
    assert published(hub) == complete(folder)


@pytest.mark.parametrize("status", [503, CUT])
def test_an_upload_that_fails_once_is_tried_again_by_the_client(hub, folder, waits, status):
    hub.fail("upload", 1, status)
    push(folder)
    assert waits == []
    assert published(hub) == complete(folder)


def test_files_that_have_arrived_are_not_sent_again_after_a_failure(hub, folder, waits):
    hub.fail("commit", 1, 502)
    push(folder)
    assert len(uploads(hub)) == len(set(uploads(hub))) == 4
    assert len(commits(hub)) == 2


def test_the_hub_says_how_long_to_wait(hub, folder, waits):
    hub.fail("commit", 1, 429, RateLimit='"api";r=0;t=55')
    push(folder)
    hub.fail("check", 1, 503, **{"Retry-After": "9"})
    push(folder)
    hub.fail("check", 1, 503, **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    push(folder)
    assert waits == [56.0, 9.0, 2.0]


def test_a_push_that_fails_for_good_leaves_the_dataset_for_the_next(hub, folder, waits):
    before = on_disk(folder)
    hub.fail("commit", 100, 503)
    sentence = refusal(folder)
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0]
    assert "503 Service Unavailable" in sentence
    assert f"complete in {folder}" in sentence and "run the same command again" in sentence
    assert published(hub) == {}  # not half of it
    assert on_disk(folder) == before
    n_uploads = len(uploads(hub))
    hub.failures.clear()
    push(folder)
    assert published(hub) == complete(folder)
    assert len(uploads(hub)) == n_uploads


def test_a_refusal_is_not_tried_again(hub, folder, waits):
    hub.fail("commit", 1, 403)
    assert "403 Forbidden" in refusal(folder)
    assert waits == []


def test_uploads_go_in_portions(hub, folder, monkeypatch):
    monkeypatch.setattr(publish, "N_FILES_AT_A_TIME", 2)
    hub.fail("commit", 1, 403)
    refusal(folder)
    batches = [path for _, path, _ in hub.requests if path.endswith("/objects/batch")]
    assert len(batches) == 2  # of two shards each; README.md and build.json are small
    assert len(uploads(hub)) == 4


def test_a_faulty_card_is_quoted_before_anything_is_sent(hub, folder):
    hub.card_error = '"license" must be a string'
    assert '"license" must be a string' in refusal(folder)
    assert uploads(hub) == []


def test_no_repository_id_is_said_so(hub, folder):
    assert "USER/NAME" in refusal(folder, "a//b")
    assert "USER/NAME" in refusal(folder, "a/b/c")
    assert hub.requests == []


@pytest.mark.parametrize("token", ["", "hf_of_someone_else"])
def test_whoever_is_not_logged_in_is_told_how(hub, folder, monkeypatch, waits, token):
    before = on_disk(folder)
    monkeypatch.setenv("HF_TOKEN", token)
    sentence = refusal(folder)
    assert "401 Unauthorized" in sentence and "'hf auth login'" in sentence
    assert hub.repos == {} and waits == []
    assert on_disk(folder) == before


def test_a_hub_that_is_down_is_said_at_once(hub, folder, waits):
    hub.stop()
    assert f"complete in {folder}" in refusal(folder)
    assert waits == []


def test_a_hub_that_goes_down_meanwhile_is_tried_again(hub, folder, waits, monkeypatch):
    commit = HfApi.create_commit

    def goes_down(*arguments, **options):
        hub.stop()
        return commit(*arguments, **options)

    monkeypatch.setattr(HfApi, "create_commit", goes_down)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client's own waits
    assert f"complete in {folder}" in refusal(folder, n_retries=2)
    assert waits == [2.0, 4.0]


def test_a_folder_without_a_dataset_deletes_none(hub, folder, tmp_path):
    push(folder)
    before = published(hub)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").write_text("# Nothing\n")
    assert "holds no dataset" in refusal(tmp_path / "empty")
    assert published(hub) == before


def test_whether_there_is_a_way_in_can_be_asked_before_the_work(hub, monkeypatch):
    assert open_repo("voxforge", DATASET, True) == REPO
    assert open_repo(REPO, DATASET, True) == REPO
    assert hub.repos["dataset", REPO].private
    with pytest.raises(PublishError, match="USER/NAME"):
        open_repo("a//b", what=DATASET)
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(PublishError, match=r"published to someone/x \(401 Unauth"):
        open_repo(f"{USER}/x", what=DATASET)


def test_publishing_a_dataset_needs_no_torch():
    code = "import sys, langid.hub.publish, langid.data.card; print('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout == "False\n", done.stderr
