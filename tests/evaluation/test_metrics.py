"""Every figure against arrays worked out by hand."""

import numpy as np
import pytest

from langid.evaluation import metrics

# Labels: 0 and 1 are languages, 2 is "other", 3 is "none".
LANGUAGES = (0, 1)
PROBABILITIES = np.array(
    [
        [0.7, 0.1, 0.1, 0.1],  # 0, right
        [0.2, 0.1, 0.6, 0.1],  # 0, right only among the languages
        [0.1, 0.5, 0.2, 0.2],  # 0, wrong
        [0.3, 0.4, 0.2, 0.1],  # 1, right
        [0.4, 0.1, 0.5, 0.0],  # other, right
        [0.1, 0.6, 0.2, 0.1],  # other, wrong
        [0.0, 0.1, 0.1, 0.8],  # none, right
    ]
)
TARGETS = np.array([0, 0, 0, 1, 2, 2, 3])


def test_open_answers_choose_among_all_labels():
    assert metrics.open_answers(PROBABILITIES).tolist() == [0, 2, 1, 1, 2, 1, 3]


def test_closed_answers_choose_among_the_languages():
    assert metrics.closed_answers(PROBABILITIES, LANGUAGES).tolist() == [0, 0, 1, 1, 0, 1, 1]


def test_closed_answers_are_indices_of_labels_wherever_the_languages_stand():
    assert metrics.closed_answers(PROBABILITIES, (1, 3)).tolist() == [1, 1, 1, 1, 1, 1, 3]


def test_recall_is_the_share_of_one_class():
    answers = metrics.open_answers(PROBABILITIES)
    assert metrics.recall(TARGETS, answers, 0) == pytest.approx(1 / 3)
    assert metrics.recall(TARGETS, answers, 2) == pytest.approx(1 / 2)


def test_closed_accuracy_weighs_languages_alike_and_leaves_the_rest_out():
    # Language 0: 2 of 3; language 1: 1 of 1.
    value = metrics.closed_accuracy(PROBABILITIES, TARGETS, LANGUAGES)
    assert value == pytest.approx((2 / 3 + 1) / 2)


def test_open_accuracy_is_the_mean_recall_of_all_classes():
    value = metrics.open_accuracy(PROBABILITIES, TARGETS)
    assert value == pytest.approx((1 / 3 + 1 + 1 / 2 + 1) / 4)


def test_open_accuracy_skips_classes_without_clips():
    # Only class 0 (1 of 3) and class 1 (1 of 1).
    assert metrics.open_accuracy(PROBABILITIES[:4], TARGETS[:4]) == pytest.approx(2 / 3)


def test_absent_classes_give_none_and_no_warning(recwarn):
    empty = np.empty((0, 4)), np.empty(0, dtype=int)
    assert metrics.recall(TARGETS, TARGETS, 9) is None
    assert metrics.closed_accuracy(PROBABILITIES[4:], TARGETS[4:], LANGUAGES) is None
    assert metrics.open_accuracy(*empty) is None
    assert metrics.closed_accuracy(*empty, LANGUAGES) is None
    assert metrics.other_auroc(PROBABILITIES[:4], TARGETS[:4], 2, LANGUAGES) is None
    assert metrics.other_auroc(PROBABILITIES[4:], TARGETS[4:], 2, LANGUAGES) is None
    assert metrics.expected_calibration_error(np.empty(0), np.empty(0, dtype=bool)) is None
    assert not recwarn.list


def test_confusion_matrix_has_a_row_for_each_true_class():
    matrix = metrics.confusion_matrix(TARGETS, metrics.open_answers(PROBABILITIES), 4)
    assert matrix.tolist() == [[1, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def test_expected_calibration_error_of_two_bins():
    # (0, 0.5]: accuracy 1/2, confidence 0.35; (0.5, 1]: accuracy 1, confidence 0.8.
    confidences = np.array([0.2, 0.5, 0.8])
    correct = np.array([False, True, True])
    value = metrics.expected_calibration_error(confidences, correct, n_bins=2)
    assert value == pytest.approx(2 / 3 * 0.15 + 1 / 3 * 0.2)


def test_expected_calibration_error_has_fifteen_bins_closed_above():
    # 1/15 and 1/15 + a little are neighbours: the errors of two bins do not cancel.
    confidences = np.array([1 / 15, 1 / 15 + 1e-6])
    value = metrics.expected_calibration_error(confidences, np.array([True, False]))
    assert value == pytest.approx((14 / 15 + 1 / 15) / 2, abs=1e-5)
    # In one bin they do.
    confidences = np.array([0.5, 0.5])
    value = metrics.expected_calibration_error(confidences, np.array([True, False]))
    assert value == pytest.approx(0)


def test_confidences_of_zero_and_one_have_a_bin():
    value = metrics.expected_calibration_error(np.array([0.0, 1.0]), np.array([True, True]))
    assert value == pytest.approx(0.5)


def test_auroc_counts_pairs_and_half_of_the_ties():
    # Pairs: 0.5 > 0.1, 0.5 = 0.5 (half), 0.9 > 0.1, 0.9 > 0.5.
    assert metrics.auroc(np.array([0.5, 0.9]), np.array([0.1, 0.5])) == pytest.approx(3.5 / 4)


def test_auroc_does_not_depend_on_order_or_sizes():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 9, 31), rng.integers(0, 7, 17)
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert metrics.auroc(positive, negative) == pytest.approx(np.mean(pairs))


def test_other_auroc_leaves_clips_without_speech_out():
    # P(other): others 0.5 and 0.2, languages 0.1, 0.6, 0.2, 0.2; the clip of none takes no part.
    value = metrics.other_auroc(PROBABILITIES, TARGETS, 2, LANGUAGES)
    assert value == pytest.approx(((3 + 0) + (1 + 0.5 + 0.5)) / 8)


def test_duration_bands_keep_both_borders_in_the_middle():
    durations_s = np.array([0.3, 2.999, 3.0, 6.0, 6.001])
    bands = [metrics.DURATION_BANDS[i] for i in metrics.duration_bands(durations_s)]
    assert bands == ["under 3 s", "under 3 s", "3-6 s", "3-6 s", "over 6 s"]
