"""The whole way: archives on a server, a dataset, weights, an answer."""

import json

import numpy as np
import pytest
from helpers.speech import HAS_SPEECH, speakers
from helpers.training import cache_in, melodies
from helpers.voxforge import Corpus
from helpers.voxforge_server import VoxForgeServer

import prepare_data
import train
from langid import LanguageIdentifier

LANGUAGES = ("en", "fr", "de", "es", "it") if HAS_SPEECH else ("en", "fr")
N_SPEAKERS, N_CLIPS, MAX_S = 12, 2, 6.0


def voices(language: str) -> list[list[tuple[np.ndarray, str]]]:
    """Of each speaker clips with transcripts: real speech where there is some, else melodies."""
    if HAS_SPEECH:
        return speakers(language, N_SPEAKERS, N_CLIPS, MAX_S)
    return [[(clip, "") for clip in clips] for clips in melodies(language, N_SPEAKERS, N_CLIPS)]


@pytest.mark.slow
def test_from_archives_to_weights(tmp_path):
    corpus = Corpus(tmp_path / "made")
    for language in LANGUAGES:
        for number, clips in enumerate(voices(language)):
            names = [f"{language}{i:03d}" for i in range(len(clips))]
            corpus.add(
                language,
                f"{language}voice{number}-20080{1 + number % 9}01-abc",
                *(waveform for waveform, _ in clips),
                prompts=dict(zip(names, (text for _, text in clips), strict=True)),
            )
    named = ("--languages", ",".join(LANGUAGES))
    data, run = str(tmp_path / "voxforge"), str(tmp_path / "run")
    with VoxForgeServer(corpus.tree) as server, cache_in(tmp_path / "cache"):
        base = ("--base-url", server.base_url)
        assert prepare_data.main(["voxforge", "--output", data, *named, *base]) == 0
        steps = ("--steps", "12", "--validate-every", "6", "--batch-size", "16")
        # On real speech the embedded weights go on learning: mixed-up labels would ruin them.
        init = ("--init", "embedded", "--learning-rate", "0.0002") if HAS_SPEECH else ()
        assert train.main(["--data", data, "--output", run, *named, *steps, *init]) == 0

    card = (tmp_path / "run" / "README.md").read_text()
    assert "| voxforge |" in card and "GPL-3.0-or-later" in card
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["n_clips"] >= len(LANGUAGES)
    assert not HAS_SPEECH or metrics["clip_accuracy"] >= 0.6  # 0.2 is chance
    identifier = LanguageIdentifier.from_pretrained(run)
    assert identifier.labels == (*LANGUAGES, "none")  # the archives hold no other language
    answer = identifier.identify(voices("fr")[0][0][0], sample_rate=16_000)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert np.isfinite(list(answer.probabilities.values())).all()
