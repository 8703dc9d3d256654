"""Which archives a dataset is built of."""

from langid.errors import DataError
import math
from pathlib import Path

import pytest

from langid.data.utterance import Drops
from langid.data.voxforge import jobs
from langid.data.voxforge.archive import Survey, speaker_of
from langid.data.voxforge.archives import Archive
from langid.data.voxforge.jobs import choose_archives, split_speakers
from langid.data.voxforge.selection import Caps, Plan

ALL = Caps(math.inf, math.inf)
SHARES = {"validation": 0.1, "test": 0.1}


def archive(stem, problem=None, language="de", gender=None) -> Archive:
    """An archive of 20 s, or one with a problem that shows after 20 s."""
    survey = Survey(2, 20.0, gender, None, 1000, problem, "a1")
    key = f"{language}/{stem}.tgz"
    return Archive(key, Path(key), language, stem, speaker_of(stem), survey)


def choose(archives, caps=ALL, languages=("de",), drops=None) -> set[str]:
    chosen = choose_archives(archives, languages, caps, Drops() if drops is None else drops)
    return {archive.stem for archive in chosen}


def fetched(archives, caps) -> set[str]:
    """What one connection would have downloaded of these, and could use."""
    plan = Plan(archives, caps)
    usable = set()
    while (archive := plan.next()) is not None:
        plan.enter(archive.key, archive.survey.usable_s)
        usable |= {archive.stem} if archive.survey.problem is None else set()
    return usable


def test_what_was_fetched_is_what_is_chosen_although_some_of_it_cannot_be_used():
    speakers = [f"s{n}" for n in range(12)]
    archives = [
        archive(f"{speaker}-2008010{n}-x", "truncated" if n == 0 and speaker < "s5" else None)
        for speaker in speakers
        for n in range(3)
    ]
    for n_archives in range(1, 30):
        caps = Caps(20 * n_archives / 3600, math.inf)
        expected = fetched(archives, caps)
        assert len(expected) == n_archives
        assert choose(archives, caps) == expected


def test_each_archive_that_is_left_out_is_counted_once():
    drops = Drops()
    archives = [
        archive("anna-20080101-a", language="it"),
        archive("anna-20080102-a", language="it"),
        archive("anna-20080103-a", "truncated", language="it"),  # counted where it was found
        archive("Vistaus-20080718-mrm", language="it"),
        archive("Vistaus-20080719-mrm", "truncated", language="it"),
    ]
    assert choose(archives, Caps(1, 0.25), ("it",), drops) == {"anna-20080101-a"}
    assert drops.names == {
        "speaker does not speak the language": ["it/Vistaus-20080718-mrm.tgz"],
        "archive not needed": ["it/anna-20080102-a.tgz"],
    }


def test_a_language_needs_an_archive_that_can_be_used():
    archives = [archive("anna-20080101-a"), archive("ben-20080101-a", "truncated", language="fr")]
    drops = Drops()
    drops.add("corrupt archive: truncated", "fr/ben-20080101-a.tgz")
    with pytest.raises(DataError, match=r"no usable archive of 'fr' \(1 corrupt .*ben-2008"):
        choose(archives, languages=("de", "fr"), drops=drops)
    with pytest.raises(DataError, match=r"no usable archive of 'es' \(none\)"):
        choose(archives, languages=("es",))


@pytest.mark.parametrize("is_remembered", [True, False])
def test_speakers_stay_in_their_splits_because_the_folder_remembers(
    tmp_path, monkeypatch, is_remembered
):
    """Of few speakers some are moved to where a split has none, which more would undo."""
    if not is_remembered:
        monkeypatch.setattr(jobs, "read_record", lambda *_: {})
    few = [archive(f"user{number}-20080101-a") for number in range(4)]
    newcomers = [archive(f"newcomer{number}-20110101-a") for number in range(12)]
    before = split_speakers(few, tmp_path, SHARES, seed=0)
    split_speakers(newcomers, tmp_path, SHARES, seed=0)
    after = split_speakers(few + newcomers, tmp_path, SHARES, seed=0)
    assert set(before.values()) == {"train", "validation", "test"}
    assert (before == {speaker: after[speaker] for speaker in before}) is is_remembered


@pytest.mark.parametrize("seed", range(6))
def test_each_gender_stands_in_each_split(tmp_path, seed):
    """Chance alone leaves women out of the validation for two of these seeds."""
    women = [archive(f"user{number}-20080101-a", gender="female") for number in range(0, 100, 10)]
    # One archive of many may err.
    women += [archive("user0-20090101-a", gender="male")]
    women += [archive("user0-20100101-a", gender="female")]
    men = [archive(f"user{n}-20080101-a", gender="male") for n in range(100) if n % 10]
    split_of = split_speakers(women + men, tmp_path, SHARES, seed)
    assert {split_of[woman.speaker_id] for woman in women} == {"train", "validation", "test"}
    assert {split_of[man.speaker_id] for man in men} == {"train", "validation", "test"}
