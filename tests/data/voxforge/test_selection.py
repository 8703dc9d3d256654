"""The order in which archives are wanted, and how many of them."""

import math
import random
from dataclasses import replace
from pathlib import Path, PurePath

from hypothesis import given, settings
from hypothesis import strategies as st

from langid.data.utterance import ReasonCounts
from langid.data.voxforge.archive import Archive, Survey
from langid.data.voxforge.plan import make_plan
from langid.data.voxforge.selection import Caps, Planner

NO_CAP = Caps(math.inf, math.inf)


def planned(speaker, *numbers):
    return [Archive("de", f"de/16kHz_16bit/{speaker}-2008010{number}-x.tgz") for number in numbers]


def planner_of(archives, caps=NO_CAP):
    return Planner("de", archives, caps, ReasonCounts())


def plan_order(archives):
    return planner_of(archives).order


def surveyed(archive, duration_s):
    """An archive that lasts so long, or one that cannot be used."""
    problem = "truncated" if duration_s is None else None
    return replace(archive, survey=Survey(1, duration_s or 0.0, None, None, 1000, problem, "a1"))


def choose(archives, caps=NO_CAP):
    """Keys of what is chosen of surveyed archives, in their order."""
    return keys(planner_of(archives, caps).chosen(ReasonCounts()))


def missing(planner):
    """Keys of what would be fetched, as if everything were given at once."""
    return [archive.key for archive in iter(planner.next, None)]


def keys(archives):
    return [archive.key for archive in archives]


def test_every_speaker_comes_once_before_anybody_comes_twice():
    archives = planned("anna", 3, 1, 2) + planned("ben", 1) + planned("eva", 2, 1)
    order = plan_order(archives)
    stems = [archive.stem.removesuffix("-x") for archive in order]
    assert set(stems[:3]) == {"anna-20080101", "ben-20080101", "eva-20080101"}
    assert set(stems[3:5]) == {"anna-20080102", "eva-20080102"}
    assert stems[5] == "anna-20080103"


def test_the_order_within_a_round_is_no_alphabet_and_does_not_depend_on_the_listing():
    archives = [archive for n in range(40) for archive in planned(f"speaker{n:02}", 1)]
    order = plan_order(archives)
    assert keys(order) != keys(archives)
    assert plan_order(reversed(archives)) == order


def test_new_speakers_leave_the_others_in_their_order():
    archives = [archive for n in range(40) for archive in planned(f"speaker{n:02}", 1, 2)]
    later = planned("zoe", 1, 2, 3) + planned("aaron", 1)
    order = plan_order(archives + later)
    assert [a for a in order if a in archives] == plan_order(archives)


def test_the_walk_stops_at_the_hours_asked_for():
    order = [surveyed(a, 1800.0) for a in plan_order(planned("a", 1) + planned("b", 1, 2))]
    assert choose(order, Caps(1.0, math.inf)) == keys(order[:2])
    assert choose(order) == keys(order)


def test_a_speaker_gives_no_more_than_the_others_may():
    order = [surveyed(a, 50.0) for a in plan_order(planned("a", 1, 2, 3) + planned("b", 1))]
    of_a = [archive for archive in order if archive.speaker_id == "voxforge:a"]
    # 50 + 10 s of a and 50 s of b: 110 s.
    assert choose(order, Caps(110 / 3600, 1.0)) == keys(order[:3])
    assert choose(order, Caps(60 / 3600, 1.0)) == keys(order[:2])
    assert of_a[2].key not in choose(order, Caps(math.inf, 1.0))


def allotted(archives, caps, split_of, excluded=None):
    """Seconds that may be taken, by stem."""
    planner = planner_of([replace(a, path=Path(a.key)) for a in archives], caps)
    excluded = ReasonCounts() if excluded is None else excluded
    plan = make_plan([planner], Path(), excluded, {"seed": 0}, {}, known_splits=split_of)
    return {PurePath(a.key).stem: a.max_duration_s_total for a in plan.archives}


def test_each_archive_may_give_what_its_speaker_and_its_language_lack():
    archives = [surveyed(a, 50.0) for a in planned("a", 1, 2) + planned("b", 1)]
    splits = {"voxforge:a": "train", "voxforge:b": "test"}
    a1, a2, b1 = "a-20080101-x", "a-20080102-x", "b-20080101-x"
    assert allotted(archives, Caps(math.inf, 1.0), splits) == {a1: 60, a2: 10, b1: 60}
    assert allotted(archives, NO_CAP, splits) == {a1: None, a2: None, b1: None}
    # Where a language has too much, there is less for training.
    assert allotted(archives, Caps(105 / 3600, 1.0), splits) == {b1: 60, a1: 55, a2: 5}
    excluded = ReasonCounts()
    assert allotted(archives, Caps(101 / 3600, math.inf), splits, excluded) == {
        b1: 101,
        a1: 51,
        a2: 1,
    }
    assert excluded.counts == {}
    archives = [surveyed(a, 50.0) for a in planned("a", 1) + planned("b", 1)]
    for train, test in ("ab", "ba"):
        splits = {f"voxforge:{train}": "train", f"voxforge:{test}": "test"}
        given = allotted(archives, Caps(70 / 3600, math.inf), splits)
        assert given == {f"{test}-20080101-x": 70, f"{train}-20080101-x": 20}


def test_where_the_others_fill_a_language_nothing_is_left_for_training():
    first, *others = plan_order(planned("a", 1) + planned("b", 1) + planned("c", 1))
    archives = [surveyed(first, 1.0), *(surveyed(archive, 50.0) for archive in others)]
    splits = dict.fromkeys((a.speaker_id for a in others), "test") | {first.speaker_id: "train"}
    excluded = ReasonCounts()
    given = allotted(archives, Caps(100 / 3600, math.inf), splits, excluded)
    assert sorted(given.values()) == [50, 100]
    assert excluded.names == {"archive not needed": [first.key]}


def test_what_cannot_be_used_counts_nothing_and_is_not_chosen():
    order = plan_order(planned("a", 1, 2) + planned("b", 1))
    order = list(map(surveyed, order, (None, 0.0, 10.0)))
    assert choose(order, Caps(10 / 3600, math.inf)) == keys(order[1:])


def test_unknown_archives_are_missing_and_count_nothing():
    first, *others = plan_order(planned("a", 1) + planned("b", 1) + planned("c", 1))
    archives = [surveyed(first, 30.0), *others]
    planner = planner_of(archives, Caps(1 / 60, math.inf))
    assert keys(planner.likely_missing(typical_s=1.0)) == keys(others[:1])  # 30 s, as the first
    assert missing(planner) == keys(others)


@settings(deadline=None)
@given(
    durations_s=st.lists(
        st.tuples(st.integers(0, 5), st.one_of(st.none(), st.floats(0, 100))), max_size=30
    ),
    max_s=st.floats(0, 600),
    max_speaker_s=st.floats(0.1, 200),
    n_workers=st.integers(1, 5),
    seed=st.integers(0, 2**16),
)
def test_fetching_in_any_order_ends_with_the_choice_of_who_knows_all(
    durations_s, max_s, max_speaker_s, n_workers, seed
):
    archives = [Archive("de", f"de/s{s}-2008{n:04}-x.tgz") for n, (s, _) in enumerate(durations_s)]
    truth = {a.key: surveyed(a, s) for a, (_, s) in zip(archives, durations_s, strict=True)}
    caps = Caps(max_s / 3600, max_speaker_s / 60)
    shuffle = random.Random(seed)
    planner = planner_of(archives, caps)
    in_flight, fetched = [], []
    while True:
        while len(in_flight) < n_workers and (archive := planner.next()) is not None:
            in_flight.append(archive.key)
        if not in_flight:
            break
        done = in_flight.pop(shuffle.randrange(len(in_flight)))
        planner.enter(done, truth[done])
        fetched.append(done)
    assert len(set(fetched)) == len(fetched)
    again = planner_of([truth[a.key] if a.key in fetched else a for a in archives], caps)
    assert again.next() is None  # a second run has nothing to fetch
    if any(truth[key].survey.problem is None for key in fetched):
        assert planner.chosen(ReasonCounts()) == planner_of(truth.values(), caps).chosen(
            ReasonCounts()
        )
        assert planner.chosen(ReasonCounts()) == again.chosen(ReasonCounts())


def test_about_what_is_left():
    archives = [archive for n in range(20) for archive in planned(f"s{n}", 1)]
    planner = planner_of(archives, Caps(0.1, math.inf))
    assert planner.likely_missing(60.0) == planner.order[:6]
    for archive in planner.order[:3]:
        planner.enter(archive.key, surveyed(archive, 30.0))
    planner.enter(planner.order[3].key, None)
    assert planner.likely_missing(60.0) == planner.order[4:13]  # 270 s at 30 s each
