"""From windows to segments and languages: made-up windows, and real speakers where there are."""

import itertools

import numpy as np
import pytest
from helpers.speech import SPEECH, needs_speech, speech_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from langid import LanguageIdentifier, identification
from langid.audio import SAMPLE_RATE, load_audio
from langid.identification import summarise
from langid.segments import best_path, with_languages_of_passages

LABELS = ("en", "fr", "other", "none")
ALL = np.ones(4, dtype=bool)
EN, FR, OTHER, NONE = np.eye(4)


def answer(rows, hop_s=2.0, kept=ALL):
    """The answer for windows of 4 s."""
    bounds = [(hop_s * i, hop_s * i + 4.0) for i in range(len(rows))]
    duration_s = bounds[-1][1]
    return summarise(LABELS, kept, np.array(rows), bounds, (duration_s, duration_s), [])


def sure(label, p=0.94):
    """A window that is this label with probability p."""
    return p * label + (1 - p) / 3 * (1 - label)


def names(result):
    return [segment.language for segment in result.segments]


@st.composite
def windows(draw):
    """A random walk of sharp and undecided windows, (n, 4)."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sharpness = draw(st.sampled_from([0.05, 0.3, 1.0, 5.0]))
    rows = rng.dirichlet(np.full(4, sharpness), n) + 1e-9
    stay = np.maximum.accumulate(np.where(rng.random(n) < 0.3, np.arange(n), 0))
    rows = 0.5 * rows + 0.5 * rows[stay]
    return rows / rows.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=200)
@given(
    rows=windows(),
    kept=st.lists(st.booleans(), min_size=4, max_size=4).filter(any),
    hop_s=st.sampled_from([1.0, 2.0]),
)
def test_answer_segments_and_languages_cannot_contradict_each_other(rows, kept, hop_s):
    result = answer(rows, hop_s, np.array(kept))
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert result.confidence == max(result.probabilities.values())
    assert result.probabilities[result.language] == result.confidence

    ends = [segment.end_s for segment in result.segments]
    assert [segment.start_s for segment in result.segments] == [0.0, *ends[:-1]]
    assert ends[-1] == result.duration_s
    assert all(a != b for a, b in itertools.pairwise(names(result)))
    spoken = [segment for segment in result.segments if segment.language != "none"]
    assert bool(spoken) == (result.language != "none") == bool(result.languages)

    assert [part.language for part in result.languages][:1] == [result.language] * bool(spoken)
    assert result.languages == sorted(result.languages, key=lambda part: -part.seconds)
    if spoken:
        assert sum(part.share for part in result.languages) == pytest.approx(1)
    if len(result.languages) > 1:
        for part in result.languages:
            of_language = [s for s in spoken if s.language == part.language]
            assert sum(s.end_s - s.start_s for s in of_language) == pytest.approx(part.seconds)
            assert part.seconds >= 4
            p_speech = 1 - result.probabilities["none"]
            assert result.probabilities[part.language] == pytest.approx(part.share * p_speech)


@settings(deadline=None, max_examples=200)
@given(
    scores=st.lists(st.lists(st.floats(-4, 4), min_size=3, max_size=3), min_size=1, max_size=6),
    cost=st.floats(0, 3),
)
def test_the_best_path_is_the_best_of_all_paths(scores, cost):
    scores = np.array(scores)

    def value(path):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return sum(row[state] for row, state in zip(scores, path, strict=True)) - cost * changes

    best = max(map(value, itertools.product(range(3), repeat=len(scores))))
    path, total = best_path(scores, cost)
    assert value(path) == pytest.approx(best) == pytest.approx(total)


def test_a_window_that_is_misheard_is_no_island():
    rows = [sure(EN)] * 5 + [sure(FR, 0.7)] + [sure(EN)] * 5
    assert names(answer(rows)) == ["en"]
    assert [part.language for part in answer(rows).languages] == ["en"]


def test_the_window_over_the_border_of_two_languages_is_not_another():
    rows = [sure(EN)] * 5 + [sure(OTHER, 0.6)] + [sure(FR)] * 5
    result = answer(rows)
    assert names(result) == ["en", "fr"]
    assert result.segments[0].end_s == pytest.approx(12, abs=1)  # that window is from 10 to 14


@pytest.mark.parametrize(
    "stretch",
    [[sure(FR, 0.97)], [sure(FR, 0.8)] * 2, [0.55 * EN + 0.42 * FR, sure(FR), 0.6 * EN + 0.4 * FR]],
    ids=["one whole window", "two windows, 3 s of each", "half, whole, half"],
)
def test_a_real_stretch_of_four_seconds_stays(stretch):
    rows = [sure(EN)] * 5 + [0.97 * row + 0.0075 for row in stretch] + [sure(EN)] * 5
    result = answer(rows)
    assert names(result) == ["en", "fr", "en"]
    assert result.segments[1].end_s - result.segments[1].start_s >= 2
    assert result.language == "en"


def test_a_passage_says_what_was_spoken_and_its_windows_when():
    rows = np.array(
        [0.6 * FR + 0.4 * EN, 0.6 * FR + 0.4 * EN, 0.5 * FR + 0.5 * NONE, 0.7 * FR + 0.3 * EN]
    )
    bounds = [(2.0 * i, 2.0 * i + 4.0) for i in range(4)]
    passage = np.array([0.9 * EN + 0.1 * NONE])
    refined = with_languages_of_passages(rows, bounds, passage, [(0.0, 8.0)], 3)
    np.testing.assert_allclose(refined[:2], [EN, EN], atol=1e-9)
    np.testing.assert_allclose(refined[2], 0.5 * EN + 0.5 * NONE, atol=1e-9)
    np.testing.assert_array_equal(refined[3], rows[3])  # it reaches beyond the passage
    whole = summarise(LABELS, ALL, rows, bounds, (10.0, 10.0), [], passage, [(0.0, 8.0)])
    assert whole.language == "en" and names(whole) == ["en"]
    assert whole.segments[0].confidence > 0.6  # three windows in the passage, and one of 0.3
    assert [p.probabilities["none"] for p in whole.passages] == [pytest.approx(0.1)]
    assert whole.restricted(None).probabilities == pytest.approx(whole.probabilities)
    assert whole.restricted(["fr", "other"]).language == "fr"
    assert answer(rows).language == "fr"


@pytest.mark.parametrize("n_passages", [3, 6, 9])
def test_merged_windows_keep_to_their_passages(monkeypatch, n_passages):
    monkeypatch.setattr(identification, "MAX_WINDOWS", 20)
    n_windows = 7 * n_passages
    rows = np.tile(0.6 * FR + 0.4 * EN, (n_windows, 1))
    bounds = [(2.0 * i, 2.0 * i + 4.0) for i in range(n_windows)]
    spans = [(14.0 * i, 14.0 * i + 16.0) for i in range(n_passages)]
    passages = np.tile(0.9 * EN + 0.1 * FR, (n_passages, 1))
    whole = summarise(LABELS, ALL, rows, bounds, (bounds[-1][1],) * 2, [], passages, spans)
    assert len(whole.windows) <= 20 and whole.confidence == pytest.approx(0.9)
    np.testing.assert_allclose(whole.refined()[:, 0], 0.9)
    assert whole.restricted(["en", "fr"]).confidence == pytest.approx(0.9)


def test_a_language_that_only_passages_hear_is_that_of_the_segments():
    doubtful = [0.6 * FR + 0.3 * EN + 0.1 * OTHER] * 3 + [0.6 * OTHER + 0.3 * EN + 0.1 * FR] * 3
    rows = np.array([*doubtful, *[sure(NONE)] * 3])
    bounds = [(2.0 * i, 2.0 * i + 4.0) for i in range(9)]
    passages = np.array([0.9 * EN + 0.1 * FR, NONE])
    spans = [(0.0, 16.0), (14.0, 20.0)]
    result = summarise(LABELS, ALL, rows, bounds, (20.0, 20.0), [], passages, spans)
    assert result.language == "en" and [share.language for share in result.languages] == ["en"]
    assert names(result) == ["en", "none"]
    assert result.segments[0].confidence > 0.6


def test_a_passage_in_several_languages_says_nothing():
    rows = np.array([*[sure(EN)] * 4, *[sure(FR)] * 3])
    bounds = [(2.0 * i, 2.0 * i + 4.0) for i in range(7)]
    passage = np.array([OTHER])  # what a network may make of a mixture
    refined = with_languages_of_passages(rows, bounds, passage, [(0.0, 16.0)], 3)
    np.testing.assert_array_equal(refined, rows)
    rows[4] = sure(EN)  # what is left of French holds nothing of its own
    rows[5] = 0.5 * EN + 0.5 * FR
    refined = with_languages_of_passages(rows, bounds, passage, [(0.0, 16.0)], 3)
    assert (refined.argmax(axis=1) == 2).all()


def test_a_pause_between_two_stretches_of_a_language_is_a_segment():
    rows = [sure(EN)] * 4 + [sure(NONE, 0.98)] * 4 + [sure(EN)] * 4
    result = answer(rows)
    assert names(result) == ["en", "none", "en"]
    assert [(part.language, part.share) for part in result.languages] == [("en", 1.0)]
    assert result.languages[0].seconds == pytest.approx(18)


def test_two_seconds_before_a_long_pause_are_a_segment():
    half = 0.8 * EN + 0.14 * FR + 0.01 * OTHER + 0.05 * NONE  # of its window are silence
    rows = [half] + [sure(NONE, 0.999)] * 8 + [sure(EN)] * 3
    assert names(answer(rows)) == ["en", "none", "en"]


def test_a_breath_is_no_silence():
    assert names(answer([sure(EN)] * 4 + [sure(NONE, 0.6)] + [sure(EN)] * 4)) == ["en"]


def test_two_languages_with_stretches_of_their_own_are_told_with_their_shares():
    result = answer([sure(EN)] * 6 + [sure(FR)] * 12)
    assert [(part.language, part.seconds) for part in result.languages] == [
        ("fr", 25.0),
        ("en", 13.0),
    ]
    assert result.languages[0].share == pytest.approx(25 / 38)
    assert result.language == "fr"
    assert result.probabilities["fr"] / result.probabilities["en"] == pytest.approx(25 / 13)
    assert result.probabilities["other"] == 0


def test_of_two_languages_with_as_much_speech_the_first_label_leads():
    result = answer([sure(FR)] * 8 + [sure(EN)] * 8)
    assert [(part.language, part.share) for part in result.languages] == [("en", 0.5), ("fr", 0.5)]
    assert result.language == "en"


def test_a_doubtful_stretch_is_a_segment_and_no_language_of_the_recording():
    result = answer([sure(EN)] * 10 + [0.2 * EN + 0.75 * FR + 0.05 * OTHER] * 3)
    assert names(result) == ["en", "fr"]
    assert [part.language for part in result.languages] == ["en"]
    assert result.probabilities["en"] > 0.9


def test_candidates_without_the_second_language_leave_one():
    rows = [sure(EN)] * 6 + [sure(FR)] * 12
    result = answer(rows, kept=np.array([True, False, True, True]))
    assert "fr" not in names(result)
    assert len(result.languages) == 1 or result.probabilities["fr"] == 0


def test_without_none_among_the_candidates_silence_takes_its_neighbours_language():
    rows = [sure(EN)] * 4 + [0.99 * NONE + 0.01 * FR] * 6 + [sure(EN)] * 4
    assert names(answer(rows, kept=np.array([True, True, True, False]))) == ["en"]


def test_more_overlap_of_the_windows_is_not_more_evidence():
    doubtful = [sure(EN)] * 6 + [sure(FR, 0.6)] * 2 + [sure(EN)] * 6
    assert names(answer(doubtful)) == ["en"]
    assert names(answer(np.repeat(doubtful, 2, axis=0), hop_s=1.0)) == ["en"]


def test_no_speech_never_stands_beside_a_sure_segment():
    rows = [sure(NONE, 0.99)] * 150
    rows[70] = sure(EN, 0.99)  # a door that sounds like a word
    result = answer(rows)
    assert (result.language, names(result)) == ("none", ["none"])
    rows[71] = sure(EN, 0.99)
    result = answer(rows)
    assert (result.language, names(result)) == ("en", ["none", "en", "none"])


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier.from_pretrained("embedded")


def long_clips(language, n_clips, least_s):
    rows = [row for row in speech_rows("dev") if row["language"] == language]
    rows = [row for row in rows if float(row["seconds"]) >= least_s]
    waves = [load_audio(SPEECH / row["file_name"])[0] for row in rows[:n_clips]]
    return [0.05 * wave / np.sqrt(np.mean(wave**2)) for wave in waves]


@needs_speech
def test_real_speakers_of_two_languages(identifier):
    right_s = unsmoothed_right_s = total_s = n_told = n_islands = n = 0
    for first, second in itertools.permutations(("en", "fr", "de"), 2):
        for a, b in zip(long_clips(first, 2, 8), long_clips(second, 2, 8), strict=True):
            result = identifier.identify(np.concatenate([a, b]), SAMPLE_RATE)
            border_s = len(a) / SAMPLE_RATE
            for start_s, end_s, language in (
                (0.0, border_s, first),
                (border_s, result.duration_s, second),
            ):
                right_s += sum(
                    max(0.0, min(end_s, s.end_s) - max(start_s, s.start_s))
                    for s in result.segments
                    if s.language == language
                )
                unsmoothed_right_s += sum(
                    2.0 * (max(w.probabilities, key=w.probabilities.get) == language)
                    for w in result.windows
                    if start_s <= w.start_s + 2 < end_s
                )
            total_s += result.duration_s
            n_told += {part.language for part in result.languages} == {first, second}
            n_islands += sum(s.end_s - s.start_s < 2 for s in result.segments[1:-1])
            n += 1
    assert n == 12 and n_islands == 0
    assert right_s / total_s >= 0.8
    assert right_s > unsmoothed_right_s
    assert n_told / n >= 0.6


@needs_speech
def test_real_sentences_within_minutes_of_silence(identifier):
    rng = np.random.default_rng(0)
    room = rng.normal(0, 1e-4, 300 * SAMPLE_RATE).astype(np.float32)
    heard = []
    for language in ("en", "de"):
        recording = room.copy()
        recording[100 * SAMPLE_RATE :][: 5 * SAMPLE_RATE] += long_clips(language, 1, 5)[0][
            : 5 * SAMPLE_RATE
        ]
        heard.append(identifier.identify(recording, SAMPLE_RATE))
    for result in heard:
        assert result.language != "none"
        assert any("s of speech in 5 min 0 s" in warning for warning in result.warnings)
        assert result.segments[0].language == result.segments[-1].language == "none"
    assert identifier.identify(room, SAMPLE_RATE).language == "none"
