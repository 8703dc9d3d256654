"""prepare_data.py voxforge: that options reach what they are for."""

import pytest
from helpers.dataset import load
from helpers.fetch import impatient
from helpers.voxforge import Corpus, noise
from helpers.voxforge_server import VoxForgeServer, archive_path

import prepare_data


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Corpus:
    impatient(monkeypatch)
    corpus = Corpus(tmp_path / "made")
    for number in range(8):
        corpus.add("fr", f"user{number}-20080101-abc")
    return corpus


def prepare(output, *arguments) -> list[dict]:
    """Rows of the dataset, without their audio."""
    command = ["voxforge", "--languages", "fr", "--output", output, *arguments]
    assert prepare_data.main([str(argument) for argument in command]) == 0
    return [row for rows in load(output).values() for row in rows.remove_columns("audio").to_list()]


def test_workers_are_connections(tmp_path, corpus):
    with VoxForgeServer(corpus.tree) as server:
        prepare(tmp_path / "out", "--base-url", server.base_url, "--workers", 1)
        assert server.n_connections == 1  # and not one of four for an archive each


def test_sample_rates_are_folders(tmp_path, corpus):
    rates = ("16kHz_16bit", "8kHz_16bit")
    for number in range(6):
        made = corpus.add("fr", f"slow{number}-20080101-abc", noise(90 + number, 2))
        path = corpus.folder / "fr" / rates[1] / f"slow{number}-20080101-abc.tgz"
        path.parent.mkdir(exist_ok=True)
        (corpus.folder / "fr" / rates[0] / path.name).rename(path)
        corpus.tree[archive_path("fr", path.name, rates[1])] = made
        del corpus.tree[archive_path("fr", path.name)]
    with VoxForgeServer(corpus.tree) as server:
        for name, source in {
            "fetched": ("--base-url", server.base_url),
            "found": ("--archives", corpus.folder),
        }.items():
            for n_rates, prefixes in ((1, {"slow"}), (2, {"slow", "user"})):
                wanted = ("--sample-rates", ",".join(rates[::-1][:n_rates]))
                rows = prepare(tmp_path / f"{name}{n_rates}", *source, *wanted)
                speakers = {row["speaker_id"].removeprefix("voxforge:")[:4] for row in rows}
                assert speakers == prefixes


def test_speech_that_is_too_little_is_left_out(tmp_path, corpus):
    waveform = noise(99, 3.0)
    waveform[8_000:] //= 1000  # half a second, and what a room sounds like
    corpus.add("fr", "quiet-20080101-abc", waveform, noise(98, 3.0))
    archives = ("--archives", corpus.folder)
    for min_speech_s, n_kept in ((0, 2), (1, 1)):
        rows = prepare(tmp_path / f"{min_speech_s}", *archives, "--min-speech", min_speech_s)
        assert [row["speaker_id"] for row in rows].count("voxforge:quiet") == n_kept
