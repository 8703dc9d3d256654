import numpy as np
import pytest

from langid.windows import (
    Passage,
    aggregate,
    cut_windows,
    frame_passages,
    frame_windows,
    merge,
    restrict,
    runs,
    strongest_run,
    windows_per_passage,
    with_passages,
)

RATE = 10  # samples a second: windows of 4 s are 40 samples, hops of 2 s are 20


def spans(n_samples, block):
    signal = np.arange(n_samples, dtype=np.float32)
    blocks = [signal[i : i + block] for i in range(0, n_samples, block)]
    windows = list(cut_windows(blocks, 4.0, 2.0, RATE))
    for window in windows:
        expected = np.arange(round(window.start_s * RATE), round(window.end_s * RATE))
        np.testing.assert_array_equal(window.waveform, expected)
    return [(w.start_s, w.end_s) for w in windows]


@pytest.mark.parametrize("block", [1, 7, 20, 40, 1000])
def test_windows_follow_their_contract_whatever_the_blocks(block):
    assert spans(1, block) == [(0.0, 0.1)]
    assert spans(39, block) == [(0.0, 3.9)]
    assert spans(40, block) == [(0.0, 4.0)]
    assert spans(41, block) == [(0.0, 4.0), (0.1, 4.1)]
    assert spans(60, block) == [(0.0, 4.0), (2.0, 6.0)]
    assert spans(75, block) == [(0.0, 4.0), (2.0, 6.0), (3.5, 7.5)]
    assert spans(80, block) == [(0.0, 4.0), (2.0, 6.0), (4.0, 8.0)]


@pytest.mark.parametrize("n_samples", [41, 59, 60, 61, 100, 123, 400])
def test_number_of_windows(n_samples):
    assert len(spans(n_samples, 13)) == 1 + int(np.ceil((n_samples - 40) / 20))


def test_a_long_stream_is_never_held_whole():
    held = []

    def blocks():
        for _ in range(1000):
            yield np.zeros(20, dtype=np.float32)

    for window in cut_windows(blocks(), 4.0, 2.0, RATE):
        base = window.waveform.base
        held.append(len(base) if base is not None else len(window.waveform))
    assert len(held) == 999
    assert max(held) <= 80


def test_no_samples_no_windows():
    assert list(cut_windows([], 4.0, 2.0, RATE)) == []


@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [
        (40, []),  # a window alone
        (41, [(0, 41)]),
        (100, [(0, 80)]),  # windows from 0, 20, 40; that from 60 is alone
        (101, [(0, 80), (60, 101)]),
        (160, [(0, 80), (60, 140)]),
    ],
)
def test_passages_are_neighbouring_windows_in_one_piece(n_samples, expected, block):
    signal = np.arange(n_samples, dtype=np.float32)
    blocks = [signal[i : i + block] for i in range(0, n_samples, block)]
    cut = list(with_passages(cut_windows(blocks, 4.0, 2.0, RATE), 3, RATE))
    passages = [piece for piece in cut if isinstance(piece, Passage)]
    for passage in passages:
        span = np.arange(round(passage.start_s * RATE), round(passage.end_s * RATE))
        np.testing.assert_array_equal(passage.waveform, span)
    found = [(round(p.start_s * RATE), round(p.end_s * RATE)) for p in passages]
    slices = frame_passages(frame_windows(n_samples, 40, 20), 3)
    assert [(piece.start, piece.stop) for piece in slices] == found == expected
    windows = [piece for piece in cut if piece not in passages]
    assert [(w.start_s, w.end_s) for w in windows] == spans(n_samples, block)


def test_a_passage_holds_as_many_windows_as_fit():
    assert windows_per_passage(4.0, 2.0) == 7
    assert windows_per_passage(4.0, 0.4) == 31  # 12 / 0.4 is a little less than 30
    assert windows_per_passage(20.0, 10.0) == 1
    windows = list(cut_windows([np.zeros(200, np.float32)], 4.0, 2.0, RATE))
    assert list(with_passages(windows, 1, RATE)) == windows


def test_one_window_is_its_own_answer():
    window = np.array([[0.2, 0.5, 0.3]])
    np.testing.assert_allclose(aggregate(window, 2), window[0], atol=1e-12)


def test_geometric_mean_of_windows():
    # sqrt(.8 * .2) = sqrt(.2 * .8): two opposite windows leave it open.
    windows = np.array([[0.8, 0.2, 0.0], [0.2, 0.8, 0.0]])
    np.testing.assert_allclose(aggregate(windows, 2), [0.5, 0.5, 0.0], atol=1e-6)
    # sqrt(.9 * .4) : sqrt(.1 * .6) = .6 : .2449
    windows = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0]])
    expected = 0.6 / (0.6 + np.sqrt(0.06))
    assert aggregate(windows, 2)[0] == pytest.approx(expected, abs=1e-6)


def test_windows_without_speech_do_not_vote():
    talk, noise = [0.9, 0.1, 0.0], [0.0001, 0.0009, 0.999]
    result = aggregate(np.array([talk, noise, noise, noise]), 2)
    # The most speech-like tenth is the one window of talk; the noise weighs a thousandth.
    np.testing.assert_allclose(result, talk, atol=0.01)


def test_only_noise_is_no_speech():
    result = aggregate(np.array([[0.05, 0.05, 0.9]] * 30), 2)
    assert result[2] == pytest.approx(0.9)
    assert result.sum() == pytest.approx(1)


def test_speech_is_judged_by_a_tenth_of_the_windows():
    talk, noise = [0.9, 0.1, 0.0], [0.1, 0.1, 0.8]
    # 20 windows: the two most speech-like are one of talk (1.0) and one of noise (0.2).
    result = aggregate(np.array([talk] + [noise] * 19), 2)
    assert 1 - result[2] == pytest.approx(0.6)


@pytest.mark.parametrize("n_silent", [28, 150, 1800])  # a minute, five, an hour
def test_a_sentence_within_silence_is_a_recording_of_it(n_silent):
    talk, silence = [0.88, 0.1, 0.02], [0.001, 0.009, 0.99]
    half = n_silent // 2
    result = aggregate(np.array([silence] * half + [talk] * 3 + [silence] * half), 2)
    # Evidence 3 ln 49, of which nothing is cut off: 0.98 / (1 + exp(6 - 11.7)), shared 88 : 10.
    assert result[2] < 0.05
    np.testing.assert_allclose(result[0] / result[1], 8.8, rtol=0.02)  # silence has no say


def test_moments_that_could_be_speech_are_none():
    maybe, music = [0.45, 0.45, 0.1], [0.1, 0.1, 0.8]
    result = aggregate(np.array(([maybe] + [music] * 24) * 6), 2)
    assert result.argmax() == 2 and result[2] > 0.5


def test_the_strongest_run_of_neighbours():
    assert strongest_run(np.array([1.0, -2.0, 3.0, -1.0, 2.5, -4.0, 4.0])) == (2, 5, 4.5)
    assert strongest_run(np.array([-3.0, -1.0, -2.0])) == (1, 2, -1.0)


def test_extreme_probabilities_stay_finite():
    result = aggregate(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), 2)
    assert np.isfinite(result).all()
    assert result.sum() == pytest.approx(1)


def test_restricting_renormalises_the_same_probabilities():
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    kept = np.array([True, True, False])
    np.testing.assert_allclose(restrict(p, kept), [[0.625, 0.375, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(restrict(p, np.ones(3, bool)), p)


def test_restricting_the_impossible_is_undecided():
    np.testing.assert_allclose(
        restrict(np.array([0.0, 0.0, 1.0]), np.array([1, 1, 0], bool))[:2], 0.5
    )


def test_runs_tile_the_recording():
    bounds = [(0, 4), (2, 6), (4, 8), (5, 9)]
    assert list(runs(["en", "en", "fr", "en"], bounds)) == [
        (0, 2, 0, 5.0),  # the overlap of (2, 6) and (4, 8) is 4 to 6
        (2, 3, 5.0, 6.5),  # of (4, 8) and (5, 9) it is 5 to 8
        (3, 4, 6.5, 9),
    ]
    assert list(runs(["en"], [(0, 1.5)])) == [(0, 1, 0, 1.5)]


@pytest.mark.parametrize(("n_windows", "n_left", "n_last"), [(4, 4, 1), (5, 3, 1), (9, 3, 3)])
def test_merging_bounds_the_windows_and_keeps_all_of_them(n_windows, n_left, n_last):
    p = np.random.default_rng(0).dirichlet(np.ones(3), n_windows)
    bounds = [(2.0 * i, 2.0 * i + 4) for i in range(n_windows)]
    merged, merged_bounds = merge(p, bounds, 4)
    assert len(merged) == len(merged_bounds) == n_left
    np.testing.assert_allclose(merged.sum(axis=1), 1)
    np.testing.assert_allclose(merged[-1], p[-n_last:].mean(axis=0))
    assert (merged_bounds[0][0], merged_bounds[-1][1]) == (bounds[0][0], bounds[-1][1])
