"""What the files of a dataset hold."""

import pytest
from helpers.dataset import write_dataset

from langid.data.counts import count_dataset
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
    assert counts.tallies["validation", "de"].n_clips == 1
    assert counts.n_file_bytes == sum(p.stat().st_size for p in folder.glob("data/*.parquet"))


def test_counting_reads_no_audio(folder, monkeypatch):
    asked = []

    def read_columns(folder, split, columns):
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
