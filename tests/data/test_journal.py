"""What an unfinished build has done already."""

import pytest

from langid.data.builder import JOURNAL_FILE, Journal
from langid.data.utterance import ReasonCounts


def recorded(folder, fingerprint="one"):
    journal = Journal(folder, fingerprint)
    journal.excluded.add("silent", "a.wav")
    journal.changes.add("cut", "b.wav")
    journal.record("test", 7, 2)
    journal.record("train", 3, 1)
    return journal


def test_a_new_journal_is_empty_and_writes_nothing(tmp_path):
    journal = Journal(tmp_path, "one")
    assert not journal.resumes
    assert (journal.n_done, journal.n_shards) == ({}, {})
    assert journal.excluded == journal.changes == ReasonCounts()
    assert list(tmp_path.iterdir()) == []


def test_what_was_recorded_is_there_for_the_same_build(tmp_path):
    before = recorded(tmp_path)
    after = Journal(tmp_path, "one")
    assert after.resumes
    assert (after.n_done, after.n_shards) == ({"test": 7, "train": 3}, {"test": 2, "train": 1})
    assert after.excluded.lines() == before.excluded.lines() == ["       1  silent: a.wav"]
    assert after.changes.lines() == ["       1  cut: b.wav"]
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL_FILE]


def test_what_happens_after_a_record_is_not_kept(tmp_path):
    recorded(tmp_path).excluded.add("silent", "later.wav")
    assert Journal(tmp_path, "one").excluded.counts == {"silent": 1}


def test_the_journal_of_another_build_counts_as_none(tmp_path):
    recorded(tmp_path)
    journal = Journal(tmp_path, "two")
    assert not journal.resumes and journal.n_done == {} and journal.excluded == ReasonCounts()


@pytest.mark.parametrize("content", [b"", b'{"fingerprint": "one", "n_d', b"[]", b"\xff\xfe"])
def test_a_journal_that_cannot_be_read_counts_as_none(tmp_path, content):
    recorded(tmp_path)
    (tmp_path / JOURNAL_FILE).write_bytes(content)
    journal = Journal(tmp_path, "one")
    assert not journal.resumes and journal.n_shards == {}
