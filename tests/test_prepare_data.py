"""prepare_data.py from the command line to the dataset on disk."""

import subprocess
import sys
from pathlib import Path

import datasets
import pytest
import soundfile
from helpers_recordings import record, write_metadata

import prepare_data
from langid import builder

ROOT = Path(prepare_data.__file__).parent


def prepare(*arguments) -> int:
    return prepare_data.main([str(argument) for argument in arguments])


def read_back(path: Path) -> datasets.DatasetDict:
    """The dataset as the training reads it: audio as bytes."""
    return datasets.load_from_disk(path).cast_column("audio", datasets.Audio(decode=False))


def audiofolder(folder: Path) -> Path:
    """Two languages in two splits, with a clip for most reasons to be left out."""
    rows = []

    def add(name, language, split, speaker, **more):
        rows.append(
            {"file_name": name, "language": language, "split": split, "speaker": speaker, **more}
        )

    record(folder / "a.opus", seed=1, duration_s=2)
    add("a.opus", "fr", "train", "anna", licence="CC0-1.0", transcript="Bonjour.")
    record(folder / "b.wav", seed=2, duration_s=1.5, sample_rate=44100)
    add("b.wav", "de", "train", "bert", synthetic="1")
    record(folder / "c.flac", seed=3)
    add("c.flac", "fr", "dev", "carl", source="radio")
    record(folder / "c-again.wav", seed=3)
    add("c-again.wav", "fr", "train", "anna")
    record(folder / "a-other.flac", seed=4)
    add("a-other.flac", "fr", "train", "anna")
    record(folder / "z-same.wav", seed=4)
    add("z-same.wav", "fr", "train", "anna")
    record(folder / "z-torn.wav", seed=4)
    add("z-torn.wav", "de", "train", "bert")
    record(folder / "short.wav", seed=5, duration_s=0.4)
    add("short.wav", "it", "train", "ida")
    (folder / "text.mp3").write_text("not audio")
    add("text.mp3", "fr", "train", "anna")
    add("gone.wav", "fr", "train", "anna")
    write_metadata(folder, rows)
    return folder


def test_an_audiofolder_becomes_a_dataset(tmp_path, capsys):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "deep" / "out"
    assert prepare("folder", source, "--output", output) == 0

    splits = read_back(output)
    assert set(splits) == {"train", "validation"}
    features = datasets.load_from_disk(output)["train"].features
    assert list(features) == [
        *("audio", "language", "speaker_id", "source"),
        *("licence", "synthetic", "duration_s", "transcript"),
    ]
    assert features["audio"] == datasets.Audio(sampling_rate=16_000)
    assert features["language"].names == ["de", "fr"]  # of Italian, no clip was usable

    rows = {row["audio"]["path"]: row for row in splits["train"]}
    assert sorted(rows) == ["a-other.flac", "a.opus", "b.flac"]
    opus = rows["a.opus"]
    assert opus["audio"]["bytes"] == (source / "a.opus").read_bytes()
    assert opus["duration_s"] == pytest.approx(2, abs=0.05)
    del opus["audio"], opus["duration_s"]
    assert opus == {
        "language": 1,
        "speaker_id": "anna",
        "source": "mine",
        "licence": "CC0-1.0",
        "synthetic": False,
        "transcript": "Bonjour.",
    }
    assert rows["b.flac"]["synthetic"] is True
    assert rows["b.flac"]["licence"] is None
    assert [row["source"] for row in splits["validation"]] == ["radio"]

    report = " ".join(capsys.readouterr().out.split())
    assert "all 3 2 0.00 1 1 0.00" in report
    for line in (
        "1 same audio as a clip in validation: c-again.wav",
        "1 same audio as another clip: z-same.wav",
        "1 same audio as a clip of another language: z-torn.wav",
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
    assert {split: one[split].to_list() for split in one} == {
        split: two[split].to_list() for split in two
    }


def test_long_recordings_are_cut(tmp_path):
    record(tmp_path / "src" / "fr" / "a.wav", seed=1, duration_s=2.5)
    output = tmp_path / "out"
    assert prepare("folder", tmp_path / "src", "--output", output, "--max-duration-s", 1) == 0
    rows = read_back(output)["train"]
    assert [audio["path"] for audio in rows["audio"]] == [f"a-000{i}.flac" for i in range(3)]
    assert rows["duration_s"][:] == [1.0, 1.0, 0.5]


def test_filters_from_the_command_line(tmp_path):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out"
    options = ("--no-synthetic", "--exclude-licences", "UNSTATED,x", "--licences", "cc0*,CC-BY*")
    assert prepare("folder", source, "--output", output, *options) == 0
    splits = read_back(output)
    assert {split: len(splits[split]) for split in splits} == {"train": 1}


def test_an_existing_output_is_refused_unless_overwritten(tmp_path, capsys):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out"
    assert prepare("folder", source, "--output", output) == 0
    assert prepare("folder", source, "--output", output) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert prepare("folder", source, "--output", output, "--overwrite", "--no-synthetic") == 0
    assert len(read_back(output)["train"]) == 2


def test_a_folder_that_is_no_dataset_is_never_overwritten(tmp_path, capsys):
    source = audiofolder(tmp_path / "mine")
    assert prepare("folder", source, "--output", source, "--overwrite") == 2
    assert "something else than a dataset" in capsys.readouterr().err
    assert (source / "a.opus").is_file()
    assert prepare("folder", source, "--output", source / "a.opus", "--overwrite") == 2


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_what_was_there(tmp_path, monkeypatch, capsys, overwrite):
    source, output = audiofolder(tmp_path / "mine"), tmp_path / "out" / "data"
    if overwrite:
        assert prepare("folder", source, "--output", output) == 0
    encode_clip, done = builder.encode_clip, []

    def interrupted(path, **limits):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(path)
        return encode_clip(path, **limits)

    monkeypatch.setattr(builder, "encode_clip", interrupted)
    assert prepare("folder", source, "--output", output, "--overwrite") == 130
    assert "nothing was written" in capsys.readouterr().err
    assert [path.name for path in output.parent.iterdir()] == ["data"] * overwrite
    assert not overwrite or len(read_back(output)["train"]) == 3


def test_a_speaker_in_two_splits_stops_before_anything_is_written(tmp_path, capsys):
    rows = []
    for number, split in enumerate(("train", "dev")):
        record(tmp_path / "src" / f"{number}.wav", seed=number)
        rows.append(
            {"file_name": f"{number}.wav", "language": "fr", "split": split, "speaker": "anna"}
        )
    write_metadata(tmp_path / "src", rows)
    assert prepare("folder", tmp_path / "src", "--output", tmp_path / "out") == 2
    assert "Speaker 'anna' is in both" in capsys.readouterr().err
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
