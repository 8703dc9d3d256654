"""Where training's rows come from: folders and the Hub, and what is wrong with a folder."""

import shutil

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Value
from helpers.dataset import finish, stand_in, write_dataset, write_shards
from helpers.hub import local_hub
from helpers.hub_server import USER, HubServer
from helpers.recordings import record
from huggingface_hub import close_session, constants

import prepare_data
import train
from langid.data.card import write_card
from langid.data.card_texts import FOLDER
from langid.data.prepare import DATASET
from langid.data.store import dataset_features
from langid.data.utterance import ReasonCounts
from langid.errors import DataError
from langid.hub.publish import push_folder
from langid.training.datasets import (
    ROW_FEATURES,
    TEACHES_LANGUAGE,
    check_folders,
    check_speakers,
    hold_back,
    load_splits,
)


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def rows(split):
    return [row for part in range(len(split.part_keys)) for row in split.rows(part)]


def store(folder, rows, features, split="train"):
    """A dataset of these rows and no other columns, in one file."""
    path = folder / "data" / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, features.arrow_schema), path)
    return finish(folder)


def features_of(*names, **others):
    features = dataset_features(["de", "fr"])
    return Features({name: features[name] for name in names} | others)


def refusal(source, **options):
    with pytest.raises(DataError) as caught:
        load_splits(str(source), **options)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_rows_have_the_columns_that_training_knows(folder):
    splits = load_splits(str(folder))
    assert list(splits) == ["train", "validation"]
    train = rows(splits["train"])
    assert [row["language"] for row in train] == ["fr", "fr", "de"]
    assert [row["transcript"] for row in train] == ["un | deux", None, None]
    assert {row["source"] for row in train} == {"voxforge"}
    assert all(row.keys() == ROW_FEATURES.keys() for row in train)
    assert all(row["audio"]["bytes"].startswith(b"fLaC") for row in train)
    assert splits["train"].n_rows == 3


def test_each_file_is_a_part(folder):
    train = load_splits(str(folder))["train"]
    assert [len(list(train.rows(part))) for part in range(2)] == [1, 2]
    (folder / "data" / "train-00001-of-00002.parquet").touch()
    again = load_splits(str(folder))["train"]
    assert again.part_keys[0] == train.part_keys[0]
    assert again.part_keys[1] != train.part_keys[1]


def test_two_folders_never_share_a_key(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    a, b = (load_splits(str(path))["train"].part_keys for path in (folder, tmp_path / "copy"))
    assert not set(a) & set(b)


def test_columns_that_a_dataset_lacks_are_filled(folder, tmp_path):
    kept = ["audio", "language", "speaker_id", "source", "duration_s", "transcript"]
    for path in (folder / "data").iterdir():
        pq.write_table(pq.read_table(path).select(kept), path)
    whole = load_splits(str(write_dataset(tmp_path / "whole")))
    for name, split in load_splits(str(folder)).items():
        assert rows(split) == [{**row, "licence": None} for row in rows(whole[name])]
    assert {row["synthetic"] for row in rows(whole["train"])} == {False}


def test_unlabelled_rows_and_text_labels(tmp_path):
    row = {"audio": {"bytes": b"x", "path": "x.wav"}, "speaker_id": "a", "source": "s"}
    labelled = [{**row, "language": language} for language in (1, None, -1)]
    store(tmp_path / "labels", labelled, features_of("language", *row))
    train = load_splits(str(tmp_path / "labels"))["train"]
    assert [row["language"] for row in rows(train)] == ["fr", None, None]
    assert train.language_names == ["de", "fr"]

    text = features_of(*row, language=Value("string"))
    store(tmp_path / "text", [{**row, "language": "fr"}], text)
    train = load_splits(str(tmp_path / "text"))["train"]
    assert rows(train)[0]["language"] == "fr"
    assert train.language_names is None


def test_rows_that_only_name_their_audio_are_refused(tmp_path):
    row = {"audio": {"bytes": None, "path": "x.wav"}, "language": 1, "speaker_id": "a"}
    store(tmp_path, [{**row, "source": "s"}], features_of(*row, "source"))
    with pytest.raises(DataError, match="names audio files"):
        rows(load_splits(str(tmp_path))["train"])


def test_what_is_no_dataset_is_said(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "prepare_data.py" in refusal(tmp_path / "empty")
    assert "prepare_data.py" in refusal(tmp_path / "nowhere")
    audio = {"bytes": b"x", "path": "x.wav"}
    store(tmp_path / "bare", [{"audio": audio}], features_of("audio"))
    assert "lacks the columns language, source, speaker_id" in refusal(tmp_path / "bare")
    for path in (folder / "data").glob("train-*"):
        path.unlink()
    assert "no train split" in refusal(folder)


def test_a_folder_that_is_not_whole_is_said(folder):
    first = folder / "data" / "train-00000-of-00002.parquet"
    content = first.read_bytes()
    first.write_bytes(content[: len(content) // 2])
    assert first.name in refusal(folder)
    first.unlink()
    assert "1 of the 2 files of its train split" in refusal(folder)
    first.write_bytes(content)
    (folder / "build.json").unlink()
    assert "no finished dataset, as it has no build.json" in refusal(folder)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the Hub's client
def test_what_is_downloaded_gives_the_same_rows(folder, tmp_path, monkeypatch):
    repo = f"{USER}/data"
    write_card(folder, ReasonCounts(), ReasonCounts(), text=FOLDER, repo_id=repo)
    with local_hub(tmp_path, monkeypatch):
        push_folder(folder, repo, what=DATASET)
        downloaded = load_splits(repo)
        assert list(downloaded) == ["train", "validation"]
        for name, split in load_splits(str(folder)).items():
            assert rows(downloaded[name]) == rows(split)
            assert downloaded[name].n_rows == split.n_rows
        assert load_splits(repo)["train"].part_keys == downloaded["train"].part_keys


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hub_that_cannot_be_asked_is_said(monkeypatch, streaming):
    with HubServer() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        close_session()
        sentence = refusal(f"{USER}/nothing", streaming=streaming)
        assert "neither a dataset folder nor a dataset on the Hub" in sentence
        server.stop()
        n_requests = len(server.requests)
        assert "check the connection" in refusal(f"{USER}/data", streaming=streaming)
        assert len(server.requests) == n_requests
    close_session()


def test_offline_only_what_was_downloaded_can_be_had(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    assert "leave out --streaming" in refusal(f"{USER}/data", streaming=True)
    assert "cannot be loaded from the Hub" in refusal(f"{USER}/data")


def clips(*clips):
    names = ("language", "speaker_id", "source", "licence", "synthetic", "duration_s")
    columns = zip(*clips, strict=True)
    return Dataset.from_dict(dict(zip(names, map(list, columns), strict=True)))


def test_classes_that_validation_lacks_are_lent_a_speaker():
    train = clips(*((lang, f"{lang}{i}", "s", None, False, 1.0) for lang in "xy" for i in range(9)))
    validation = clips(("x", "other", "s", None, False, 1.0))
    splits = hold_back(train, validation, ("x", "y"), seed=0)
    lent = splits["validation"].filter(lambda row: row["language"] == "y")
    assert len(lent) == 1
    assert len(splits["train"]) == 17
    assert lent["speaker_id"][0] not in splits["train"]["speaker_id"][:]


def test_who_is_lent_speaks_in_training_no_more_not_even_another_language():
    everybody = [(lang, f"{i}", "s", None, False, 1.0) for lang in "xy" for i in range(9)]
    validation = clips(("x", "other", "s", None, False, 1.0))
    splits = hold_back(clips(*everybody), validation, ("x", "y"), seed=0)
    assert sorted(splits["validation"]["language"][:]) == ["x", "y"]
    check_speakers(splits["train"], splits["validation"])
    assert len(splits["train"]) == 16


def test_rows_that_teach_no_language_are_not_lent_nor_kept_of_who_is():
    taught = [("y", f"y{i}", "s", None, False, 1.0) for i in range(3)]
    untaught = [*taught, *(("z", f"z{i}", "s", None, False, 1.0) for i in range(9))]
    train = clips(*taught, *untaught).add_column(TEACHES_LANGUAGE, [True] * 3 + [False] * 12)
    splits = hold_back(train, clips(("x", "x", "s", None, False, 1.0)), ("x", "y"), seed=0)
    assert splits["validation"]["language"][:] == ["x", "y"]
    check_speakers(splits["train"], splits["validation"])
    assert len(splits["train"]) == 13  # without either row of who is lent


def test_speakers_carry_their_source(tmp_path):
    row = {"audio": {"bytes": b"x", "path": "x.wav"}, "language": 1}
    two = [{**row, "speaker_id": "anna", "source": source} for source in ("radio", "phone")]
    store(tmp_path, two, features_of(*row, "speaker_id", "source"))
    split = load_splits(str(tmp_path))["train"]
    assert [row["speaker_id"] for row in rows(split)] == ["radio:anna", "phone:anna"]


def test_two_builds_of_one_folder_are_not_trained_on_together(tmp_path, capsys):
    for seed in range(12):
        record(tmp_path / "mine" / "fr" / f"anna{seed}" / "a.wav", seed)
    for seed in ("0", "1"):
        command = ["folder", str(tmp_path / "mine"), "--output", str(tmp_path / seed)]
        assert prepare_data.main([*command, "--seed", seed, "--validation", "0.4"]) == 0
    both = [str(tmp_path / "0"), str(tmp_path / "1")]
    output = tmp_path / "run"
    assert train.main(["--data", *both, "--output", str(output), "--languages", "fr"]) == 2
    sentence = capsys.readouterr().err
    assert "Speakers stand in two splits (" in sentence and "such as 'mine:anna" in sentence
    assert "prepare_data.py merge" in sentence and "--seed" in sentence
    assert not list(output.iterdir())


def test_one_recording_in_two_splits_of_two_datasets_is_refused(tmp_path):
    for name, split in (("one", "train"), ("two", "test")):
        write_shards(tmp_path / name, split, [[stand_in(f"{name}-1", audio=b"same")]])
    with pytest.raises(
        DataError, match=r"Recordings stand in two splits \(1, .* in train of .*one"
    ):
        check_folders([str(tmp_path / "one"), str(tmp_path / "two"), "somebody/elsewhere"])


def test_a_speaker_in_two_splits_is_refused_wherever_the_rows_are_from():
    both = clips(("x", "s:anna", "s", None, False, 1.0))
    with pytest.raises(DataError, match="'s:anna' in train and in validation"):
        check_speakers(both, both)
