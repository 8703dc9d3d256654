"""The order in which archives are wanted, and how many of them."""

import math
import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from langid.data.voxforge.selection import Caps, Plan, plan_order, select

NO_CAP = Caps(math.inf, math.inf)


@dataclass(frozen=True)
class Planned:
    stem: str
    speaker_id: str

    @property
    def key(self):
        return f"de/16kHz_16bit/{self.stem}.tgz"


def planned(speaker, *numbers):
    return [Planned(f"{speaker}-{number}", speaker) for number in numbers]


def keys(archives):
    return [archive.key for archive in archives]


def test_every_speaker_comes_once_before_anybody_comes_twice():
    archives = planned("anna", 3, 1, 2) + planned("ben", 1) + planned("eva", 2, 1)
    order = plan_order(archives)
    assert {a.stem for a in order[:3]} == {"anna-1", "ben-1", "eva-1"}
    assert {a.stem for a in order[3:5]} == {"anna-2", "eva-2"}
    assert order[5].stem == "anna-3"


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
    order = planned("a", 1) + planned("b", 1) + planned("c", 1)
    durations = dict.fromkeys(keys(order), 1800.0)
    selection = select(order, durations, Caps(1.0, math.inf))
    assert (selection.chosen, selection.missing) == (keys(order[:2]), [])
    assert select(order, durations, NO_CAP).chosen == keys(order)


def test_a_speaker_gives_no_more_than_the_others_may():
    order = planned("a", 1, 2, 3) + planned("b", 1)
    durations = dict.fromkeys(keys(order), 50.0)
    # 50 + 10 s of a and 50 s of b: 110 s.
    assert select(order, durations, Caps(110 / 3600, 1.0)).chosen == [
        order[n].key for n in (0, 1, 3)
    ]
    assert select(order, durations, Caps(60 / 3600, 1.0)).chosen == keys(order[:2])


def test_what_cannot_be_used_counts_nothing_and_is_not_chosen():
    order = planned("a", 1, 2) + planned("b", 1)
    durations = {order[0].key: None, order[1].key: 0.0, order[2].key: 10.0}
    selection = select(order, durations, Caps(10 / 3600, math.inf))
    assert (selection.chosen, selection.missing) == (keys(order[1:]), [])


def test_unknown_archives_are_missing_and_count_as_long_as_assumed():
    order = planned("a", 1) + planned("b", 1) + planned("c", 1)
    durations = {order[0].key: 30.0}
    assert select(order, durations, Caps(1 / 60, math.inf)).missing == keys(order[1:])
    assert select(order, durations, Caps(1 / 60, math.inf), unknown_s=30.0).missing == [
        order[1].key
    ]


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
    order = plan_order(Planned(f"s{s}-{n}", f"s{s}") for n, (s, _) in enumerate(durations_s))
    by_number = {f"s{s}-{n}": duration for n, (s, duration) in enumerate(durations_s)}
    truth = {archive.key: by_number[archive.stem] for archive in order}
    caps = Caps(max_s / 3600, max_speaker_s / 60)
    shuffle = random.Random(seed)
    plan = Plan(order, caps)
    in_flight = []
    while True:
        while len(in_flight) < n_workers:
            missing = select(order, plan.duration_of, caps).missing
            expected = next((key for key in missing if key not in in_flight), None)
            archive = plan.next()
            assert (archive and archive.key) == expected
            if archive is None:
                break
            in_flight.append(archive.key)
        if not in_flight:
            break
        done = in_flight.pop(shuffle.randrange(len(in_flight)))
        plan.enter(done, truth[done])
    final = select(order, plan.duration_of, caps)
    assert final.missing == []  # a second run has nothing to fetch
    assert final.chosen == select(order, truth, caps).chosen


def test_about_what_is_left():
    plan = Plan(
        [archive for n in range(20) for archive in planned(f"s{n}", 1)], Caps(0.1, math.inf)
    )
    assert plan.likely(60.0) == plan.order[:6]
    for archive in plan.order[:3]:
        plan.enter(archive.key, 30.0)
    plan.enter(plan.order[3].key, None)
    assert plan.likely(60.0) == plan.order[4:13]  # 270 s at 30 s each
