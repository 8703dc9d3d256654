from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from helpers.clips import LABELS, clips

from langid.config import ModelConfig
from langid.training import batches
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.clips import NO_LABEL, Clips
from langid.training.sampling import ClipSampler, Shares, family_of, without_excess


def crowd(label, n, first=0):
    return [(label, "crowd_1", f"{label}{first + i}", False) for i in range(n)]


def drawn(rows, n=8000, **shares):
    source = clips(rows)
    sampler = ClipSampler(source, LABELS, Shares(**shares))
    rng = np.random.default_rng(0)
    return Counter(rows[sampler.draw(rng)] for _ in range(n)), n


def test_family_is_the_name_before_the_underscore():
    assert family_of("common_voice_13") == family_of("common_voice_mx") == "common"
    assert family_of("emodb") == "emodb"


def test_a_voice_with_many_clips_does_not_dominate():
    rows = [("en", "one", "loud", False)] * 50 + [("en", "one", "quiet", False)]
    rows += [("fr", "one", "x", False)]
    count, n = drawn(rows, other=0, none=0)
    assert count["en", "one", "quiet", False] / n == pytest.approx(0.25, abs=0.02)


def test_classes_have_their_shares_however_many_clips():
    rows = crowd("en", 100) + crowd("fr", 3) + crowd("other", 9) + crowd("none", 1)
    count, n = drawn(rows, other=0.2, none=0.1)
    by_class = Counter()
    for row, times in count.items():
        by_class[row[0]] += times
    for label, share in {"en": 0.35, "fr": 0.35, "other": 0.2, "none": 0.1}.items():
        assert by_class[label] / n == pytest.approx(share, abs=0.02)


def test_families_that_languages_share_get_their_half_in_each():
    rows = crowd("en", 40) + crowd("fr", 4)
    rows += [("en", f"studio{i}", f"s{i}", False) for i in range(6)]
    rows += [("fr", "opera", "maria", False)]
    count, _ = drawn(rows, common=0.5, other=0, none=0)
    for label in ("en", "fr"):
        own = {row: times for row, times in count.items() if row[0] == label}
        crowd_share = sum(t for row, t in own.items() if row[1] == "crowd_1") / sum(own.values())
        assert crowd_share == pytest.approx(0.5, abs=0.03)


def test_synthetic_speech_is_capped():
    rows = [("en", "robot_a", f"r{i}", True) for i in range(60)] + crowd("en", 2)
    rows += crowd("fr", 2)
    count, _ = drawn(rows, synthetic=0.15, other=0, none=0)
    robots = sum(t for row, t in count.items() if row[3])
    english = sum(t for row, t in count.items() if row[0] == "en")
    assert robots / english == pytest.approx(0.15, abs=0.02)


def test_other_languages_have_their_own_share_of_synthetic_speech():
    rows = [*crowd("en", 4), *crowd("fr", 4), *crowd("other", 4)]
    rows += [("en", "tts", "robot", True), ("other", "tts", "robot", True)]
    count, n = drawn(rows, synthetic=0.1, synthetic_other=0.4, other=0.5, none=0)
    assert count["other", "tts", "robot", True] / n == pytest.approx(0.5 * 0.4, abs=0.02)
    assert count["en", "tts", "robot", True] / n == pytest.approx(0.25 * 0.1, abs=0.02)


def test_only_synthetic_speech_is_still_drawn():
    rows = [("en", "robot_a", "r", True), ("fr", "robot_a", "r2", True)]
    count, n = drawn(rows, other=0, none=0)
    assert count[rows[0]] / n == pytest.approx(0.5, abs=0.03)


def test_one_synthetic_clip_does_not_make_its_family_synthetic():
    rows = crowd("en", 16) + [("en", "studio", f"s{i}", False) for i in range(16)] + crowd("fr", 2)
    rows += [("en", "studio", "s0", True)]
    count, _ = drawn(rows, synthetic=0.15, common=0.5, other=0, none=0)
    english = sum(times for row, times in count.items() if row[0] == "en")
    synthetic = sum(times for row, times in count.items() if row[3])
    studio = sum(times for row, times in count.items() if row[1] == "studio" and not row[3])
    assert synthetic / english == pytest.approx(0.15, abs=0.02)
    assert studio / english == pytest.approx(0.85 / 2, abs=0.03)


def test_no_language_teaches_with_more_crowd_voices_than_the_others_have(monkeypatch):
    monkeypatch.setattr("langid.training.sampling.MAX_COMMON_SPEAKERS", 5)
    rows = crowd("en", 40) + crowd("fr", 4) + crowd("other", 30)
    rows += [("en", "studio", f"s{i}", False) for i in range(9)]
    rows += [("en", "robot_a", f"r{i}", True) for i in range(9)]
    rows += [("fr", "robot_a", f"q{i}", True) for i in range(9)]
    crowded = clips(rows)

    fewer = without_excess(crowded, LABELS, seed=0)
    english = [i for i in range(len(fewer)) if fewer.languages[i] == "en"]
    assert Counter(fewer.sources[i] for i in english) == {"crowd_1": 5, "studio": 9, "robot_a": 9}
    assert len(fewer) == len(rows) - 35

    # A teacher names the sounds of those left over: they stay, without a language.
    taught = replace(crowded, posteriors=np.zeros((len(rows), 2), np.float16))
    unlabelled = without_excess(taught, LABELS, seed=0)
    left_over = unlabelled.labels == NO_LABEL
    assert len(unlabelled) == len(rows) and left_over.sum() == 35
    assert {rows[i][:2] for i in np.flatnonzero(left_over)} == {("en", "crowd_1")}
    sampler = ClipSampler(unlabelled, LABELS, Shares(unlabelled=0.2, other=0.2, none=0.0))
    rng = np.random.default_rng(0)
    share = np.mean([unlabelled.labels[sampler.draw(rng)] == NO_LABEL for _ in range(4000)])
    assert share == pytest.approx(0.2 / 1.2, abs=0.03)
    assert sampler.describe(LABELS)["unlabelled"] == {"crowd": 1.0}


def test_a_language_of_few_speakers_is_heard_more_than_their_number():
    rows = [("other", "crowd_1", f"{i}", False) for i in range(18)]
    source = replace(clips(rows), languages=["nl"] * 16 + ["ia"] * 2)
    sampler = ClipSampler(source, LABELS, Shares(none=0))
    rng = np.random.default_rng(0)
    ia = np.mean([source.languages[sampler.draw(rng)] == "ia" for _ in range(4000)])
    assert ia == pytest.approx(2**0.5 / (16**0.5 + 2**0.5), abs=0.02)
    np.testing.assert_allclose(sampler.probabilities()[16:], 2**0.5 / (16**0.5 + 2**0.5) / 2)


def test_talk_in_the_background_is_drawn_as_windows_are(monkeypatch):
    spoken = [(LABELS[i % 2], "s", f"v{i}", False) for i in range(20)]
    many = clips([*spoken, *(("other", "t", f"w{i}", False) for i in range(400))])
    many = replace(many, labels=np.where(many.labels == 2, NO_LABEL, many.labels))
    heard = []

    def log_mel(self, index, version=0):
        heard.append(index)
        return np.zeros((self.n_frames[index], self.n_mels), np.float16)

    monkeypatch.setattr(Clips, "log_mel", log_mel)
    monkeypatch.setattr(batches, "BACKGROUND_PROBABILITY", 0.0)
    config = ModelConfig(labels=LABELS)
    settings = {"n_steps": 9, "batch_size": 50, "utterance_share": 0.0, "seed": 0}
    made = TrainingBatches(many, config, **settings, shares=Shares(), augmentation=AugmentConfig())
    for step in range(9):
        made[step]
    assert np.mean(np.array(heard) >= 20) < 0.25  # of the clips they are 0.95
