"""Which files make a whole dataset, and what it takes to read them."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.dataset import stand_in, write_dataset, write_shards

from langid.data.splits import SPLITS
from langid.data.store import check_shards, check_whole, number_shards, shard_paths
from langid.errors import DataError


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def test_a_whole_dataset_passes_and_may_lack_a_split(folder):
    check_whole(folder, SPLITS)
    for path in shard_paths(folder, "test"):
        path.unlink()
    check_whole(folder, SPLITS)


def test_an_unfinished_one_is_told_what_it_lacks(folder):
    (folder / "build.json").unlink()
    with pytest.raises(DataError, match=r"no finished dataset, as it has no build\.json: "):
        check_whole(folder, SPLITS)
    check_shards(folder, SPLITS)


@pytest.mark.parametrize("number", [0, 1])
def test_a_missing_file_is_noticed_whichever_it_is(folder, number):
    (folder / "data" / f"train-0000{number}-of-00002.parquet").unlink()
    with pytest.raises(DataError, match="has 1 of the 2 files of its train split"):
        check_whole(folder, SPLITS)
    check_whole(folder, ["validation", "test"])


def test_a_file_of_another_version_is_noticed(folder):
    (folder / "data" / "test-00001-of-00002.parquet").write_bytes(b"older")
    with pytest.raises(DataError, match="files of its test split"):
        check_whole(folder, SPLITS)


def test_files_are_numbered_in_their_order_with_their_total(tmp_path):
    write_shards(tmp_path, "train", [[stand_in(f"x{i}")] for i in range(3)])
    written = [path.read_bytes() for path in shard_paths(tmp_path, "train")]
    for number, path in enumerate(shard_paths(tmp_path, "train")):
        path.rename(path.with_name(f"train-{number:05d}.parquet"))
    number_shards(tmp_path, SPLITS)
    paths = shard_paths(tmp_path, "train")
    assert [path.name for path in paths] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    assert [path.read_bytes() for path in paths] == written
    check_shards(tmp_path, SPLITS)


@pytest.mark.parametrize("module", ["store", "clips", "merge"])
def test_what_reads_in_other_processes_starts_without_the_datasets_library(module):
    code = f"import sys, langid.data.{module}; print('datasets' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout == "False\n", done.stderr
