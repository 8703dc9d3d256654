"""Several datasets to one."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from helpers.dataset import job, load, read, stand_in, write_dataset, write_short_card
from helpers.hub import local_hub
from helpers.hub_server import USER
from helpers.recordings import waveform

from langid.data.builder import Recipe, build_dataset
from langid.data.merge import find_dataset, merge_jobs, read_row_group
from langid.data.prepare import DATASET
from langid.data.utterance import ReasonCounts
from langid.errors import DataError
from langid.hub.publish import push_folder


def dataset(folder, *jobs, languages=("de", "fr")):
    recipe = Recipe(list(jobs), list(languages), {})
    build_dataset(recipe, read, folder, write_short_card, excluded=ReasonCounts())
    return folder


def merge(output, *folders):
    jobs, languages = merge_jobs({folder.name: find_dataset(str(folder)) for folder in folders})
    recipe = Recipe(jobs, languages, {})
    return build_dataset(recipe, read_row_group, output, write_short_card, excluded=ReasonCounts())


def test_rows_and_languages_of_all_are_there_once(tmp_path):
    one = dataset(
        tmp_path / "one",
        job("a", "train", stand_in("anna-1", gender="female", transcript="Salut.")),
        job("b", "validation", stand_in("bea-1")),
    )
    two = dataset(
        tmp_path / "two",
        job("c", "train", stand_in("cleo-1", language="it", source="elsewhere")),
        job("d", "test", stand_in("dora-1", language="en", source="elsewhere")),
        languages=("en", "it"),
    )
    merge(tmp_path / "all", one, two)
    splits = load(tmp_path / "all")
    label = splits["train"].features["language"].int2str
    rows = {
        split: [(row["speaker_id"], label(row["language"]), row["source"]) for row in rows]
        for split, rows in splits.items()
    }
    assert rows == {
        "train": [("made_up:anna", "fr", "made_up"), ("elsewhere:cleo", "it", "elsewhere")],
        "validation": [("made_up:bea", "fr", "made_up")],
        "test": [("elsewhere:dora", "en", "elsewhere")],
    }
    first = splits["train"][0]
    assert first["audio"] == {"bytes": b"anna-1" * 100, "path": "anna-1.flac"}
    assert (first["gender"], first["transcript"]) == ("female", "Salut.")


def test_speakers_of_two_sources_are_two_people(tmp_path):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    two = dataset(tmp_path / "two", job("b", "test", stand_in("anna-2", source="elsewhere")))
    merge(tmp_path / "all", one, two)
    speakers = {split: rows["speaker_id"][:] for split, rows in load(tmp_path / "all").items()}
    assert speakers == {"train": ["made_up:anna"], "test": ["elsewhere:anna"]}


def test_a_speaker_of_one_source_in_two_splits_is_refused(tmp_path):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    two = dataset(tmp_path / "two", job("b", "test", stand_in("anna-2")))
    sentence = r"\(1, such as 'made_up:anna' in train of one and in test of two\): build .* --seed"
    with pytest.raises(DataError, match=sentence):
        merge(tmp_path / "all", one, two)
    assert not (tmp_path / "all").exists()


def test_a_merged_dataset_can_be_merged_again(tmp_path):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    two = dataset(tmp_path / "two", job("b", "train", stand_in("bea-1", source="elsewhere")))
    three = dataset(tmp_path / "three", job("c", "train", stand_in("anna-3")))
    merge(tmp_path / "two_of_them", one, two)
    merge(tmp_path / "all", tmp_path / "two_of_them", three)
    speakers = load(tmp_path / "all")["train"]["speaker_id"][:]
    assert speakers == ["made_up:anna", "elsewhere:bea", "made_up:anna"]


def test_audio_of_both_is_kept_where_it_is_not_for_training(tmp_path):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1", audio=b"same")))
    two = dataset(
        tmp_path / "two",
        job("b", "test", stand_in("bea-1", audio=b"same", source="elsewhere")),
        job("c", "train", stand_in("cleo-1")),
    )
    built = merge(tmp_path / "all", one, two)
    assert built.excluded.counts == {"same audio as a clip in test": 1}
    assert {split: len(rows) for split, rows in load(tmp_path / "all").items()} == {
        "train": 1,
        "test": 1,
    }


def test_a_dataset_of_somebody_else_is_given_what_it_lacks(tmp_path):
    sound = io.BytesIO()
    soundfile.write(sound, waveform(seed=1), 16_000, format="FLAC")
    facts = {"duration_s": 9.0, "audio": sound.getvalue()}
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1", **facts)))
    (path,) = (one / "data").iterdir()
    kept = ["audio", "language", "speaker_id", "source"]
    pq.write_table(pq.read_table(path).select(kept), path)
    merge(tmp_path / "all", one)
    (row,) = load(tmp_path / "all")["train"]
    assert row["duration_s"] == 1.0 and len(row["audio_digest"]) == 32
    assert row["transcript"] is None and row["synthetic"] is False


def test_rows_that_lack_what_they_need_are_left_out_and_counted(tmp_path):
    people = [stand_in(f"{name}-1") for name in ("anna", "bea", "cleo", "dora", "emil", "finn")]
    one = dataset(tmp_path / "one", job("a", "train", *people))
    (path,) = (one / "data").iterdir()
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["language"] = -1
    rows[1]["language"] = None
    rows[2]["speaker_id"] = None
    rows[3]["source"] = None
    rows[4]["audio"] = {"bytes": None, "path": "elsewhere.wav"}
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    built = merge(tmp_path / "all", one)
    assert load(tmp_path / "all")["train"]["speaker_id"][:] == ["made_up:finn"]
    assert built.excluded.counts == {
        "row without language": 2,
        "row without speaker_id": 1,
        "row without source": 1,
        "row without stored audio": 1,
    }


def test_a_damaged_file_is_one_sentence(tmp_path):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    (path,) = (one / "data").iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="is damaged"):
        merge(tmp_path / "all", one)


def test_a_dataset_on_the_hub_is_merged(tmp_path, monkeypatch):
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    two = dataset(tmp_path / "two", job("b", "train", stand_in("bea-1")))
    with local_hub(tmp_path, monkeypatch) as hub:
        push_folder(two, "someone/two", what=DATASET)
        jobs, languages = merge_jobs(
            {name: find_dataset(name) for name in (str(one), "someone/two")}
        )
        recipe = Recipe(jobs, languages, {})
        build_dataset(
            recipe, read_row_group, tmp_path / "all", write_short_card, excluded=ReasonCounts()
        )
        hub.stop()
        with pytest.raises(DataError, match="someone/three is neither a folder nor"):
            find_dataset("someone/three")
    speakers = load(tmp_path / "all")["train"]["speaker_id"][:]
    assert speakers == ["made_up:anna", "made_up:bea"]


def test_what_is_no_dataset_is_refused(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no finished dataset"):
        find_dataset(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="neither a folder nor a dataset"):
        find_dataset("not/an/id")
    one = dataset(tmp_path / "one", job("a", "train", stand_in("anna-1")))
    (path,) = (one / "data").iterdir()
    pq.write_table(pa.table({"audio": [1], "language": [2]}), path)
    with pytest.raises(DataError, match="lacks the columns speaker_id, source"):
        merge(tmp_path / "all", one)


def test_a_dataset_that_lacks_a_file_is_refused(tmp_path):
    write_dataset(tmp_path)
    (tmp_path / "data" / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(DataError, match="1 of the 2 files of its train split"):
        find_dataset(str(tmp_path))


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the Hub's client
def test_a_dataset_on_the_hub_needs_no_build_file_but_all_its_shards(tmp_path, monkeypatch):
    folder, repo = write_dataset(tmp_path / "dataset"), f"{USER}/data"
    (folder / "build.json").unlink()
    with local_hub(tmp_path, monkeypatch):
        push_folder(folder, repo, what=DATASET)
        found = find_dataset(repo)
        assert {split: len(rows) for split, rows in load(found).items()} == {
            **{"train": 3, "validation": 1},
            "test": 2,
        }
        (folder / "data" / "train-00001-of-00002.parquet").unlink()
        push_folder(folder, repo, what=DATASET)
        with pytest.raises(DataError, match="1 of the 2 files of its train split"):
            find_dataset(repo)
