"""Each audio once, each speaker in one split."""

import pytest
from helpers.dataset import LANGUAGES, stand_in, write_shards

from langid.data.disjoint import Gate, check_disjoint
from langid.errors import DataError


def test_each_audio_passes_once_and_the_reason_says_where_its_twin_is():
    gate = Gate()
    assert gate.refusal(stand_in("anna-1", audio=b"same"), "test") is None
    again = [
        (stand_in("anna-2", audio=b"same"), "test", "same audio as another clip"),
        (stand_in("bea-1", audio=b"same"), "train", "same audio as a clip in test"),
        (
            stand_in("bea-2", audio=b"same", language="de"),
            "test",
            "same audio as a clip of another language",
        ),
    ]
    for utterance, split, reason in again:
        assert gate.refusal(utterance, split) == reason
    assert gate.refusal(stand_in("bea-3", audio=b"other"), "train") is None


def test_a_speaker_passes_until_there_is_enough_of_each_language():
    gate = Gate(max_speaker_s=5.0)  # each has 2 s
    refusals = [gate.refusal(stand_in(f"anna-{i}"), "train") for i in range(3)]
    assert refusals == [None, None, "speaker has enough"]
    assert gate.refusal(stand_in("anna-3", duration_s=1.0), "train") is None  # what still fits
    assert gate.refusal(stand_in("anna-4", language="de"), "train") is None
    assert gate.refusal(stand_in("bea-1"), "train") is None


def test_what_is_refused_is_not_remembered():
    gate = Gate(max_speaker_s=1.0)
    assert gate.refusal(stand_in("anna-1", audio=b"same"), "test") == "speaker has enough"
    assert gate.refusal(stand_in("bea-1", audio=b"same", duration_s=1.0), "train") is None


def test_what_stands_in_a_folder_counts_as_let_in(tmp_path):
    write_shards(tmp_path, "test", [[stand_in("anna-1")], [stand_in("anna-2")]])
    gate = Gate(max_speaker_s=5.0)
    gate.remember_folder(tmp_path, "test")
    gate.remember_folder(tmp_path, "train")  # which there is none of
    assert gate.refusal(stand_in("bea-1", audio=b"anna-2" * 100), "train") == (
        "same audio as a clip in test"
    )
    assert gate.refusal(stand_in("anna-3"), "test") == "speaker has enough"
    assert gate.refusal(stand_in("anna-3", language=LANGUAGES[0]), "test") is None


def test_splits_that_share_nothing_are_disjoint(tmp_path):
    write_shards(tmp_path, "train", [[stand_in("anna-1"), stand_in("anna-2", language="de")]])
    write_shards(tmp_path, "test", [[stand_in("bea-1")]])
    check_disjoint(tmp_path)


@pytest.mark.parametrize(("split", "other"), [("train", "validation"), ("validation", "test")])
def test_a_speaker_in_two_splits_is_named(tmp_path, split, other):
    write_shards(tmp_path, split, [[stand_in("bea-1")], [stand_in("anna-1")]])
    write_shards(tmp_path, other, [[stand_in("anna-2")]])
    with pytest.raises(DataError, match=f"Speaker 'anna' stands in {split} and in {other}"):
        check_disjoint(tmp_path)


def test_an_audio_in_two_splits_is_named(tmp_path):
    one, two = stand_in("anna-1", audio=b"same"), stand_in("bea-1", audio=b"same")
    write_shards(tmp_path, "train", [[one]])
    write_shards(tmp_path, "test", [[two]])
    message = f"Audio '{one.audio_digest}' stands in train and in test"
    with pytest.raises(DataError, match=message):
        check_disjoint(tmp_path)
