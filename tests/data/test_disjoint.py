"""Each audio once, each speaker in one split."""

import pytest
from helpers.dataset import stand_in, write_shards

from langid.data.disjoint import Deduplicator, check_disjoint
from langid.errors import DataError


def test_each_audio_passes_once_and_the_reason_says_where_its_twin_is():
    unseen = Deduplicator()
    assert unseen.reason_against(stand_in("anna-1", audio=b"same"), "test") is None
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
        assert unseen.reason_against(utterance, split) == reason
    assert unseen.reason_against(stand_in("bea-3", audio=b"other"), "train") is None


def test_what_stands_in_a_folder_counts_as_let_in(tmp_path):
    write_shards(tmp_path, "test", [[stand_in("anna-1")], [stand_in("anna-2")]])
    unseen = Deduplicator()
    unseen.remember_folder(tmp_path, "test")
    unseen.remember_folder(tmp_path, "train")  # which there is none of
    assert unseen.reason_against(stand_in("bea-1", audio=b"anna-2" * 100), "train") == (
        "same audio as a clip in test"
    )
    assert unseen.reason_against(stand_in("anna-3"), "test") is None


def test_splits_that_share_nothing_are_disjoint(tmp_path):
    write_shards(tmp_path, "train", [[stand_in("anna-1"), stand_in("anna-2", language="de")]])
    write_shards(tmp_path, "test", [[stand_in("bea-1")]])
    check_disjoint(tmp_path)


@pytest.mark.parametrize(("split", "other"), [("train", "validation"), ("validation", "test")])
def test_a_speaker_in_two_splits_is_named(tmp_path, split, other):
    write_shards(tmp_path, split, [[stand_in("bea-1")], [stand_in("anna-1")]])
    write_shards(tmp_path, other, [[stand_in("anna-2")]])
    sentence = (
        rf"Speakers .* \(1, such as 'made_up:anna' in {split} and in {other} of the dataset\)"
    )
    with pytest.raises(DataError, match=sentence):
        check_disjoint(tmp_path)


def test_an_audio_in_two_splits_is_named(tmp_path):
    one, two = stand_in("anna-1", audio=b"same"), stand_in("bea-1", audio=b"same")
    write_shards(tmp_path, "train", [[one]])
    write_shards(tmp_path, "test", [[two]])
    message = rf"Recordings .* \(1, such as '{one.audio_digest}' in train and in test"
    with pytest.raises(DataError, match=message):
        check_disjoint(tmp_path)
