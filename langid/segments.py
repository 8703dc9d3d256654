"""Window probabilities → stretches of one language, and the languages that hold their own.

The labels of the windows are the most probable path through a hidden Markov model whose states
are the labels and in which every change has one cost (Viterbi, 1967, doi:10.1109/TIT.1967.1054010;
Rabiner, 1989, doi:10.1109/5.18626). Two such models follow one another: speech or none, and then
the languages of the windows with speech as if no silence stood between them.

Costs and evidence are in nats for half a window of audio, the hop of the embedded weights: where
windows overlap more, each counts for the time it adds.
"""

from collections.abc import Sequence

import numpy as np

from langid.windows import (
    aggregate,
    restrict,
    runs,
    speech_log_odds,
    strongest_run,
)

Bounds = Sequence[tuple[float, float]]

# A stretch between two changes must outweigh twice the cost. For speech, once the recording has
# some, that is one window at 88:12: two seconds before a long pause count. For languages it is
# one window at 95:5 or two at 82:18. On concatenated recordings of strangers, one language in one
# recording, 85 islands of a single window became 1; of stretches of 4 to 5 s in another language
# 74 % were kept, where unsmoothed windows showed 66 %.
SPEECH_COST = 1.0
LANGUAGE_COST = 1.5
# A window's least probability of a language, so that one window alone is bounded in its say.
MIN_PROBABILITY = 0.005

# A language beside another holds its own when it has this much speech, this share of it, and when
# the best path without it is so much less probable; twice that where the language with most
# speech is then another than that of all windows together.
OWN_S, OWN_SHARE, OWN_EVIDENCE = 4.0, 0.1, 4.0


def label_windows(
    probabilities: np.ndarray, bounds: Bounds, none_index: int, kept: np.ndarray, answer: int
) -> np.ndarray:
    """The label of each window, (n_windows,) indices, smoothed and in keeping with the answer.

    Parameters
    ----------
    probabilities
        (n_windows, n_labels), over all labels.
    bounds
        The windows' (start_s, end_s), in the order of time.
    kept
        (n_labels,) bool: the labels that may be given. Without ``none`` every window has a
        language, and one without speech that of its neighbours.
    answer
        Label of the recording. With ``none`` no window is speech; otherwise at least the windows
        most like it are. A recording that is all one language is in that of its answer.
    """
    if answer == none_index:
        return np.full(len(probabilities), none_index)
    path = np.full(len(probabilities), none_index)
    spoken = _spoken(probabilities, bounds, none_index, kept)
    scores = _language_scores(probabilities, bounds, none_index, kept)
    path[spoken] = best_path(scores[spoken], LANGUAGE_COST)[0]
    if len(set(path[spoken])) == 1:  # overlaps count differently here and in `aggregate`
        path[spoken] = answer
    return path


def with_languages_of_passages(
    probabilities: np.ndarray,
    bounds: Bounds,
    passages: np.ndarray,
    passage_bounds: Bounds,
    none_index: int,
) -> np.ndarray:
    """The windows, each with the languages of the passage that it lies in.

    A passage in which several languages hold their own says nothing of either; its windows stay
    as they are. How probable speech is remains that of each window.

    Parameters
    ----------
    probabilities
        (n_windows, n_labels), over all labels.
    passages
        (n_passages, n_labels), of the same network on longer stretches, ``passage_bounds``.
    """
    refined = probabilities.copy()
    if not len(passages):
        return refined
    starts_s, ends_s = np.array(bounds).T
    passage_starts_s, passage_ends_s = np.array(passage_bounds).T
    owners = np.searchsorted(passage_starts_s, starts_s, side="right") - 1
    # Passages hold all windows up to the last one's end; merged windows may reach into the next.
    owners[ends_s > passage_ends_s[-1]] = -1
    languages = np.arange(probabilities.shape[1]) != none_index
    for i, passage in enumerate(restrict(passages, languages)):
        inside = np.flatnonzero(owners == i)
        own = probabilities[inside]
        if len(own) and not _are_several(own, [bounds[j] for j in inside], none_index):
            speech = 1 - own[:, [none_index]]
            refined[inside] = np.where(languages, passage * speech, own)
    return refined


def in_keeping(
    refined: np.ndarray, probabilities: np.ndarray, path: np.ndarray | int, none_index: int
) -> np.ndarray:
    """The windows as `with_languages_of_passages` has them where their language is that of the
    ``path``, (n_windows,) or one label for all; the others as they are."""
    languages = np.arange(refined.shape[1]) != none_index
    agreed = np.where(languages, refined, -1).argmax(axis=1) == path
    return np.where(agreed[:, np.newaxis], refined, probabilities)


def _are_several(probabilities: np.ndarray, bounds: Bounds, none_index: int) -> bool:
    """Whether several languages hold their own in these windows."""
    if len(set(np.delete(probabilities, none_index, axis=1).argmax(axis=1))) == 1:
        return False
    everything = np.ones(probabilities.shape[1], dtype=bool)
    answer = int(aggregate(probabilities, none_index).argmax())
    path = label_windows(probabilities, bounds, none_index, everything, answer)
    found = own_languages(path, probabilities, bounds, none_index, everything, answer)
    return len(found) > 1


def speech_spans(
    probabilities: np.ndarray, bounds: Bounds, none_index: int
) -> list[tuple[float, float]]:
    """Where somebody speaks: (start_s, end_s) of the runs of windows with speech, none where the
    recording's answer is none."""
    if aggregate(probabilities, none_index).argmax() == none_index:
        return []
    everything = np.ones(probabilities.shape[1], dtype=bool)
    spoken = _spoken(probabilities, bounds, none_index, everything).tolist()
    return [(start_s, end_s) for i, _, start_s, end_s in runs(spoken, bounds) if spoken[i]]


def own_languages(
    path: np.ndarray,
    probabilities: np.ndarray,
    bounds: Bounds,
    none_index: int,
    kept: np.ndarray,
    answer: int,
) -> dict[int, float]:
    """Labels that hold their own in a path of `label_windows`, and their seconds, most first.

    Parameters as there. With one language alone, that is the answer, with all of the speech;
    where there is no speech, there is none.
    """
    seconds: dict[int, float] = {}
    for first, _, start_s, end_s in runs(path.tolist(), bounds):
        if path[first] != none_index:
            seconds[path[first]] = seconds.get(path[first], 0.0) + end_s - start_s
    if not seconds:
        return {}
    # Rounded, so that a tie is one whatever the order of the sums: the first label leads then.
    ranked = sorted(
        ((label, round(length_s, 6)) for label, length_s in seconds.items()),
        key=lambda item: (-item[1], item[0]),
    )
    total_s = sum(seconds.values())
    rivals = [item for item in ranked[1:] if item[1] >= max(OWN_S, OWN_SHARE * total_s)]
    if rivals:
        scores = _language_scores(probabilities, bounds, none_index, kept)[path != none_index]
        needed = best_path(scores, LANGUAGE_COST)[1]
        needed -= OWN_EVIDENCE * (1 if ranked[0][0] == answer else 2)
        others = ~np.eye(len(kept), dtype=bool)
        rivals = [
            (label, length_s)
            for label, length_s in rivals
            if best_path(np.where(others[label], scores, -np.inf), LANGUAGE_COST)[1] <= needed
        ]
    return dict([ranked[0], *rivals]) if rivals else {answer: total_s}


def _spoken(
    probabilities: np.ndarray, bounds: Bounds, none_index: int, kept: np.ndarray
) -> np.ndarray:
    """(n_windows,) bool, at least one of them true: the windows with speech."""
    if not kept[none_index]:
        return np.ones(len(probabilities), dtype=bool)
    odds = speech_log_odds(probabilities, none_index)
    scores = np.stack([odds, np.zeros_like(odds)], axis=1) * _new_shares(bounds)[:, np.newaxis]
    spoken = best_path(scores, SPEECH_COST)[0] == 0
    if not spoken.any():
        first, end, _ = strongest_run(odds)
        spoken[first:end] = True
    return spoken


def _language_scores(
    probabilities: np.ndarray, bounds: Bounds, none_index: int, kept: np.ndarray
) -> np.ndarray:
    """Log probabilities of the languages that may be given, (n_windows, n_labels), -inf for the
    other labels; a window weighs as much as it holds speech."""
    allowed = kept & (np.arange(len(kept)) != none_index)
    log_p = np.log(np.clip(restrict(probabilities, allowed), MIN_PROBABILITY, None))
    weights = (1 - probabilities[:, none_index]).clip(1e-6) * _new_shares(bounds)
    return np.where(allowed, log_p * weights[:, np.newaxis], -np.inf)


def _new_shares(bounds: Bounds) -> np.ndarray:
    """(n_windows,): seconds that each window adds to those before it, in halves of a window."""
    starts_s = np.array([start_s for start_s, _ in bounds])
    added_s = np.diff(starts_s) / ((bounds[0][1] - bounds[0][0]) / 2)
    return np.concatenate([[1.0], added_s.clip(0, 1)])


def best_path(scores: np.ndarray, cost: float) -> tuple[np.ndarray, float]:
    """The path (n,) with the largest sum of ``scores`` (n, n_states) less the costs of its
    changes, and that sum."""
    origins = np.empty(scores.shape, dtype=int)
    states = np.arange(scores.shape[1])
    total = np.zeros(scores.shape[1])
    for i, row in enumerate(scores):
        best = total.argmax()
        change = total[best] - cost
        origins[i] = np.where(total >= change, states, best)
        total = np.maximum(total, change) + row
    path = np.empty(len(scores), dtype=int)
    state = total.argmax()
    for i in range(len(scores) - 1, -1, -1):
        path[i] = state
        state = origins[i, state]
    return path, float(total.max())
