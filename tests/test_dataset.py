"""Where training's rows come from: folders of both layouts, and what is wrong with a folder."""

import shutil

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Audio, Dataset, DatasetDict
from helpers_dataset import write_dataset
from hub_server import USER, HubServer
from huggingface_hub import close_session, constants

from langid.dataset import ROW_FEATURES, DatasetError, describe_sources, hold_back, load_splits
from langid.schema import dataset_features


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def rows(split):
    return [row for part in range(len(split.part_keys)) for row in split.rows(part)]


def save_as_arrow(folder, output):
    """The same rows as prepare_data.py stored them once."""
    splits = {}
    for name in ("train", "validation"):
        paths = sorted((folder / "data").glob(f"{name}-*"))
        dataset = Dataset(pa.concat_tables(pq.read_table(path) for path in paths))
        older = ("audio", "language", "speaker_id", "source", "duration_s", "transcript")
        splits[name] = dataset.select_columns(list(older))
    # Two files a split.
    DatasetDict(splits).save_to_disk(output, num_shards={"train": 2, "validation": 1})
    return output


def refusal(source, **options):
    with pytest.raises(DatasetError) as caught:
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


def test_a_folder_of_arrow_files_gives_the_same_rows(folder, tmp_path):
    older = load_splits(str(save_as_arrow(folder, tmp_path / "older")))
    for name, split in load_splits(str(folder)).items():
        expected = [{**row, "licence": None} for row in rows(split)]
        assert rows(older[name]) == expected
        assert older[name].n_rows == len(expected)
    assert len(older["train"].part_keys) == 2


def test_two_folders_of_arrow_files_never_share_a_key(folder, tmp_path):
    # The library's own fingerprint of both is the same.
    copies = [tmp_path / "a", tmp_path / "b"]
    shutil.copytree(save_as_arrow(folder, copies[0]), copies[1])
    a, b = (load_splits(str(copy))["train"].part_keys for copy in copies)
    assert not set(a) & set(b)


def test_unlabelled_rows_and_text_labels(tmp_path):
    audio = {"bytes": b"x", "path": "x.wav"}
    row = {"audio": audio, "speaker_id": "a", "source": "s"}
    features = dataset_features(["de", "fr"])
    features = datasets.Features({c: features[c] for c in ("audio", "language", *row)})
    labelled = [{**row, "language": language} for language in (1, None, -1)]
    table = pa.Table.from_pylist(labelled, schema=features.arrow_schema)
    DatasetDict(train=Dataset(table)).save_to_disk(tmp_path / "labels")
    train = load_splits(str(tmp_path / "labels"))["train"]
    assert [row["language"] for row in rows(train)] == ["fr", None, None]
    assert train.language_names == ["de", "fr"]

    text = Dataset.from_dict({"language": ["fr"], "speaker_id": ["a"], "source": ["s"]})
    text = text.add_column("audio", [audio]).cast_column("audio", Audio())
    DatasetDict(train=text).save_to_disk(tmp_path / "text")
    train = load_splits(str(tmp_path / "text"))["train"]
    assert rows(train)[0]["language"] == "fr"
    assert train.language_names is None


def test_rows_that_only_name_their_audio_are_refused(tmp_path):
    text = Dataset.from_dict({"language": ["fr"], "speaker_id": ["a"], "source": ["s"]})
    text = text.add_column("audio", [{"bytes": None, "path": "x.wav"}])
    DatasetDict(train=text).save_to_disk(tmp_path / "named")
    with pytest.raises(DatasetError, match="names audio files"):
        rows(load_splits(str(tmp_path / "named"))["train"])


def test_what_is_no_dataset_is_said(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "prepare_data.py" in refusal(tmp_path / "empty")
    assert "prepare_data.py" in refusal(tmp_path / "nowhere")
    Dataset.from_dict({"a": [1]}).save_to_disk(tmp_path / "lone")
    assert "no train split" in refusal(tmp_path / "lone")
    DatasetDict(train=Dataset.from_dict({"audio": [1]})).save_to_disk(tmp_path / "bare")
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
    assert "build.json" in refusal(folder)


def test_a_damaged_folder_of_arrow_files_is_said(folder, tmp_path):
    older = save_as_arrow(folder, tmp_path / "older")
    for path in (older / "train").glob("*.arrow"):
        path.write_bytes(b"")
    assert "damaged" in refusal(older)


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


def test_the_card_learns_of_sources_and_licences():
    gpl = "GPL-3.0-or-later"
    train = clips(
        ("en", "voxforge:a", "voxforge", gpl, False, 1800.0),
        ("fr", "voxforge:b", "voxforge", gpl, False, 5400.0),
        ("fr", "mine:b", "mine", None, False, 360.0),
    )
    voxforge, mine = describe_sources(train)
    assert voxforge == {
        "source": "voxforge",
        "licence": gpl,
        "languages": ["en", "fr"],
        "n_clips": 2,
        "hours": 2.0,
        "speakers": 2,
        "synthetic": False,
    }
    assert (mine["source"], mine["licence"]) == ("mine", "unstated")
