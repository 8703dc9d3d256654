"""Splits that stay as archives are added."""

import pytest

from langid.data.voxforge.split_record import read_record, record_path, write_record

SHARES = {"validation": 0.1, "test": 0.1}


def test_what_is_kept_is_read_again_and_each_way_of_dividing_has_its_own(tmp_path):
    others = {**SHARES, "test": 0.2}
    assert read_record(tmp_path, SHARES, 0) == {}
    assert write_record(tmp_path, SHARES, 0, {"voxforge:ana": "test", "voxforge:zoë": "train"})
    assert write_record(tmp_path, others, 0, {"voxforge:ana": "train"})
    assert write_record(tmp_path, SHARES, 1, {"voxforge:ana": "validation"})
    assert read_record(tmp_path, SHARES, 0) == {"voxforge:ana": "test", "voxforge:zoë": "train"}
    assert read_record(tmp_path, others, 0) == {"voxforge:ana": "train"}
    assert read_record(tmp_path, SHARES, 1) == {"voxforge:ana": "validation"}


@pytest.mark.parametrize("content", ["", "[1]", '{"voxforge:ana": "dev", "voxforge:bo": ["x"]}'])
def test_a_record_that_makes_no_sense_counts_as_none(tmp_path, content):
    record_path(tmp_path, SHARES, 0).write_text(content)
    assert read_record(tmp_path, SHARES, 0) == {}


def test_a_folder_that_takes_no_file(tmp_path):
    record_path(tmp_path, SHARES, 0).mkdir()
    assert read_record(tmp_path, SHARES, 0) == {}
    assert not write_record(tmp_path, SHARES, 0, {"voxforge:ana": "test"})
