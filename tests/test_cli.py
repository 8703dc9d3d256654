"""python -m langid: in this process with answers decided here, and as a real process."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.identifier import FakeIdentifier, identification

from langid.__main__ import main
from langid.checkpoint import EMBEDDED
from langid.errors import AudioError, WeightsError
from langid.evaluation.readme import README
from langid.evaluation.report import METRICS_FILE, read_report
from langid.identification import LanguageShare
from langid.identifier import LanguageIdentifier
from langid.model import usable_device
from langid.version import VERSION

ROOT = Path(__file__).parents[1]

ANSWERS = {
    "english.wav": identification((0.912, 0.05, 0.03, 0.008), duration_s=4.25),
    "cut.mp3": identification((0.1, 0.7, 0.1, 0.1), warnings=("It is\ncut off.",)),
    "hum.wav": identification((0.0, 0.0, 0.1, 0.9), duration_s=3725.04),
    "text.wav": AudioError("'text.wav' is not audio:\nrecord it again."),
    "-": identification((0.1, 0.6, 0.2, 0.1)),
}


@pytest.fixture
def fake(monkeypatch) -> FakeIdentifier:
    identifier = FakeIdentifier(ANSWERS)

    def from_pretrained(source=None, revision=None, device=None):
        identifier.loaded = (source, revision, device)
        if source == "broken":
            raise WeightsError("broken holds no config.json.")
        if device:
            usable_device(device)
        return identifier

    monkeypatch.setattr(LanguageIdentifier, "from_pretrained", from_pretrained)
    return identifier


def write_tone(path: Path, duration_s: float = 1.0) -> Path:
    time_s = np.arange(round(16_000 * duration_s)) / 16_000
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 220 * time_s), 16_000)
    return path


def run(*arguments: str | os.PathLike, **options) -> subprocess.CompletedProcess:
    """The command as a process of its own, from the root of the repository."""
    command = [sys.executable, "-m", "langid", *map(os.fspath, arguments)]
    environment = os.environ | {"LANGID_MODEL": "embedded", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, **options)


def test_one_line_a_file(fake, capsys):
    assert main(["english.wav", "hum.wav"]) == 0
    out, err = capsys.readouterr()
    assert sorted(out.splitlines()) == [
        "english.wav: English (en), 91.2%, 4.2 s",
        "hum.wav: No speech (none), 90.0%, 3725.0 s",
    ]
    assert err == ""


def test_a_recording_in_two_languages_says_so(fake, capsys):
    shares = [LanguageShare("en", 0.64, 16.0), LanguageShare("fr", 0.36, 9.0)]
    fake.answers = {"two.wav": dataclasses.replace(ANSWERS["english.wav"], languages=shares)}
    assert main(["two.wav"]) == 0
    assert capsys.readouterr().out == "two.wav: English 64 %, French 36 %, 4.2 s\n"


def test_a_failed_file_gives_one_line_on_stderr_and_status_2(fake, capsys):
    assert main(["english.wav", "folder/text.wav"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("english.wav: English")
    assert err == "folder/text.wav: 'text.wav' is not audio: record it again.\n"


def test_warnings_go_to_stderr_and_are_no_failure(fake, capsys):
    assert main(["cut.mp3"]) == 0
    out, err = capsys.readouterr()
    assert out == "cut.mp3: French (fr), 70.0%, 4.0 s\n"
    assert err == "cut.mp3: warning: It is cut off.\n"


def test_json_is_one_object_a_line_with_the_whole_answer(fake, capsys):
    assert main(["--json", "english.wav", "text.wav", "hum.wav"]) == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_file = {row.pop("file"): row for row in rows}
    assert by_file == {name: ANSWERS[name].to_dict() for name in ("english.wav", "hum.wav")}


def test_timeline_lists_the_segments(fake, capsys):
    assert main(["--timeline", "hum.wav"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["  0:00:00.0 – 1:02:05.0  No speech (none), 90.0%"]


def test_the_audio_track_reaches_the_identifier(fake):
    assert main(["--audio-track", "2", "english.wav"]) == 0
    assert fake.asked_audio_track == 2


def test_model_options_reach_the_loader(fake):
    assert main(["--model", "user/name", "--revision", "v2", "--device", "cpu", "hum.wav"]) == 0
    assert fake.loaded == ("user/name", "v2", "cpu")


@pytest.mark.parametrize(
    ("text", "languages"),
    [("en,fr", ("en", "fr")), ("French, Another language,en_GB", ("en", "fr", "other"))],
)
def test_candidates_are_codes_names_or_labels(fake, text, languages):
    assert main(["--languages", text, "hum.wav"]) == 0
    assert fake.asked_languages == languages


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--languages", "xx", "hum.wav"],
            "The model cannot answer 'xx': choose ",
        ),
        (["--languages", "de", "hum.wav"], "The model cannot answer 'de': choose among "),
        (["--model", "broken", "hum.wav"], "broken holds no config.json."),
        (["--device", "moon", "hum.wav"], "The device 'moon' cannot be used: Expected one of cpu"),
        (["--device", "meta", "hum.wav"], "The device 'meta' cannot be used: "),
        (["evaluate", "nowhere"], "nowhere is not a folder"),
        (["evaluate", "nowhere", "--model", "broken"], "broken holds no config.json."),
        (["evaluate", ".", "--json", "nowhere/out.json"], "There is no folder nowhere"),
        (["bench", "--model", "broken"], "broken holds no config.json."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_2(fake, capsys, arguments, sentence):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence) and err.count("\n") == 1


def test_an_error_of_the_loader_without_a_device_is_not_hidden(monkeypatch):
    def from_pretrained(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr(LanguageIdentifier, "from_pretrained", from_pretrained)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["a.wav"])


def test_standard_input_is_called_dash(fake, capsys):
    assert main(["-"]) == 0
    assert capsys.readouterr().out == "-: French (fr), 60.0%, 4.0 s\n"


def test_closed_standard_input_is_a_sentence(fake, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["-"]) == 2
    assert "Standard input is closed" in capsys.readouterr().err


def test_interrupted_is_status_130(fake, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fake, "identify_many", interrupt)
    assert main(["hum.wav"]) == 130


def test_evaluate_prints_tables_and_writes_json(fake, capsys, tmp_path):
    (tmp_path / "metadata.csv").write_text(
        "file_name,language,split\nenglish.wav,en,dev\nhum.wav,noise,dev\ntext.wav,fr,dev\n"
    )
    for name in ("english.wav", "hum.wav", "text.wav"):
        (tmp_path / name).touch()
    out_path = tmp_path / "out.json"
    assert main(["evaluate", str(tmp_path), "--split", "dev", "--json", str(out_path)]) == 0
    report = json.loads(out_path.read_text())
    assert (report["n_clips"], report["n_failed"], report["none_recall"]) == (2, 1, 1.0)
    assert report["split"] == "dev"
    out = capsys.readouterr().out
    assert "clip accuracy           1.000" in out
    assert "text.wav: 'text.wav' is not audio" in out


def test_evaluate_of_an_unwritable_report_still_says_so_in_a_sentence(fake, capsys, tmp_path):
    (tmp_path / "metadata.csv").write_text("file_name,language\nhum.wav,noise\n")
    (tmp_path / "hum.wav").touch()
    assert main(["evaluate", str(tmp_path), "--json", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"Cannot write {tmp_path}")
    assert "none recall             1.000" in out


@pytest.fixture
def weights(tmp_path, fake, monkeypatch) -> Path:
    """A copy of the embedded weights, which answer as is decided here, and clips to evaluate."""
    folder = shutil.copytree(EMBEDDED, tmp_path / "weights")
    fake.source = str(folder)
    (tmp_path / "metadata.csv").write_text("file_name,language\nenglish.wav,en\nhum.wav,noise\n")
    for name in ("english.wav", "hum.wav"):
        (tmp_path / name).touch()
    return folder


def test_evaluate_replaces_the_figures_beside_the_weights(weights, tmp_path):
    training = read_report(weights / METRICS_FILE).training
    readme = README.read_text(encoding="utf-8")
    assert main(["evaluate", str(tmp_path), "--update-card"]) == 0
    report = read_report(weights / METRICS_FILE)
    assert (report.n_clips, report.folder, report.training) == (2, tmp_path.name, training)
    card = (weights / "README.md").read_text(encoding="utf-8")
    assert "Measured on 2 recordings. " in card and "common_voice_13" in card
    for name in ("confusion.png", "calibration.png"):
        assert (weights / name).read_bytes() != (EMBEDDED / name).read_bytes()
    assert README.read_text(encoding="utf-8") == readme  # of the embedded weights only


def test_evaluate_replaces_the_figures_of_readme_with_the_embedded_weights(
    weights, tmp_path, monkeypatch
):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- figures: summary -->\n<!-- end -->\n")
    monkeypatch.setattr("langid.checkpoint.EMBEDDED", weights)
    monkeypatch.setattr("langid.evaluation.readme.README", readme)
    assert main(["evaluate", str(tmp_path), "--update-card"]) == 0
    assert readme.read_text().startswith("<!-- figures: summary -->\nOn 1 recordings")


def test_figures_can_be_replaced_only_beside_weights_on_disk(fake, capsys, tmp_path):
    assert main(["evaluate", str(tmp_path), "--update-card"]) == 2
    assert "--update-card needs weights in a folder" in capsys.readouterr().err


def test_help_names_the_subcommands_and_the_way_around_their_names(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert "langid evaluate FOLDER" in out and "langid bench" in out and "./evaluate" in out


@pytest.mark.parametrize("command", ["evaluate", "bench"])
def test_subcommands_have_a_help_of_their_own(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"python -m langid {command}" in capsys.readouterr().out


def test_help_does_not_wait_for_torch():
    code = "import sys, langid.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"langid {VERSION}\n"


def test_no_file_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    assert "FILE" in capsys.readouterr().err


def test_real_process_with_odd_names_a_missing_file_and_a_pipe(tmp_path):
    odd = write_tone(tmp_path / "a b é.wav")
    evaluate = write_tone(tmp_path / "evaluate.wav").rename(tmp_path / "evaluate")
    done = run("--json", odd, evaluate, "missing.wav", "-", input=odd.read_bytes())
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "missing.wav: There is no file 'missing.wav': check the path."
    ]
    rows = {row["file"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == {str(odd), str(evaluate), "-"}
    assert rows[str(odd)]["probabilities"] == rows["-"]["probabilities"]
    assert rows["-"]["duration_s"] == 1.0


def test_real_process_ends_silently_when_its_reader_goes(tmp_path):
    path = write_tone(tmp_path / "a.wav")
    command = [sys.executable, "-m", "langid", *[str(path)] * 40]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(os.name != "posix", reason="file names are text on this system")
def test_real_process_with_a_name_that_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    Path(os.fsdecode(path)).write_bytes(write_tone(tmp_path / "a.wav").read_bytes())
    done = run("--json", os.fsdecode(path), os.fsdecode(path + b"x"))
    assert done.returncode == 2
    assert json.loads(done.stdout)["file"].endswith("\udcff.wav")
    assert len(done.stderr.splitlines()) == 1
