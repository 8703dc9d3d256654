"""What conditions cost, with answers decided by a clip's level and once by the real model."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.identifier import LABELS, identification

from langid.__main__ import main
from langid.audio import load_audio
from langid.data.folder import read_test_set
from langid.errors import AudioError
from langid.evaluation.conditions import condition_losses
from langid.evaluation.degradation import conditions
from langid.evaluation.evaluate import evaluate_folder
from langid.identifier import LanguageIdentifier

ROOT = Path(__file__).parents[2]
RATE = 16_000


class LevelIdentifier:
    """Loud is English, soft French, and what lasts less than 0.95 s cannot be identified."""

    labels, source, revision, n_parameters, weights_bytes = LABELS, "levels", None, None, None

    def identify_many(self, paths, languages=None):
        for path in reversed(list(paths)):  # the order of the answers is no promise
            waveform, _ = load_audio(path)
            level = np.sqrt(np.mean(waveform**2))
            loud, soft = (0.3, 0.1, 0.6, 0.0), (0.1, 0.3, 0.6, 0.0)
            answer = identification(loud if level > 0.02 else soft)
            yield path, answer if len(waveform) > 0.95 * RATE else AudioError("too short")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    clips = {"en": (0.1, 0.2), "fr": (0.012, 0.011, 0.01), "nl": (0.1,), "noise": (0.1,)}
    for language, levels in clips.items():
        for i, level in enumerate(levels):
            path = tmp_path / "clips" / language / f"{i}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, level * rng.normal(size=RATE), RATE, subtype="FLOAT")
    return tmp_path / "clips"


def test_the_loss_is_that_of_the_languages_mean_recall_in_points(folder):
    losses = condition_losses(LevelIdentifier(), read_test_set(folder), progress=False)
    assert list(losses) == list(conditions())
    assert losses["level −30 dB"] == pytest.approx(50)  # all English clips become French
    assert losses["clipping by 12 dB"] == pytest.approx(50)  # all French clips become loud
    assert losses["speed +6 %"] == pytest.approx(100)  # nothing is identified any more
    assert losses["noise 20 dB"] == losses["small room"] == losses["MP3 32 kbit/s"] == 0


def test_without_clips_in_its_languages_there_is_nothing_to_lose(folder):
    clips = [clip for clip in read_test_set(folder) if clip.language in ("nl", "noise")]
    assert condition_losses(LevelIdentifier(), clips, progress=False) == {}


def test_they_are_part_of_the_report_where_they_are_asked_for(folder):
    (folder / "en" / "2.wav").write_bytes(b"no audio")
    plain = evaluate_folder(IdentifierOfReadable(), folder, progress=False)
    assert plain.conditions is None
    report = evaluate_folder(IdentifierOfReadable(), folder, progress=False, conditions=True)
    assert report.n_failed == 1  # which costs nothing in any condition
    assert report.conditions["level −30 dB"] == pytest.approx(50)
    assert report.conditions["noise 20 dB"] == 0


class IdentifierOfReadable(LevelIdentifier):
    """Leaves files that are no audio as errors."""

    def identify_many(self, paths, languages=None):
        for path in list(paths):
            try:
                yield from super().identify_many([path])
            except AudioError as error:
                yield path, error


def test_the_command_prints_the_losses(folder, monkeypatch, capsys):
    monkeypatch.setattr(LanguageIdentifier, "from_pretrained", lambda *_, **__: LevelIdentifier())
    assert main(["evaluate", str(folder), "--conditions", "--num-proc", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[lines.index("What conditions cost, points of clip accuracy") + 1 :]
    assert [line.split()[-1] for line in table if line.startswith("clipping")] == ["+50.0"]
    with pytest.raises(SystemExit) as exit_:
        main(["evaluate", str(folder), "--conditions", "--num-proc", "0"])
    assert exit_.value.code == 2


def test_processes_share_the_work_and_change_nothing(tmp_path):
    for language, name in (("en", "english"), ("fr", "french"), ("de", "german")):
        waveform, _ = load_audio(ROOT / "examples" / f"{name}.flac")
        for i in range(4):
            path = tmp_path / language / f"{i}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, waveform[i * RATE // 2 :][:RATE], RATE)
    identifier = LanguageIdentifier.from_pretrained("embedded")
    clips = read_test_set(tmp_path)
    alone = condition_losses(identifier, clips, n_processes=1, progress=False)
    assert condition_losses(identifier, clips, n_processes=2, progress=False) == alone
    assert len(alone) == len(conditions())
