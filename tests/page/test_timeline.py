"""An answer over time, as it is drawn."""

import itertools

import numpy as np
import pytest
from helpers.identifier import LABELS, identification

from langid.identification import Segment, WindowResult, summarise
from langid.page.timeline import MAX_STRETCHES, MAX_TICKS, label_colours, stretches, ticks


def answer(segments, windows):
    found = identification((0.4, 0.3, 0.2, 0.1), windows, duration_s=segments[-1].end_s)
    object.__setattr__(found, "segments", segments)
    return found


def test_a_stretch_has_the_mean_of_its_own_windows():
    english, french = [0.8, 0.1, 0.1, 0.0], [0.0, 0.6, 0.4, 0.0]
    found = stretches(
        answer(
            [Segment(0, 5, "en", 0.8), Segment(5, 10, "fr", 0.6)],
            [english, english, french, french],
        )
    )
    assert [(each.start_s, each.end_s, each.language) for each in found] == [
        (0, 5, "en"),
        (5, 10, "fr"),
    ]
    assert found[0].probabilities == pytest.approx(dict(zip(LABELS, english, strict=True)))
    assert found[1].probabilities == pytest.approx(dict(zip(LABELS, french, strict=True)))


def test_a_stretch_shows_what_its_passage_says_where_that_is_its_language():
    doubtful = [0.4, 0.5, 0.1, 0.0]
    made = answer([Segment(0, 6, "en", 0.9)], [doubtful] * 2)
    passage = WindowResult(0, 6, dict(zip(LABELS, (0.9, 0.1, 0.0, 0.0), strict=True)))
    made.passages.append(passage)
    (found,) = stretches(made)
    assert found.probabilities["en"] == pytest.approx(0.9)
    made.segments[:] = [Segment(0, 6, "fr", 0.5)]
    (found,) = stretches(made)
    assert found.probabilities["fr"] == pytest.approx(0.5)


def test_a_stretch_is_as_probable_as_its_segment_among_candidates():
    rows = np.array([[0.25, 0.05, 0.6, 0.1]] * 4)
    passage = np.array([[0.6, 0.1, 0.3, 0.0]])
    bounds = [(2.0 * i, 2.0 * i + 4.0) for i in range(4)]
    everything = np.ones(4, dtype=bool)
    whole = summarise(
        LABELS, everything, rows, bounds, (10.0, 10.0), [], passage, [(0.0, 10.0)]
    ).restricted(["en", "fr", "none"])
    (found,) = stretches(whole)
    expected = whole.segments[0].confidence
    assert found.probabilities["en"] == pytest.approx(expected) == whole.probabilities["en"]
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_a_stretch_shorter_than_a_hop_has_probabilities_as_well():
    found = stretches(
        answer(
            [Segment(0, 2.5, "en", 0.5), Segment(2.5, 2.6, "fr", 0.5), Segment(2.6, 8, "en", 1)],
            [[0.5, 0.5, 0, 0]] * 3,
        )
    )
    assert len(found) == 3
    assert all(sum(each.probabilities.values()) == pytest.approx(1) for each in found)


def test_thousands_of_segments_become_some_that_can_be_seen():
    n = 5_000
    labels = np.random.default_rng(0).choice(["en", "fr"], n)
    segments = [Segment(2.0 * i, 2.0 * i + 2, str(labels[i]), 0.9) for i in range(n)]
    found = stretches(answer(segments, [[0.4, 0.4, 0.1, 0.1]] * n))
    assert len(found) <= MAX_STRETCHES + 1
    assert found[0].start_s == 0 and found[-1].end_s == 2 * n
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("length_s", [0.3, 3, 7.4, 8.7, 50, 59.9, 600, 1200, 3600, 4 * 3600])
def test_ticks_are_round_few_and_within(length_s):
    times_s = list(ticks(length_s))
    assert times_s[0] == 0 and len(times_s) <= MAX_TICKS
    assert times_s[-1] <= 0.95 * length_s


def test_every_label_has_a_colour_of_its_own_as_far_as_there_are_any():
    labels = ("en", "fr", "de", "es", "it", "other", "none")
    colours = label_colours(labels)
    assert len(set(colours.values())) == len(labels) and list(colours) == list(labels)
    many = label_colours([f"l{i}" for i in range(20)] + ["none"])
    assert len(many) == 21 and many["l0"] == many["l7"] != many["none"]
