"""Whisper as a transcriber, the command, and training on its transcripts."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.dataset import finish, load, utterance, write_dataset, write_shards
from helpers.training import cache_in
from helpers.transcriber import FirstSample

import prepare_data
from langid.audio import load_audio
from langid.data.store import shard_paths
from langid.errors import TeacherError
from langid.training import transcriber
from langid.training.datasets import load_splits
from langid.training.transcriber import WhisperTranscriber

EXAMPLES = Path(prepare_data.__file__).parent / "examples"
MODEL = os.environ.get("LANGID_TEACHER", "")
needs_whisper = pytest.mark.skipif(not MODEL, reason="LANGID_TEACHER names no Whisper model")


@pytest.fixture(autouse=True)
def own_cache(tmp_path):
    with cache_in(tmp_path / "cache"):
        yield


def transcribe(*arguments):
    return prepare_data.main(["transcribe", *map(str, arguments)])


def test_the_command_makes_a_dataset_and_finds_it_done(tmp_path, monkeypatch, capsys):
    heard = FirstSample()
    monkeypatch.setattr(transcriber, "open_transcriber", lambda model: heard)
    folder, output = write_dataset(tmp_path / "in"), tmp_path / "out"
    arguments = (folder, "--output", output, "--min-confidence", "0.4")
    assert transcribe(*arguments) == 0
    rows = [row for split in load(output).values() for row in split]
    assert len(rows) == 6 and all(row["transcript"] for row in rows)
    assert "4  transcribed by whisper-of-tests" in capsys.readouterr().out
    assert "4 by whisper-of-tests" in (output / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "cache" / "transcripts.sqlite").is_file()
    assert transcribe(*arguments) == 0
    assert heard.n_calls == 4 and "nothing to do" in capsys.readouterr().out


def test_another_model_of_the_same_name_makes_it_anew(tmp_path, monkeypatch, capsys):
    heard = FirstSample()
    monkeypatch.setattr(transcriber, "open_transcriber", lambda model: heard)
    arguments = (write_dataset(tmp_path / "in"), "--output", tmp_path / "out")
    assert transcribe(*arguments) == 0
    heard.fingerprint = "first sample 2"
    assert transcribe(*arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert transcribe(*arguments, "--overwrite") == 0
    assert heard.n_calls == 8


def test_training_reads_it_alone_and_beside_a_dataset_without_the_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(transcriber, "open_transcriber", lambda model: FirstSample())
    assert transcribe(write_dataset(tmp_path / "in"), "--output", tmp_path / "new") == 0
    write_shards(tmp_path / "old", "train", [[utterance("zoe", "fr", 9, transcript="Oui.")]])
    for path in shard_paths(finish(tmp_path / "old"), "train"):
        columns = ["transcript_source", "transcript_confidence"]
        pq.write_table(pq.read_table(path).drop_columns(columns), path)
    assert (
        prepare_data.main(
            [
                "merge",
                str(tmp_path / "new"),
                str(tmp_path / "old"),
                "--output",
                str(tmp_path / "all"),
            ]
        )
        == 0
    )
    for name, n_rows in (("new", 3), ("old", 1), ("all", 4)):
        split = load_splits(str(tmp_path / name))["train"]
        rows = [row for part in range(len(split.part_keys)) for row in split.rows(part)]
        assert len(rows) == n_rows and all(row["transcript"] for row in rows), name


def test_a_model_that_cannot_be_had_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("faster_whisper")
    folder = write_dataset(tmp_path / "in")
    (tmp_path / "none").mkdir()
    arguments = (folder, "--output", tmp_path / "out", "--model", tmp_path / "none")
    assert transcribe(*arguments) == 2
    assert "holds no model.bin" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@needs_whisper
def test_a_model_without_its_tokenizer_is_one_sentence(tmp_path):
    pytest.importorskip("faster_whisper")
    for path in Path(MODEL).glob("*"):
        if path.name != "tokenizer.json":
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(TeacherError, match=r"holds no tokenizer\.json"):
        WhisperTranscriber(str(tmp_path))


@pytest.mark.slow
@needs_whisper
def test_whisper_writes_what_is_said_and_nothing_of_noise():
    pytest.importorskip("faster_whisper")
    whisper = WhisperTranscriber(MODEL)
    assert "whisper" in whisper.name.lower() and "/" not in Path(whisper.name).name
    assert all(map(whisper.knows, ("en", "de-CH", "jv", "nb")))
    assert not any(map(whisper.knows, ("noise", "none", "other", "rm")))

    waveform, _ = load_audio(EXAMPLES / "english.flac")
    said = whisper.transcribe(waveform, "en")
    assert said.fault(0.6) is None and len(said.text.split()) > 5
    assert said == whisper.transcribe(waveform, "en")

    rng = np.random.default_rng(0)
    for noise in (np.zeros(48_000), 0.05 * rng.standard_normal(48_000)):
        assert whisper.transcribe(noise.astype(np.float32), "en").fault(0.6) is not None
