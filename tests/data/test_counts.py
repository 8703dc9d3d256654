"""What the files of a dataset hold."""

import pytest
from datasets import ClassLabel, Features
from helpers.dataset import write_dataset

from langid.data.counts import UNKNOWN, Amount, Counts, Group, count_dataset
from langid.errors import DataError


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def test_clips_speakers_and_seconds_are_counted_by_whatever_is_asked(folder):
    counts = count_dataset(folder)
    total = counts.total()
    assert (total.n_clips, len(total.speakers), total.duration_s) == (6, 5, 3605.0)
    assert counts.total(split="train", language="fr").speakers == {"voxforge:anna"}
    assert counts.total(gender="female").duration_s == 3601.0
    assert counts.total(gender="unknown", split="test").n_clips == 2
    assert counts.total(language="it").n_clips == 0
    assert total.n_transcripts == 2
    assert counts.languages == ["de", "fr"]  # "it" is a label that no clip has
    assert counts.values("language") == ["fr", "de"]  # the most hours first
    assert counts.total(split="validation", language="de").n_clips == 1
    assert counts.n_file_bytes == sum(p.stat().st_size for p in folder.glob("data/*.parquet"))


def test_counting_reads_no_audio(folder, monkeypatch):
    asked = []

    def read_columns(folder, split, columns, optional):
        asked.extend(columns)
        return iter(())

    monkeypatch.setattr("langid.data.counts.read_columns", read_columns)
    count_dataset(folder)
    assert asked and "audio" not in asked


def test_a_folder_without_a_dataset_and_a_damaged_one_are_named(folder, tmp_path):
    with pytest.raises(DataError, match="holds no dataset"):
        count_dataset(tmp_path)
    (folder / "data" / "test-00000-of-00001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="is damaged"):
        count_dataset(folder)


def test_the_text_counts_a_speaker_of_two_languages_once_in_the_total():
    def group(split, language):
        return Group(split, language, UNKNOWN, "source", "MIT", False)

    groups = {
        group("train", "fr"): Amount(1200, 7200, {"anna", "bea"}),
        group("train", "de"): Amount(1, 36, {"anna"}),
        group("validation", "fr"): Amount(2, 1800, {"carl"}),
    }
    features = Features({"language": ClassLabel(names=["de", "fr", "it"])})
    counts = Counts(groups, features, {"train": 1, "validation": 1}, 2)
    assert [line.split() for line in counts.as_text().splitlines()] == [
        ["train", "validation"],
        ["language", "clips", "speakers", "h", "clips", "speakers", "h"],
        ["de", "1", "1", "0.01", "0", "0", "0.00"],
        ["fr", "1,200", "2", "2.00", "2", "1", "0.50"],
        ["all", "1,201", "2", "2.01", "2", "1", "0.50"],
    ]
