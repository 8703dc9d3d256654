"""Speakers to splits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langid.clips import Clip, DataError
from langid.splits import assign_splits, speaker_position, split_name


def clip(speaker: str, language: str = "fr", split: str | None = None) -> Clip:
    return Clip(Path("x.wav"), "x.wav", language, speaker, "test", split)


def splits_of(clips: list[Clip]) -> dict[str, str]:
    return {clip.speaker_id: clip.split for clip in clips}


def test_the_names_of_splits():
    assert [split_name(text) for text in ("Train", "dev", "valid", "test")] == [
        "train",
        "validation",
        "validation",
        "test",
    ]
    assert split_name("french") is None


def test_the_share_is_of_speakers_and_of_each_language():
    clips = [clip(f"{code}{i}", code) for code in ("fr", "de") for i in range(1000)]
    for code in ("fr", "de"):
        speakers = [c for c in assign_splits(clips, 0.1) if c.language == code]
        assert 70 <= sum(c.split == "validation" for c in speakers) <= 130


def test_a_speaker_keeps_its_split_when_others_come():
    few = splits_of(assign_splits([clip(f"s{i}") for i in range(100)]))
    many = splits_of(assign_splits([clip(f"s{i}") for i in range(1000)]))
    assert few == {speaker: many[speaker] for speaker in few}
    assert set(few.values()) == {"train", "validation"}


def test_another_seed_chooses_other_speakers():
    clips = [clip(f"s{i}") for i in range(200)]
    assert splits_of(assign_splits(clips, seed=0)) != splits_of(assign_splits(clips, seed=1))


def test_a_language_of_two_speakers_lends_one_to_validation():
    clips = [clip(speaker) for speaker in ("a", "b", "b")]
    nearest = min("ab", key=lambda speaker: speaker_position(speaker, 0))
    split_of = splits_of(assign_splits(clips, 0.001))
    assert split_of[nearest] == "validation"
    assert sorted(split_of.values()) == ["train", "validation"]


def test_a_lone_speaker_stays_in_train_whatever_the_share():
    assert splits_of(assign_splits([clip("only")], 0.999)) == {"only": "train"}
    assert splits_of(assign_splits([clip("only")], 0.001)) == {"only": "train"}


def test_no_share_means_no_validation():
    clips = assign_splits([clip(f"s{i}") for i in range(50)], validation_share=0)
    assert {c.split for c in clips} == {"train"}


def test_given_splits_stay_and_undecided_clips_follow_their_speaker():
    clips = [clip("a", split="test"), clip("a"), clip("b", split="train")]
    assert [c.split for c in assign_splits(clips)] == ["test", "test", "train"]


def test_a_speaker_in_two_splits_is_an_error_that_names_it():
    clips = [clip("anna", split="train"), clip("anna", "de", "validation"), clip("bea")]
    with pytest.raises(DataError, match="'anna' is in both train and validation"):
        assign_splits(clips)


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["fr", "de", "it"])), min_size=1, max_size=60
    ),
    st.floats(0, 0.9),
    st.integers(0, 5),
)
def test_no_speaker_is_torn_and_every_language_keeps_training_data(pairs, share, seed):
    clips = assign_splits([clip(f"s{i}", code) for i, code in pairs], share, seed)
    for speaker in {c.speaker_id for c in clips}:
        assert len({c.split for c in clips if c.speaker_id == speaker}) == 1
    for code in {c.language for c in clips}:
        assert "train" in {c.split for c in clips if c.language == code}
