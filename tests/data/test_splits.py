"""Speakers to splits."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langid.data.clips import Clip
from langid.data.splits import assign_speakers, assign_splits, speaker_position, split_name
from langid.errors import DataError

TENTH = {"validation": 0.1}


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
        speakers = [c for c in assign_splits(clips, TENTH) if c.language == code]
        assert 70 <= sum(c.split == "validation" for c in speakers) <= 130


def test_a_speaker_keeps_its_split_when_others_come():
    few = splits_of(assign_splits([clip(f"s{i}") for i in range(100)], TENTH))
    many = splits_of(assign_splits([clip(f"s{i}") for i in range(1000)], TENTH))
    assert few == {speaker: many[speaker] for speaker in few}
    assert set(few.values()) == {"train", "validation"}


def test_another_seed_chooses_other_speakers():
    clips = [clip(f"s{i}") for i in range(200)]
    assert splits_of(assign_splits(clips, TENTH, seed=0)) != splits_of(
        assign_splits(clips, TENTH, seed=1)
    )


def test_a_language_of_two_speakers_lends_one_to_validation():
    clips = [clip(speaker) for speaker in ("a", "b", "b")]
    nearest = min("ab", key=lambda speaker: speaker_position(speaker, 0))
    split_of = splits_of(assign_splits(clips, {"validation": 0.001}))
    assert split_of[nearest] == "validation"
    assert sorted(split_of.values()) == ["train", "validation"]


def test_a_lone_speaker_stays_in_train_whatever_the_share():
    assert splits_of(assign_splits([clip("only")], {"validation": 0.999})) == {"only": "train"}
    assert splits_of(assign_splits([clip("only")], {"validation": 0.001})) == {"only": "train"}


def test_no_share_means_no_validation():
    clips = assign_splits([clip(f"s{i}") for i in range(50)], {})
    assert {c.split for c in clips} == {"train"}


def test_given_splits_stay_and_undecided_clips_follow_their_speaker():
    clips = [clip("a", split="test"), clip("a"), clip("b", split="train")]
    assert [c.split for c in assign_splits(clips, TENTH)] == ["test", "test", "train"]


def test_a_speaker_in_two_splits_is_an_error_that_names_it():
    clips = [clip("anna", split="train"), clip("anna", "de", "validation"), clip("bea")]
    with pytest.raises(DataError, match="'anna' is in both train and validation"):
        assign_splits(clips, TENTH)


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["fr", "de", "it"])), min_size=1, max_size=60
    ),
    st.fixed_dictionaries({"validation": st.floats(0, 0.6), "test": st.floats(0, 0.3)}),
    st.integers(0, 5),
)
def test_no_speaker_is_torn_and_every_language_keeps_training_data(pairs, shares, seed):
    clips = assign_splits([clip(f"s{i}", code) for i, code in pairs], shares, seed)
    for speaker in {c.speaker_id for c in clips}:
        assert len({c.split for c in clips if c.speaker_id == speaker}) == 1
    for code in {c.language for c in clips}:
        assert "train" in {c.split for c in clips if c.language == code}


SHARES = {"validation": 0.1, "test": 0.1}


def community(sizes: dict[tuple[str, str], int]) -> dict[str, set[tuple[str, ...]]]:
    """Speakers with their strata: so many of each language and gender."""
    return {
        f"{language}-{gender}-{i}": {(language,), (language, gender)}
        for (language, gender), size in sizes.items()
        for i in range(size)
    }


def test_every_language_and_gender_is_divided_in_the_same_shares():
    sizes = {("en", "male"): 2000, ("en", "female"): 400, ("it", "male"): 400}
    split_of = assign_speakers(community(sizes), SHARES)
    for (language, gender), size in sizes.items():
        splits = [split_of[f"{language}-{gender}-{i}"] for i in range(size)]
        for split, share in {**SHARES, "train": 0.8}.items():
            deviation = (share * (1 - share) * size) ** 0.5  # of a binomial count
            assert abs(splits.count(split) - share * size) < 4 * deviation


@pytest.mark.parametrize("seed", range(20))
def test_no_split_lacks_a_language_nor_a_gender_that_could_be_there(seed):
    sizes = {("fr", "male"): 12, ("fr", "female"): 12, ("de", "male"): 3, ("de", "female"): 1}
    split_of = assign_speakers(community(sizes), SHARES, seed)
    for name in ("fr-male", "fr-female", "de"):
        held = {split for speaker, split in split_of.items() if speaker.startswith(name)}
        assert held == {"train", "validation", "test"}


@pytest.mark.parametrize("seed", range(20))
def test_known_speakers_stay_when_others_come(seed):
    few = community({("fr", "male"): 5, ("fr", "female"): 2})
    many = community({("fr", "male"): 50, ("fr", "female"): 20, ("de", "male"): 9})
    known = assign_speakers(few, SHARES, seed)
    later = assign_speakers(many, SHARES, seed, known)
    assert known == {speaker: later[speaker] for speaker in known}
    assert later == assign_speakers(many, SHARES, seed, later)
    assert {"validation", "test"} <= {later[speaker] for speaker in many if speaker[0] == "d"}


@pytest.mark.parametrize("seed", range(20))
def test_small_strata_get_their_shares_too_where_that_is_asked_for(seed):
    sizes = {("en", "male"): 60, ("en", "female"): 30, ("it", "male"): 43, ("it", "female"): 9}
    split_of = assign_speakers(community(sizes), SHARES, seed, tolerance=0.1)
    for (language, gender), size in sizes.items():
        splits = [split_of[f"{language}-{gender}-{i}"] for i in range(size)]
        for split, share in SHARES.items():
            asked = share * size
            assert math.floor(0.9 * asked) <= splits.count(split) <= math.ceil(1.1 * asked) + 1
    for language in ("en", "it"):
        splits = [split for speaker, split in split_of.items() if speaker.startswith(language)]
        for split, share in SHARES.items():
            asked = share * len(splits)
            assert math.floor(0.9 * asked) <= splits.count(split) <= math.ceil(1.1 * asked) + 1


@pytest.mark.parametrize("seed", range(5))
def test_what_is_known_stays_whatever_the_shares_ask_for(seed):
    known = assign_speakers(community({("fr", "male"): 40}), SHARES, seed, tolerance=0.1)
    sizes = {("fr", "male"): 120, ("fr", "female"): 60}
    later = assign_speakers(community(sizes), SHARES, seed, known, tolerance=0.1)
    assert known == {speaker: later[speaker] for speaker in known}
    assert 16 <= list(later.values()).count("test") <= 21


def test_a_speaker_of_two_languages_is_moved_once():
    both = {f"both{i}": {("fr",), ("de",)} for i in range(30)}
    split_of = assign_speakers(both | community({("fr", "male"): 30}), SHARES, tolerance=0.1)
    of_german = [split_of[speaker] for speaker in both]
    assert of_german.count("validation") in (2, 3, 4) and of_german.count("test") in (2, 3, 4)
