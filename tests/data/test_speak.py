"""Synthetic speech from sentences."""

import csv
import shutil
import subprocess
from collections import Counter

import pytest
import soundfile

import prepare_data
from langid.data import speak
from langid.data.folder import read_folder
from langid.data.speak import mbrola_voices, plan_readings, read_sentences
from langid.data.utterance import ReasonCounts
from langid.errors import DataError

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (apt install espeak-ng)"
)


@pytest.fixture
def sentences(tmp_path):
    folder = tmp_path / "sentences"
    folder.mkdir()
    (folder / "fr.txt").write_text("Il fait beau.\n\nOù est la gare ?\n", encoding="utf-8")
    (folder / "de.txt").write_text("Die Straße ist nass.\nWo ist der Bahnhof?\nJa!\n", "utf-8")
    return folder


def test_sentences_are_read_by_language_without_blank_and_repeated_lines(tmp_path):
    (tmp_path / "French.txt").write_text("\ufeffUn.\n \nDeux.\nUn.\n", encoding="utf-8")
    (tmp_path / "en-us.txt").write_text("One.")
    (tmp_path / "fra.txt").write_text("Trois.\nDeux.")
    assert read_sentences(tmp_path) == {"fr": ["Un.", "Deux.", "Trois."], "en-us": ["One."]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\n \n", "holds no sentence"), (b"\xe4", "not UTF-8"), (b"a " * 300, "over 500 char")],
)
def test_bad_sentence_files(tmp_path, content, sentence):
    (tmp_path / "fr.txt").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_sentences(tmp_path)


def test_an_interruption_is_told_in_one_line(sentences, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare_data, "speak", interrupted)
    assert prepare_data.main(["speak", str(sentences), "--output", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "Interrupted: nothing was written.\n"


def test_no_sentence_files(tmp_path):
    with pytest.raises(DataError, match="No sentences in"):
        read_sentences(tmp_path)


def test_the_plan_is_balanced_over_languages_voices_and_sentences():
    lines = {"fr": [f"f{i}" for i in range(10)], "de": [f"d{i}" for i in range(7)]}
    voices = {language: ["m1", "f1", "m2", "f2"] for language in lines}
    plan = list(plan_readings(lines, voices, n_clips=1000, seed=0))
    assert Counter(reading.language for reading in plan) == {"fr": 28, "de": 28}
    german = [reading for reading in plan if reading.language == "de"]
    assert Counter(reading.voice for reading in german) == {"m1": 7, "f1": 7, "m2": 7, "f2": 7}
    assert set(Counter((r.sentence, r.voice) for r in plan).values()) == {1}
    assert len({(reading.pitch, reading.rate_wpm) for reading in plan}) > 40
    assert plan == list(plan_readings(lines, voices, 1000, seed=0))
    assert plan != list(plan_readings(lines, voices, 1000, seed=1))
    assert len(list(plan_readings(lines, voices, 5, seed=0))) == 10


@needs_espeak
@pytest.mark.parametrize(("name", "codec"), [("opus", "OPUS"), ("flac", "PCM_16")])
def test_the_folder_can_be_prepared(sentences, tmp_path, name, codec):
    output = tmp_path / "voices"
    command = ["speak", str(sentences), "--output", str(output), "--voices", "3"]
    assert prepare_data.main([*command, "--max-clips-per-language", "4", "--format", name]) == 0
    with (output / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["language"] for row in rows) == {"de": 4, "fr": 4}
    for row in rows:
        info = soundfile.info(output / row["file_name"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, codec)
        assert info.duration == pytest.approx(float(row["seconds"]), abs=0.05)
        assert info.duration > 0.3
    clips = read_folder(output, ReasonCounts())
    assert len(clips) == 8
    assert all(clip.synthetic and clip.split == "train" for clip in clips)
    assert {clip.source for clip in clips} == {"espeak_ng"}
    assert {clip.licence for clip in clips} == {"synthetic (espeak-ng, GPL-3.0 engine)"}
    assert {clip.speaker_id for clip in clips} <= {f"espeak_ng:{v}" for v in ("m1", "f1", "m2")}
    assert "Die Straße ist nass." in {clip.transcript for clip in clips}


LISTING = b"""\
Pty Language       Age/Gender VoiceName          File                 Other Languages
 6  pt-br           --/M      brazil-mbrola-1    mb/mb-br1            (pt 8)
 7  it              --/M      italian-mbrola-1   mb/mb-it1            \n\
 7  it              --/F      italian-mbrola-4   mb/mb-it4            \n\
 8  en              --/F      german-mbrola-5    mb/mb-de5-en         \n"""


def test_mbrola_voices_are_those_of_the_language_that_are_installed(monkeypatch):
    def run(*arguments):
        missing = "mb-it1" in arguments
        return subprocess.CompletedProcess(arguments, int(missing), LISTING)

    monkeypatch.setattr(speak, "_run_espeak", run)
    assert mbrola_voices("it") == ["mb-it4"]
    assert mbrola_voices("pt") == mbrola_voices("pt-br") == ["mb-br1"]
    assert mbrola_voices("en") == []


@needs_espeak
def test_without_mbrola_voices_the_sentence_says_how_to_install_them(tmp_path, capsys):
    (tmp_path / "eo.txt").write_text("Bonan tagon.")  # there is none
    command = ["speak", str(tmp_path), "--output", str(tmp_path / "out"), "--mbrola"]
    assert prepare_data.main(command) == 2
    assert "apt install mbrola-" in capsys.readouterr().err


@needs_espeak
def test_mbrola_voices_read_beside_the_others(tmp_path):
    voices = mbrola_voices("it")
    if not voices:
        pytest.skip("no Italian MBROLA voice is installed (apt install mbrola-it4, non-free)")
    (tmp_path / "it.txt").write_text("Dov'è la stazione?\n")
    command = ["speak", str(tmp_path), "--output", str(tmp_path / "out"), "--voices", "1"]
    assert prepare_data.main([*command, "--mbrola"]) == 0
    clips = read_folder(tmp_path / "out", ReasonCounts())
    assert {clip.source for clip in clips} == {"espeak_ng", "mbrola"}
    assert {clip.speaker_id for clip in clips} == {"espeak_ng:m1", *(f"mbrola:{v}" for v in voices)}
    assert {clip.licence for clip in clips if clip.source == "mbrola"} == {
        "synthetic (MBROLA voice, non-commercial)"
    }


@needs_espeak
def test_a_sentence_without_sound_is_left_out_and_named(tmp_path, capsys):
    (tmp_path / "fr.txt").write_text("!\nIl fait beau.\n")
    command = ["speak", str(tmp_path), "--output", str(tmp_path / "out"), "--voices", "1"]
    assert prepare_data.main(command) == 0
    assert "such as '!'" in capsys.readouterr().out
    assert len(read_folder(tmp_path / "out", ReasonCounts())) == 1


@needs_espeak
def test_a_language_that_espeak_lacks(tmp_path, capsys):
    (tmp_path / "klingonese.txt").write_text("nuqneH")
    assert prepare_data.main(["speak", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "cannot speak 'klingonese'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["klingonese.txt"]


@needs_espeak
def test_an_existing_output_is_kept(sentences, capsys):
    assert prepare_data.main(["speak", str(sentences), "--output", str(sentences)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert sorted(path.name for path in sentences.iterdir()) == ["de.txt", "fr.txt"]


def test_without_espeak_the_sentence_says_how_to_install_it(
    sentences, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prepare_data.main(["speak", str(sentences), "--output", str(tmp_path / "out")]) == 2
    assert "apt install espeak-ng" in capsys.readouterr().err
