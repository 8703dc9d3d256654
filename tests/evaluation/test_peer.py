"""A Whisper model beside ours, by a small fake with the same interface."""

import numpy as np
import pytest
import soundfile

from langid.evaluation import peer as peer_module
from langid.evaluation.peer import WhisperIdentifier, evaluate_peer
from langid.evaluation.text import format_report
from langid.identifier import LanguageIdentifier

LABELS = ("en", "fr", "de", "es", "it", "other", "none")


class ConstantWhisper:
    """Reads its answer off the loudness: 0.1 English, 0.2 French, 0.3 Polish, 0 no speech."""

    languages = ("en", "fr", "nl", "pl")
    weights_bytes = 7

    def __init__(self, *_, **__):
        self.n_encoded = 0

    def encode(self, waveform):
        self.n_encoded += 1
        return float(np.abs(waveform).mean())

    def log_posteriors(self, level):
        p = np.array([0.1, 0.1, 0.1, 0.1])
        p[{0.1: 0, 0.2: 1, 0.3: 3}.get(round(level, 2), 2)] = 0.7
        return np.log(p)

    def no_speech(self, level, language):
        return 0.9 if level < 0.05 else 0.1


def identify(level, seconds=5.0):
    whisper = ConstantWhisper()
    identifier = WhisperIdentifier(whisper, "fake", LABELS, window_s=4.0, hop_s=2.0)
    waveform = np.full(round(seconds * 16_000), level, np.float32)
    return identifier._answer(waveform), identifier, whisper


def test_probabilities_are_those_of_whisper_in_our_classes():
    answer, *_ = identify(0.1)
    assert answer.language == "en" and answer.duration_s == 5.0
    assert answer.probabilities == pytest.approx(
        {"en": 0.63, "fr": 0.09, "de": 0, "es": 0, "it": 0, "other": 0.18, "none": 0.1}
    )
    assert identify(0.3)[0].language == "other"
    assert identify(0.0)[0].language == "none"


def test_windows_are_extra_and_their_time_does_not_count():
    answer, identifier, whisper = identify(0.2)
    assert [(w.start_s, w.end_s) for w in answer.windows] == [(0.0, 4.0), (1.0, 5.0)]
    assert whisper.n_encoded == 3 and identifier.windows_s > 0


def test_posteriors_of_the_chunks_of_a_long_recording_are_multiplied():
    answer, _, whisper = identify(0.1, seconds=60.0)
    p = np.array([0.49, 0.01, 0.01, 0.01]) / 0.52
    assert answer.probabilities["en"] == pytest.approx(0.9 * p[0])
    assert answer.probabilities["other"] == pytest.approx(0.9 * (p[2] + p[3]))


def test_both_models_stand_in_one_report(tmp_path, monkeypatch):
    monkeypatch.setattr(peer_module, "Whisper", ConstantWhisper)
    for language, level in (("en", 0.1), ("fr", 0.2), ("pl", 0.3)):
        (tmp_path / language).mkdir()
        soundfile.write(tmp_path / language / "a.wav", np.full(32_000, level), 16_000)
    identifier = LanguageIdentifier.from_pretrained("embedded")
    report = evaluate_peer("some/fake", identifier, tmp_path, None)
    assert report.clip_accuracy == 1 and report.other_recall == 1
    assert report.model == "fake" and report.n_parameters is None
    assert report.processing_s > 0 and report.real_time_factor > 0
    assert "clip accuracy" in format_report(report)
