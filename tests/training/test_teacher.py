"""Whisper as a teacher; the real one where a model is at hand (LANGID_TEACHER names it)."""

import builtins
import os

import numpy as np
import pytest

from langid.errors import TeacherError
from langid.training.teacher import WhisperTeacher, pool_states

MODEL = os.environ.get("LANGID_TEACHER", "")


def test_neighbouring_states_are_averaged():
    states = np.array([[0, 2], [2, 4], [5, 5], [7, 7], [99, 99]], np.float32)
    assert pool_states(states).tolist() == [[1, 3], [6, 6]]


def test_a_missing_library_is_one_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name.split(".")[0] in ("faster_whisper", "ctranslate2"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TeacherError, match="pip install faster-whisper"):
        WhisperTeacher("base")


def test_a_folder_without_a_model_is_one_sentence(tmp_path):
    pytest.importorskip("faster_whisper")
    with pytest.raises(TeacherError, match="holds no model"):
        WhisperTeacher(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"none")
    with pytest.raises(TeacherError, match="can load"):
        WhisperTeacher(str(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(not MODEL, reason="LANGID_TEACHER names no Whisper model")
def test_a_real_pass_gives_states_every_40_ms_and_99_languages():
    pytest.importorskip("faster_whisper")
    teacher = WhisperTeacher(MODEL)
    assert len(teacher.languages) == 99 and {"en", "it", "haw"} <= set(teacher.languages)
    rng = np.random.default_rng(0)
    for seconds, n_states in ((0.3, 7), (2.0, 50), (31.0, 775)):
        waveform = 0.1 * rng.standard_normal(round(seconds * 16_000)).astype(np.float32)
        states, posteriors = teacher.infer(waveform)
        assert states.shape[1] == teacher.state_size and states.dtype == np.float32
        assert abs(len(states) - n_states) <= 1
        assert np.exp(posteriors).sum() == pytest.approx(1, abs=0.01)
