"""prepare_data.py from the command line to the dataset on disk."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import soundfile
from helpers.dataset import load as read_back
from helpers.recordings import SAMPLE_RATE, audiofolder, record, waveform, write_metadata

import prepare_data
from langid.data import clips

ROOT = Path(prepare_data.__file__).parent


def prepare(*arguments) -> int:
    return prepare_data.main([str(argument) for argument in arguments])


def test_an_audiofolder_becomes_a_dataset(tmp_path, capsys):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "deep" / "out"
    assert prepare("folder", source, "--output", output) == 0

    splits = read_back(output)
    assert set(splits) == {"train", "validation"}
    assert splits["train"].features["language"].names == ["de", "fr", "it"]

    rows = {row["audio"]["path"]: row for row in splits["train"]}
    assert sorted(rows) == ["a-other.flac", "a.opus", "b.flac"]
    opus = rows["a.opus"]
    assert opus["audio"]["bytes"] == (source / "a.opus").read_bytes()
    assert opus["duration_s"] == pytest.approx(2, abs=0.05)
    del opus["audio"], opus["duration_s"]
    assert {name: value for name, value in opus.items() if value is not None} == {
        "language": 1,
        "speaker_id": "mine:anna",
        "source": "mine",
        "licence": "CC0-1.0",
        "synthetic": False,
        "transcript": "Bonjour.",
        "utterance_id": "a",
        "audio_digest": opus["audio_digest"],
    }
    assert rows["b.flac"]["synthetic"] is True
    assert rows["b.flac"]["licence"] is None
    assert [row["source"] for row in splits["validation"]] == ["radio"]

    report = " ".join(capsys.readouterr().out.split())
    assert "all 3 2 0.00 1 1 0.00" in report
    for line in (
        "1 same audio as a clip in validation: c-again.flac",
        "1 same audio as another clip: z-same.flac",
        "1 same audio as a clip of another language: z-torn.flac",
        "1 shorter than 0.5 s: short.wav",
        "1 undecodable: text.mp3",
        "1 missing file: gone.wav",
    ):
        assert line in report
    assert [path.name for path in output.parent.iterdir()] == ["out"]  # nothing half-written


def test_a_folder_of_folders_is_split_by_speaker(tmp_path):
    for seed in range(48):
        language, speaker, take = ("french", "german")[seed % 2], seed // 4, seed // 2 % 2
        path = tmp_path / "src" / language / f"{language}{speaker}" / f"{take}.wav"
        record(path, seed, duration_s=0.6)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 0
    splits = read_back(tmp_path / "out")
    assert splits["train"].features["language"].names == ["de", "fr"]
    assert len(splits["train"]) + len(splits["validation"]) == 48
    assert not set(splits["train"]["speaker_id"]) & set(splits["validation"]["speaker_id"])
    assert set(splits["validation"]["language"]) == {0, 1}


def test_two_processes_give_the_same_dataset_as_one(tmp_path):
    source = audiofolder(tmp_path / "mine")
    for n_processes in (1, 2):
        assert (
            prepare(
                "folder", source, "--output", tmp_path / f"{n_processes}", "--num-proc", n_processes
            )
            == 0
        )
    one, two = read_back(tmp_path / "1"), read_back(tmp_path / "2")
    assert set(one) == {"train", "validation"}
    assert {split: one[split].to_list() for split in one} == {
        split: two[split].to_list() for split in two
    }


def test_a_source_whose_name_is_not_utf_8(tmp_path):
    source = tmp_path / os.fsdecode(b"caf\xe9")
    record(tmp_path / "coffee" / "fr" / "a.wav", seed=1)
    (tmp_path / "coffee").rename(source)
    assert prepare_data.main(["folder", str(source), "--output", str(tmp_path / "out")]) == 0
    assert read_back(tmp_path / "out")["train"]["source"][:] == ["café"]


def test_long_recordings_are_cut(tmp_path):
    record(tmp_path / "src" / "fr" / "a.wav", seed=1, duration_s=2.5)
    output = tmp_path / "out"
    assert prepare("folder", tmp_path / "src", "--output", output, "--max-duration-s", 1) == 0
    rows = read_back(output)["train"]
    assert [audio["path"] for audio in rows["audio"]] == [f"fr/a-000{i}.flac" for i in range(3)]
    assert rows["duration_s"][:] == [1.0, 1.0, 0.5]


def test_what_is_left_of_a_cut_recording_has_no_transcript(tmp_path):
    samples = waveform(seed=1, duration_s=3)
    samples[2 * SAMPLE_RATE :] = 0
    (tmp_path / "src").mkdir()
    soundfile.write(tmp_path / "src" / "a.wav", samples, SAMPLE_RATE)
    row = {"file_name": "a.wav", "language": "fr", "transcript": "All of it."}
    write_metadata(tmp_path / "src", [row])
    output = tmp_path / "out"
    assert prepare("folder", tmp_path / "src", "--output", output, "--max-duration-s", 2) == 0
    (row,) = read_back(output)["train"]
    assert (row["utterance_id"], row["transcript"]) == ("a-0000", None)


def test_filters_from_the_command_line(tmp_path):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out"
    options = ("--no-synthetic", "--exclude-licences", "UNSTATED,x", "--licences", "cc0*,CC-BY*")
    assert prepare("folder", source, "--output", output, *options) == 0
    splits = read_back(output)
    assert {split: len(splits[split]) for split in splits} == {"train": 1}


def test_an_existing_output_is_refused_unless_overwritten(tmp_path, capsys):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out"
    assert prepare("folder", source, "--output", output) == 0
    assert prepare("folder", source, "--output", output) == 0
    assert "up to date: nothing to do" in capsys.readouterr().out
    assert prepare("folder", source, "--output", output, "--no-synthetic") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert prepare("folder", source, "--output", output, "--overwrite", "--no-synthetic") == 0
    assert len(read_back(output)["train"]) == 2


def test_a_folder_that_is_no_dataset_is_never_overwritten(tmp_path, capsys):
    source = audiofolder(tmp_path / "mine")
    assert prepare("folder", source, "--output", source, "--overwrite") == 2
    assert "something else than a finished dataset" in capsys.readouterr().err
    assert (source / "a.opus").is_file()
    assert prepare("folder", source, "--output", source / "a.opus", "--overwrite") == 2


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_what_was_there_and_can_go_on(
    tmp_path, monkeypatch, capsys, overwrite
):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out" / "data"
    if overwrite:
        assert prepare("folder", source, "--output", output, "--no-synthetic") == 0
    encode_clip, done = clips.encode_clip, []

    def interrupted(path, limits):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(path)
        return encode_clip(path, limits)

    command = ("folder", source, "--output", output, "--overwrite")
    with monkeypatch.context() as patch:
        patch.setattr(clips, "encode_clip", interrupted)
        assert prepare(*command) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert output.exists() == overwrite
    assert not overwrite or len(read_back(output)["train"]) == 2
    assert prepare(*command) == 0
    assert len(read_back(output)["train"]) == 3
    assert [path.name for path in output.parent.iterdir()] == ["data"]


def test_ctrl_c_in_a_terminal_ends_all_processes_and_the_build_goes_on(tmp_path):
    for seed in range(400):
        record(tmp_path / "src" / "fr" / f"{seed}.wav", seed, duration_s=3)
    output = tmp_path / "out"
    command = [sys.executable, str(ROOT / "prepare_data.py"), "folder", str(tmp_path / "src")]
    command += ["--output", str(output), "--num-proc", "2"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path
    )
    part = tmp_path / ".out-part" / "dataset" / "data" / "validation-00000.parquet"
    while process.poll() is None and not part.exists():
        threading.Event().wait(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
    _, errors = process.communicate()
    assert (process.returncode, errors.count("\n")) == (130, 1), errors
    assert "the same command goes on" in errors and not output.exists()
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True).returncode == 0
    assert sum(len(rows) for rows in read_back(output).values()) == 400


def test_a_speaker_in_two_splits_stops_before_anything_is_written(tmp_path, capsys):
    rows = []
    for number, split in enumerate(("train", "dev")):
        record(tmp_path / "src" / f"{number}.wav", seed=number)
        rows.append(
            {"file_name": f"{number}.wav", "language": "fr", "split": split, "speaker": "anna"}
        )
    write_metadata(tmp_path / "src", rows)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 2
    assert "Speaker 'src:anna' is in both" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_usable_is_an_error(tmp_path, capsys):
    record(tmp_path / "src" / "fr" / "a.wav", seed=1, duration_s=0.1)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 2
    assert "No usable recording" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_an_output_that_cannot_be_written(tmp_path, capsys):
    source = audiofolder(tmp_path / "mine")
    assert prepare("folder", source, "--output", source / "a.opus" / "out") == 2
    assert "Cannot write" in capsys.readouterr().err


def test_bad_input_is_one_line_and_exit_code_2(tmp_path):
    command = [sys.executable, str(ROOT / "prepare_data.py"), "folder", str(tmp_path / "gone")]
    process = subprocess.run(
        [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "is not a folder" in process.stderr


def test_stored_flac_is_16_bit(tmp_path):
    record(tmp_path / "src" / "fr" / "a.wav", seed=1)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 0
    (tmp_path / "back.flac").write_bytes(read_back(tmp_path / "out")["train"][0]["audio"]["bytes"])
    assert soundfile.info(tmp_path / "back.flac").subtype == "PCM_16"


def test_a_clip_with_little_sound_is_left_out(tmp_path, capsys):
    samples = waveform(seed=1, duration_s=3)
    samples[SAMPLE_RATE // 2 :] //= 4000
    (tmp_path / "src" / "fr").mkdir(parents=True)
    soundfile.write(tmp_path / "src" / "fr" / "quiet.wav", samples, SAMPLE_RATE)
    record(tmp_path / "src" / "fr" / "loud.wav", seed=2, duration_s=3)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out", "--min-speech", 1) == 0
    rows = [row for split in read_back(tmp_path / "out").values() for row in split]
    assert [row["utterance_id"] for row in rows] == ["fr/loud"]
    assert "fr/quiet.wav" in capsys.readouterr().out


def test_datasets_are_merged(tmp_path):
    for name, seed in (("one", 0), ("two", 10)):
        for number in range(2):
            record(tmp_path / name / "fr" / f"{number}.wav", seed + number)
        assert prepare("folder", tmp_path / name, "--output", tmp_path / f"data-{name}") == 0
    both = (tmp_path / "data-one", tmp_path / "data-two")
    assert prepare("merge", *both, "--output", tmp_path / "all", "--num-proc", 2) == 0
    splits = read_back(tmp_path / "all")
    assert sorted(splits["train"]["source"][:]) == ["one", "two"]
    assert sorted(splits["validation"]["source"][:]) == ["one", "two"]


def test_folders_of_one_name_are_told_apart_by_another(tmp_path, capsys):
    for seed, (where, split) in enumerate({"here": "test", "there": "train"}.items()):
        folder = tmp_path / where / "speech"
        record(folder / split / "fr" / "anna" / "0.wav", seed)
        assert prepare("folder", folder, "--output", tmp_path / f"data-{where}") == 0
    both = (tmp_path / "data-here", tmp_path / "data-there")
    assert prepare("merge", *both, "--output", tmp_path / "all") == 2
    assert "--source-name" in capsys.readouterr().err
    command = ("folder", tmp_path / "there" / "speech", "--output", both[1])
    assert prepare(*command, "--overwrite", "--source-name", "elsewhere") == 0
    assert prepare("merge", *both, "--output", tmp_path / "all") == 0
    speakers = {split: rows["speaker_id"][:] for split, rows in read_back(tmp_path / "all").items()}
    assert speakers == {"test": ["speech:anna"], "train": ["elsewhere:anna"]}


def test_shares_that_leave_no_training_data_are_refused(tmp_path, capsys):
    source = audiofolder(tmp_path / "mine")
    shares = ("--validation", 0.5, "--test", 0.5)
    assert prepare("folder", source, "--output", tmp_path / "out", *shares) == 2
    assert "nothing to train on" in capsys.readouterr().err


def test_varieties_of_a_language_are_one_and_the_summary_says_so(tmp_path, capsys):
    for seed, language in enumerate(("en-US", "en", "fr")):
        record(tmp_path / "src" / language / f"{language}.wav", seed)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 0
    assert capsys.readouterr().out.endswith("\nen, en-US: one language, en.\n")
    assert read_back(tmp_path / "out")["train"].features["language"].names == ["en", "fr"]
