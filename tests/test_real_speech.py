"""The embedded weights on real recordings of strangers, where there are any.

Set LANGID_SPEECH to an audiofolder with metadata.csv and a dev split to run this elsewhere.
"""

import numpy as np
import pytest
from helpers.speech import SPEECH, needs_speech, speech_rows

from langid import LanguageIdentifier

LANGUAGES = ("en", "fr", "de", "es", "it")
N_PER_LANGUAGE = 20

pytestmark = needs_speech


@pytest.fixture(scope="module")
def answers():
    """Language → answers to the same few clips every time."""
    rows = speech_rows("dev")
    identifier = LanguageIdentifier.from_pretrained("embedded")
    rng = np.random.default_rng(0)
    heard = {}
    for language in LANGUAGES:
        clips = sorted(row["file_name"] for row in rows if row["language"] == language)
        chosen = rng.choice(clips, min(N_PER_LANGUAGE, len(clips)), replace=False)
        paths = [SPEECH / name for name in chosen]
        heard[language] = [answer for _, answer in identifier.identify_many(paths)]
    return heard


def test_strangers_are_understood(answers):
    """Far above chance, and a little under the published figure: 20 clips a language are few."""
    recalls = {}
    for language, results in answers.items():
        best = [max(LANGUAGES, key=result.probabilities.get) for result in results]
        recalls[language] = best.count(language) / len(best)
    assert np.mean(list(recalls.values())) >= 0.7, recalls
    assert min(recalls.values()) >= 0.5, recalls


def test_answers_hold_together(answers):
    for result in (answer for results in answers.values() for answer in results):
        assert sum(result.probabilities.values()) == pytest.approx(1)
        assert result.confidence == max(result.probabilities.values())
        assert result.windows[0].start_s == 0
        assert result.segments[-1].end_s == pytest.approx(result.duration_s, abs=0.01)
        assert not result.warnings or result.active_s < 1 < result.duration_s
