"""prepare_data.py voxforge, from a server of archives to a dataset."""

import io
import os
import shutil

import numpy as np
import pytest
import soundfile
from helpers.dataset import load, rows_of, split_of_speakers
from helpers.fetch import impatient, prepare
from helpers.voxforge import README_FIELDS, audio_bytes, noise
from helpers.voxforge_server import RATE, VoxForgeServer

import prepare_data
from langid.data.disjoint import check_disjoint

ENGLISH_AND_FRENCH = ("--languages", "en,fr")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    impatient(monkeypatch)


def test_a_server_of_archives_becomes_a_dataset(tmp_path, corpus, capsys):
    with VoxForgeServer(corpus.tree) as server:
        base = ("--base-url", server.base_url)
        assert prepare(tmp_path / "out", *ENGLISH_AND_FRENCH, *base) == 0
    rows = rows_of(tmp_path / "out")
    assert set(rows) == {"train", "validation", "test"}
    check_disjoint(tmp_path / "out")
    every = [row for split in rows.values() for row in split]
    assert len(every) == 50
    for split in rows.values():
        assert {row["language"] for row in split} == {0, 1}
    assert {row["source"] for row in every} == {"voxforge"}
    assert {row["licence"] for row in every} == {"GPL-3.0-or-later"}
    by_archive = {(row["language"], row["archive"]): row for row in every}
    first = by_archive[0, "enuser0-20080100-abc"]
    assert (first["speaker_id"], first["gender"]) == ("voxforge:enuser0", "male")
    assert first["transcript"] in ("SENTENCE 0", "SENTENCE 1")
    assert first["age_range"] == "adult" and first["native_speaker"] is True
    assert first["dialect"] == "British English"
    assert by_archive[0, "anonymous-20080101-aaa"]["gender"] is None
    assert by_archive[1, "anonymous-20080102-bbb"]["transcript"] is None
    speakers = {row["speaker_id"] for row in every}
    assert {"voxforge:both", "voxforge:anonymous-20080101-aaa"} <= speakers
    assert all(
        audio["bytes"][:4] == b"fLaC"
        for s in load(tmp_path / "out").values()
        for audio in s["audio"]
    )
    card = (tmp_path / "out" / "README.md").read_text()
    assert "gpl-3.0" in card and "GNU General Public License" in card
    assert "Kept, in" in capsys.readouterr().out
    kept = sorted(path.name for path in (tmp_path / "out-archives").rglob("*.tgz"))
    assert len(kept) == len(corpus.tree)


def test_a_second_run_downloads_nothing_and_has_nothing_to_do(tmp_path, corpus, capsys):
    with VoxForgeServer(corpus.tree) as server:
        command = (tmp_path / "out", *ENGLISH_AND_FRENCH, "--base-url", server.base_url)
        assert prepare(*command) == 0
        server.requests.clear()
        assert prepare(*command) == 0
        assert not [path for path, _ in server.requests if path.endswith(".tgz")]
    assert "up to date: nothing to do" in capsys.readouterr().out


def test_archives_on_disk_give_the_same_without_a_network(tmp_path, corpus):
    with VoxForgeServer(corpus.tree) as server:
        assert prepare(tmp_path / "a", *ENGLISH_AND_FRENCH, "--base-url", server.base_url) == 0
    archives = ("--archives", corpus.folder, "--num-proc", 2)
    assert prepare(tmp_path / "b", *ENGLISH_AND_FRENCH, *archives) == 0
    assert rows_of(tmp_path / "a") == rows_of(tmp_path / "b")


def test_no_speaker_moves_when_archives_are_added(tmp_path, corpus):
    archives = ("--archives", corpus.folder)
    assert prepare(tmp_path / "a", *ENGLISH_AND_FRENCH, *archives) == 0
    before = split_of_speakers(tmp_path / "a")
    for number in range(20):
        corpus.add("fr", f"newcomer{number}-20110101-abc")
        corpus.add("en", f"fruser{number % 9}-20110101-eng")
    assert prepare(tmp_path / "a", *ENGLISH_AND_FRENCH, *archives) == 2
    assert prepare(tmp_path / "a", *ENGLISH_AND_FRENCH, *archives, "--overwrite") == 0
    after = split_of_speakers(tmp_path / "a")
    assert len(after) == len(before) + 20
    assert before == {speaker: after[speaker] for speaker in before}


def test_every_known_fault_is_left_out_or_mended_and_counted(tmp_path, corpus, capsys):
    loud = np.sign(np.sin(np.arange(24_000) / 20)) * 32767
    double = noise(1, 1.2)
    float_wav = io.BytesIO()
    soundfile.write(float_wav, np.full(20_000, np.nan), 16_000, "FLOAT", format="WAV")
    corpus.add("fr", "silent-20080101-abc", np.zeros(20_000, np.int16), noise(900, 1.1))
    corpus.add("fr", "clipped-20080101-abc", loud.astype(np.int16), noise(901, 1.1))
    corpus.add(
        "fr", "broken-20080101-abc", float_wav.getvalue(), b"no audio at all", noise(902, 1.1)
    )
    corpus.add("fr", "short-20080101-abc", noise(903, 0.6), noise(904, 1.1))
    corpus.add("fr", "long-20080101-abc", noise(905, 70))
    corpus.add("fr", "again-20080101-abc", double, double)
    corpus.add("fr", "slow-20080101-abc", noise(906, 1.5, 8_000), sample_rate=8_000)
    corpus.add("fr", "latin-20080101-abc", prompts={"fr000": "ÉTÉ"}, encoding="latin-1")
    corpus.add("it", "Vistaus-20080718-mrm")
    corpus.add("it", "luigi-20080718-abc")
    corpus.put("fr", "empty-20080101-abc.tgz", b"")
    whole = corpus.add("fr", "torn-20080101-abc")
    corpus.put("fr", "torn-20080101-abc.tgz", whole[: len(whole) // 2])
    corpus.put("fr", "page-20080101-abc.tgz", b"<html><body>Not here</body></html>")
    command = ("--archives", corpus.folder, "--languages", "fr,it")
    assert prepare(tmp_path / "out", *command) == 0
    report = " ".join(capsys.readouterr().out.split())
    for line in (
        "silent",
        "clipped throughout",
        "NaN",
        "undecodable",
        "shorter than 1 s",
        "longer than 30 s, cut",
        "same audio as another clip",
        "resampled from 8,000 Hz",
        "speaker does not speak the language: it/16kHz_16bit/Vistaus-20080718-mrm.tgz",
        "corrupt archive",
    ):
        assert line in report, line
    every = [row for split in rows_of(tmp_path / "out").values() for row in split]
    speakers = [row["speaker_id"].removeprefix("voxforge:") for row in every]
    for speaker, n_kept in {
        **{"silent": 1, "clipped": 1, "broken": 1, "short": 1, "long": 3, "again": 1, "slow": 1},
        **{"vistaus": 0, "luigi": 2, "empty": 0, "page": 0},
    }.items():
        assert speakers.count(speaker) == n_kept, speaker
    assert "ÉTÉ" in {row["transcript"] for row in every}


def test_hours_and_minutes_are_caps(tmp_path, corpus):
    for number in range(10):
        corpus.add("fr", f"fruser0-2010010{number}-abc", noise(500 + number, 3))
    archives = ("--archives", corpus.folder, "--languages", "fr")
    limits = ("--max-minutes-per-speaker", 6 / 60, "--max-hours", 20 / 3600)
    assert prepare(tmp_path / "out", *archives, *limits) == 0
    every = [row for split in rows_of(tmp_path / "out").values() for row in split]
    assert 17 < sum(row["duration_s"] for row in every) <= 20
    assert len({row["speaker_id"] for row in every}) >= 6
    given_s = [row["duration_s"] for row in every if row["speaker_id"] == "voxforge:fruser0"]
    assert sum(given_s) <= 6


def test_names_that_are_no_utf_8(tmp_path, corpus):
    made = corpus.folder / "fr" / RATE / "fruser0-20080100-abc.tgz"
    made.rename(made.parent / os.fsdecode(b"Andr\xe9-20080101-abc.tgz"))
    assert prepare(tmp_path / "out", "--archives", corpus.folder, "--languages", "fr") == 0
    assert "voxforge:andré" in split_of_speakers(tmp_path / "out")
    recordings = tmp_path / "recordings"
    for number in range(4):
        path = recordings / "de" / f"speaker{number}" / os.fsdecode(b"\xe9.wav")
        path.parent.mkdir(parents=True)
        path.write_bytes(audio_bytes(noise(number)))
    assert prepare_data.main(["folder", str(recordings), "--output", str(tmp_path / "de")]) == 0
    assert {row["utterance_id"] for rows in rows_of(tmp_path / "de").values() for row in rows} == {
        f"de/speaker{number}/é" for number in range(4)
    }


def test_an_archive_of_other_content_is_noticed_and_a_copied_folder_is_the_same(
    tmp_path, corpus, capsys
):
    command = (tmp_path / "out", "--languages", "fr", "--archives")
    assert prepare(*command, corpus.folder) == 0
    copy = tmp_path / "copy"
    shutil.copytree(corpus.folder, copy, copy_function=shutil.copyfile)
    assert prepare(*command, copy) == 0
    assert "up to date: nothing to do" in capsys.readouterr().out
    same = {"readme": {**README_FIELDS, "Gender": "[male];"}}
    corpus.add("fr", "fruser0-20080100-abc", **same)  # of other noise, as long as it was
    assert prepare(*command, corpus.folder) == 2
    assert "made of other recordings" in capsys.readouterr().err
