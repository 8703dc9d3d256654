"""From a server to a folder of archives: what is downloaded."""

import io
import json
import math

import pytest
from helpers.fetch import (
    ALL,
    ONE_MINUTE,
    RATES,
    archive_keys,
    content,
    downloads,
    impatient,
    stand_in_survey,
    tree,
)
from helpers.fetch import fetch as run
from helpers.voxforge_server import VoxForgeServer, archive_path

from langid.data.utterance import ReasonCounts
from langid.data.voxforge import archives as archive_folder
from langid.data.voxforge import fetch
from langid.data.voxforge.fetch import survey_voxforge
from langid.data.voxforge.manifest import MANIFEST_NAME, Manifest
from langid.data.voxforge.selection import Caps
from langid.errors import DataError


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    impatient(monkeypatch)


@pytest.fixture(autouse=True)
def surveyed(monkeypatch):
    """Names of the files that were surveyed."""
    names = []

    def survey(path):
        names.append(path.name)
        return stand_in_survey(path)

    monkeypatch.setattr(archive_folder, "survey_archive", survey)
    return names


def test_everything_is_brought_surveyed_and_kept_in_the_manifest(tmp_path, surveyed):
    with VoxForgeServer(tree(5, 2)) as server:
        keys = run(server, tmp_path)
    assert keys == [f"de/16kHz_16bit/s{s}-{n}-x.tgz" for s in range(5) for n in range(2)]
    assert all((tmp_path / key).read_bytes() == content() for key in keys)
    assert len(surveyed) == 10  # each once, although the folder was read again
    records = [json.loads(line) for line in (tmp_path / MANIFEST_NAME).read_text().splitlines()]
    assert sorted(record["key"] for record in records) == keys
    assert all(record["url"].startswith(server.base_url) for record in records)
    assert not list(tmp_path.rglob("*.part"))


def test_a_second_run_downloads_nothing_and_surveys_nothing(tmp_path, surveyed):
    with VoxForgeServer(tree(12, 2)) as server:
        first = run(server, tmp_path, ONE_MINUTE)
        assert 3 <= len(first) <= 4  # 60 s, and what was in flight
        server.requests.clear()
        surveyed.clear()
        assert run(server, tmp_path, ONE_MINUTE) == first
    assert (downloads(server), surveyed) == ([], [])


def test_more_hours_later_bring_only_what_lacks(tmp_path):
    with VoxForgeServer(tree(12)) as server:
        first = run(server, tmp_path, ONE_MINUTE)
        server.requests.clear()
        second = run(server, tmp_path, Caps(2 / 60, math.inf))
    assert set(first) < set(second)
    assert len(downloads(server)) == len(second) - len(first)


def test_no_more_of_a_speaker_than_asked_for(tmp_path):
    with VoxForgeServer(tree(2, 9)) as server:
        keys = run(server, tmp_path, Caps(math.inf, 0.5), n_workers=1)
    assert keys == [f"de/16kHz_16bit/s{s}-{n}-x.tgz" for s in (0, 1) for n in (0, 1)]


def test_all_languages_advance_alike(tmp_path):
    languages = ("de", "fr", "it")
    paths = {k: v for language in languages for k, v in tree(20, language=language).items()}
    with VoxForgeServer(paths) as server:
        run(server, tmp_path, Caps(2 / 60, math.inf), languages, n_workers=1)
    of_language = [path.split("/")[2] for path, _ in server.requests if path.endswith(".tgz")]
    assert of_language == list(languages) * 6


def test_no_more_connections_than_workers(tmp_path):
    with VoxForgeServer(tree(30)) as server:
        run(server, tmp_path, n_workers=3)
    assert len(downloads(server)) == 30
    assert server.n_connections <= 3


def test_a_file_copied_by_hand_is_surveyed_and_not_downloaded(tmp_path, surveyed):
    target = tmp_path / "de/16kHz_16bit/s0-0-x.tgz"
    target.parent.mkdir(parents=True)
    target.write_bytes(content())
    with VoxForgeServer(tree(2)) as server:
        assert len(run(server, tmp_path)) == 2
    assert downloads(server) == ["s1-0-x.tgz"]
    assert sorted(surveyed) == ["s0-0-x.tgz", "s1-0-x.tgz"]


def test_who_does_not_speak_the_language_is_not_even_downloaded(tmp_path):
    paths = tree(2, language="it")
    paths[archive_path("it", "Vistaus-20080718-mrm.tgz")] = content()
    excluded = ReasonCounts()
    with VoxForgeServer(paths) as server:
        assert len(run(server, tmp_path, languages=("it",), excluded=excluded)) == 2
    key = "it/16kHz_16bit/Vistaus-20080718-mrm.tgz"
    assert excluded.names == {"speaker does not speak the language": [key]}


def test_the_bar_shows_bytes_and_about_how_many_archives_are_left(tmp_path, monkeypatch):
    left = []

    class Recorded(fetch.Bar):
        def __init__(self, planners):
            super().__init__(planners, disable=False, file=io.StringIO())

        def set_postfix_str(self, text):
            left.append((text, self.n, self.total))
            super().set_postfix_str(text)

    monkeypatch.setattr(fetch, "Bar", Recorded)
    monkeypatch.setattr(fetch, "ESTIMATE_INTERVAL_S", 0.0)
    with VoxForgeServer(tree(40, seconds=10)) as server:
        run(server, tmp_path, ONE_MINUTE, n_workers=1)
    texts = [text for text, _, _ in left]
    # 50 s each are assumed first, then 10 s each are known.
    expected = ["2 archives left"] + [f"{n} archives left" for n in (5, 4, 3, 2, 1, 0)]
    assert texts == expected
    _, n_bytes, total = left[-1]
    assert n_bytes == total == 6 * len(content(10))


def test_the_whole_way_by_address(tmp_path, capsys):
    paths = tree(3) | tree(3, language="SpeechCorpus")
    excluded = ReasonCounts()
    with VoxForgeServer(paths, style="pre") as server:
        survey_voxforge(
            tmp_path,
            Manifest(tmp_path),
            excluded,
            ALL,
            languages=("en", "de"),
            sample_rates=RATES,
            base_url=server.base_url,
            n_workers=4,
            n_processes=1,
        )
    assert len(archive_keys(tmp_path, ("en", "de"))) == 6
    assert excluded.counts == {}
    assert "Retrying" not in capsys.readouterr().err


def test_a_language_that_is_not_there_ends_the_run_before_anything_is_downloaded(tmp_path):
    with VoxForgeServer(tree(3)) as server, pytest.raises(DataError, match="no 'fi'"):
        survey_voxforge(
            tmp_path / "new",
            Manifest(tmp_path / "new"),
            ReasonCounts(),
            ALL,
            languages=("de", "fi"),
            sample_rates=RATES,
            base_url=server.base_url,
            n_workers=4,
            n_processes=1,
        )
    assert not (tmp_path / "new").exists()
