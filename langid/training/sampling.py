"""Which clip comes next: balanced over classes, then kinds of source, then speakers.

A corpus that is mostly one language teaches the network that its channel *is* that language, and
a voice with hours of speech that the voice is. Drawing goes down a tree instead: class → source
family → speaker → clip. A family is what stands before the first ``_`` of a source's name, so
that the releases of one crowd-sourced corpus count once; its synthetic clips are a family of their
own. A family's share within its class grows with the square root of its speakers, up to a limit,
and so does that of each language that "other" has in it.

A voice that nobody knows, from a microphone that many have, must not sound like the language that
has most of them: of a family that most languages have in common, no language teaches with more
than `MAX_COMMON_SPEAKERS`. What is left over has no language, but sounds that a teacher names.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np

from langid.languages import NONE, OTHER, languages_of
from langid.training.clips import NO_LABEL, Clips

SYNTHETIC = " (synthetic)"  # ends the name of a family of synthetic clips
MAX_COUNTED_SPEAKERS = 16  # a family of more speakers weighs no more than this
MAX_COMMON_SPEAKERS = 64  # of a language, in a family that most languages have in common


@dataclass(frozen=True)
class Shares:
    """How often what is drawn."""

    other: float = 0.28  # of all windows
    none: float = 0.08
    unlabelled: float = 0.10  # clips without a language, where there are any
    # Of a class's windows, from families that most of the languages have in common: where the
    # channel is the same, only the language tells them apart. With half, and without copies, the
    # few clips of some languages were learnt by heart.
    common: float = 0.35
    synthetic: float = 0.15  # of a language's windows, at most, from synthetic speech
    # Of those in other languages: of most of them there are few voices, or none.
    synthetic_other: float = 0.25


# With speech that teaches its sounds alone: a quarter of all windows, as the shares of the labels
# sum to 1. The units have the most to learn, and new voices teach them more than those that come
# again and again.
TRUNK_SHARES = Shares(unlabelled=1 / 3)


class ClipSampler:
    """Draws clip indices; every draw comes from the generator that is handed in."""

    def __init__(self, clips: Clips, labels: tuple[str, ...], shares: Shares):
        self._tree = _build_tree(clips)
        self._speakers = {
            (label, family): list(speakers.values())
            for label, families in self._tree.items()
            for family, speakers in families.items()
        }
        self._speaker_weights = {
            key: _speaker_weights([clips.languages[indices[0]] for indices in group])
            for key, group in self._speakers.items()
        }
        common = _common_families(self._tree, labels)
        self._classes = np.array(sorted(self._tree))
        weights = np.array([_class_share(i, labels, shares) for i in self._classes])
        self._class_weights = weights / weights.sum()
        self._families = {
            label: _family_weights(
                families, common, shares.common, _synthetic_share(label, labels, shares)
            )
            for label, families in self._tree.items()
        }
        self._companions = {
            index: indices
            for group in self._speakers.values()
            for indices in group
            for index in indices
        }

    def draw(self, rng: np.random.Generator) -> int:
        """Index of a clip."""
        label = self._classes[rng.choice(len(self._classes), p=self._class_weights)]
        families, weights = self._families[label]
        key = label, families[rng.choice(len(families), p=weights)]
        own = self._speaker_weights[key]
        indices = self._speakers[key][rng.choice(len(own), p=own)]
        return indices[rng.integers(len(indices))]

    def probabilities(self) -> np.ndarray:
        """How probable each clip is to be drawn, (n_clips,), summing to 1."""
        p = np.zeros(sum(len(clips) for group in self._speakers.values() for clips in group))
        for label, share in zip(self._classes, self._class_weights, strict=True):
            for family, weight in zip(*self._families[label], strict=True):
                key = label, family
                group = zip(self._speakers[key], self._speaker_weights[key], strict=True)
                for indices, own in group:
                    p[indices] = share * weight * own / len(indices)
        return p

    def companion(self, index: int, rng: np.random.Generator) -> int:
        """Another clip of the same speaker and class, or the same where there is no other."""
        indices = self._companions[index]
        return indices[rng.integers(len(indices))]

    def describe(self, labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Share of each family within each class, for the log."""
        return {
            "unlabelled" if label == NO_LABEL else labels[label]: dict(
                zip(families, weights.round(3).tolist(), strict=True)
            )
            for label, (families, weights) in self._families.items()
        }


def without_excess(clips: Clips, labels: tuple[str, ...], seed: int) -> Clips:
    """``clips`` with at most `MAX_COMMON_SPEAKERS` of each language in each common family.

    Clips of the speakers left over, chosen by ``seed``, lose their label where a teacher has named
    their sounds; the others are left out.
    """
    tree = _build_tree(clips)
    common = _common_families(tree, labels)
    rng = np.random.default_rng(seed)
    excess: list[int] = []
    for language in languages_of(labels):
        for family in sorted(name for name in common if not name.endswith(SYNTHETIC)):
            speakers = tree.get(labels.index(language), {}).get(family, {})
            order = rng.permutation(sorted(speakers))[MAX_COMMON_SPEAKERS:]
            excess += [index for speaker in order for index in speakers[speaker]]
    if excess:
        print(
            f"{len(excess)} clips, of speakers beyond {MAX_COMMON_SPEAKERS} of a language in a "
            "family of sources that most languages have in common, teach no language."
        )
    labels_left = clips.labels.copy()
    labels_left[excess] = NO_LABEL
    heard = clips.posteriors is not None and ~np.isnan(clips.posteriors[:, 0])
    kept = heard | ~np.isin(np.arange(len(clips)), excess)
    return replace(clips, labels=labels_left).select(np.flatnonzero(kept))


def family_of(source: str) -> str:
    """``"common_voice_13"`` → ``"common"``."""
    return source.split("_")[0]


def _build_tree(clips: Clips) -> dict[int, dict[str, dict[str, list[int]]]]:
    tree: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    columns = (clips.labels, clips.sources, clips.speakers, clips.synthetic)
    for i, (label, source, speaker, synthetic) in enumerate(zip(*columns, strict=True)):
        family = family_of(source) + (SYNTHETIC if synthetic else "")
        tree[int(label)][family][speaker].append(i)
    return tree


def _class_share(index: int, labels: tuple[str, ...], shares: Shares) -> float:
    if index == NO_LABEL:
        return shares.unlabelled
    label = labels[index]
    if label == OTHER:
        return shares.other
    if label == NONE:
        return shares.none
    return (1 - shares.other - shares.none) / len(languages_of(labels))


def _synthetic_share(index: int, labels: tuple[str, ...], shares: Shares) -> float:
    is_other = index != NO_LABEL and labels[index] == OTHER
    return shares.synthetic_other if is_other else shares.synthetic


def _common_families(tree: dict, labels: tuple[str, ...]) -> set[str]:
    """Families with several speakers in more than half of the languages."""
    languages = [labels.index(language) for language in languages_of(labels)]
    count: dict[str, int] = defaultdict(int)
    for language in languages:
        for family, speakers in tree.get(language, {}).items():
            count[family] += len(speakers) > 2
    return {family for family, n in count.items() if n > len(languages) / 2}


def _speaker_weights(languages: list[str]) -> np.ndarray:
    """Of speakers, by the language of each: a language weighs the square root of their number."""
    count = Counter(languages)
    weights = np.array([count[language] ** -0.5 for language in languages])
    return weights / weights.sum()


def _family_weights(
    families: dict, common: set[str], common_share: float, synthetic_share: float
) -> tuple[list[str], np.ndarray]:
    names = sorted(families)
    weight = np.array([min(len(families[f]), MAX_COUNTED_SPEAKERS) ** 0.5 for f in names])
    is_synthetic = np.array([f.endswith(SYNTHETIC) for f in names])
    is_common = np.array([f in common for f in names]) & ~is_synthetic
    is_own = ~is_synthetic & ~is_common

    if is_common.any() and is_own.any():
        weight[is_common] *= common_share / weight[is_common].sum()
        weight[is_own] *= (1 - common_share) / weight[is_own].sum()
    else:
        weight[~is_synthetic] /= weight[~is_synthetic].sum() or 1
    if is_synthetic.any() and not is_synthetic.all():
        weight[~is_synthetic] *= 1 - synthetic_share
        weight[is_synthetic] *= synthetic_share / weight[is_synthetic].sum()
    return names, weight / weight.sum()
