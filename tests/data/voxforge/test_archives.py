"""Archives found on disk."""

import gzip
import math
import os
import sys

import pytest
from helpers.voxforge import make_archive, noise

from langid.data.clips import ClipLimits
from langid.data.utterance import ReasonCounts
from langid.data.voxforge import archives as archive_folder
from langid.data.voxforge.archive import Survey, read_archive
from langid.data.voxforge.archives import find_archives, survey_archives
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.selection import Caps, Planner
from langid.errors import DataError

LANGUAGES = ("en", "fr", "de", "es", "it")


@pytest.fixture
def surveyed(monkeypatch):
    """Files that were surveyed; the content of each says what the survey finds."""
    paths = []

    def survey(path):
        paths.append(path.name)
        content = path.read_text()
        if content == "unreadable":
            raise PermissionError(13, "Permission denied")
        if content.startswith("corrupt"):
            return Survey(0, 0.0, None, None, 0, content.removeprefix("corrupt "), "b2")
        return Survey(10, 42.0, None, content or None, 1000, None, "a1")

    monkeypatch.setattr(archive_folder, "survey_archive", survey)
    return paths


def write(folder, *keys, content=""):
    for key in keys:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def find(folder, languages=LANGUAGES, excluded=None, **options):
    """The archives that can be used."""
    archives = find_all(folder, languages, excluded, **options)
    return [archive for archive in archives if archive.survey.problem is None]


def find_all(folder, languages=LANGUAGES, excluded=None, **options):
    excluded = ReasonCounts() if excluded is None else excluded
    return find_archives(folder, languages, Manifest(folder), excluded, **options)


def test_what_the_downloader_lays_out(tmp_path, surveyed):
    write(tmp_path, "de/16kHz_16bit/Anna-20080318-kdl.tgz", "fr/16kHz_16bit/anonymous-1-x.tar.gz")
    excluded = ReasonCounts()
    german, french = find(tmp_path, excluded=excluded)
    assert german.key == "de/16kHz_16bit/Anna-20080318-kdl.tgz"
    assert german.path == tmp_path / german.key
    assert (german.language, german.stem) == ("de", "Anna-20080318-kdl")
    assert german.speaker_id == "voxforge:anna"
    assert german.survey == Survey(10, 42.0, None, None, 1000, None, "a1")
    assert (french.language, french.stem) == ("fr", "anonymous-1-x")
    assert french.speaker_id == "voxforge:anonymous-1-x"
    assert excluded.counts == {}


@pytest.mark.parametrize(
    ("key", "language"),
    [
        ("German/a-1-x.tgz", "de"),
        ("host/downloads/it/Trunk/Audio/Main/16kHz_16bit/a-1-x.tgz", "it"),
        ("host/downloads/SpeechCorpus/Trunk/Audio/Main/8kHz_16bit/a-1-x.tgz", "en"),
        ("ES/fr/a-1-x.tgz", "es"),
        ("mine/a-1-x.TGZ", None),
        ("de-1-x.tgz", None),
    ],
)
def test_the_language_is_a_folder_on_the_way(tmp_path, surveyed, key, language):
    write(tmp_path, key)
    excluded = ReasonCounts()
    assert [a.language for a in find(tmp_path, excluded=excluded)] == [language] * bool(language)
    assert excluded.names == ({} if language else {"language unknown": [key]})


def test_without_such_a_folder_the_only_language_asked_for_and_then_the_readme(tmp_path, surveyed):
    write(tmp_path, "a-1-x.tgz", content="de")
    assert [a.language for a in find(tmp_path)] == ["de"]
    assert [a.language for a in find(tmp_path, ["it"])] == ["it"]
    assert find(tmp_path, ["it", "es"]) == []


def test_other_languages_are_not_even_surveyed(tmp_path, surveyed):
    write(tmp_path, "de/a-1-x.tgz", "fi/b-1-x.tgz")
    excluded = ReasonCounts()
    assert [a.language for a in find(tmp_path, ["de", "fr"], excluded)] == ["de"]
    assert (surveyed, excluded.counts) == (["a-1-x.tgz"], {})


def test_what_is_no_archive(tmp_path, surveyed):
    write(
        tmp_path,
        *("de/a-1-x.tgz.part", "de/.b-1-x.tgz", "de/.cache/c-1-x.tgz", "de/notes.txt"),
        *("de/d-1-x.zip", "manifest.jsonl", "de/folder.tgz/e-1-x.tgz"),
    )
    assert [a.key for a in find(tmp_path)] == ["de/folder.tgz/e-1-x.tgz"]


def test_a_second_run_surveys_nothing(tmp_path, surveyed):
    write(tmp_path, "de/a-1-x.tgz", "de/b-1-x.tgz", "de/c-1-x.tgz")
    first = find(tmp_path)
    assert find(tmp_path) == first
    assert len(surveyed) == 3
    write(tmp_path, "de/b-1-x.tgz", content="changed")
    find(tmp_path)
    assert surveyed[3:] == ["b-1-x.tgz"]


def test_corrupt_archives_are_counted_by_their_problem_in_every_run(tmp_path, surveyed):
    write(tmp_path, "de/a-1-x.tgz", "de/b-1-x.tgz", content="corrupt truncated")
    write(tmp_path, "de/c-1-x.tgz", content="corrupt empty file")
    write(tmp_path, "de/d-1-x.tgz")
    for _ in range(2):
        excluded = ReasonCounts()
        assert [a.stem for a in find(tmp_path, excluded=excluded)] == ["d-1-x"]
        assert excluded.names == {
            "corrupt archive: truncated": ["de/a-1-x.tgz", "de/b-1-x.tgz"],
            "corrupt archive: empty file": ["de/c-1-x.tgz"],
        }


def test_what_cannot_be_used_is_found_too_once(tmp_path, surveyed):
    write(tmp_path, "de/16kHz_16bit/a-1-x.tgz", "de/8kHz_16bit/a-1-x.tgz", content="corrupt torn")
    write(tmp_path, "de/8kHz_16bit/b-1-x.tgz")
    found = find_all(tmp_path, sample_rates=("8kHz_16bit", "16kHz_16bit"))
    assert [(a.key, a.survey.usable_s) for a in found] == [
        ("de/8kHz_16bit/a-1-x.tgz", None),
        ("de/8kHz_16bit/b-1-x.tgz", 42.0),
    ]


def test_an_archive_that_the_disk_does_not_give_is_tried_again(tmp_path, surveyed):
    write(tmp_path, "de/a-1-x.tgz", content="unreadable")
    write(tmp_path, "de/b-1-x.tgz")
    for _ in range(2):
        excluded = ReasonCounts()
        assert [a.stem for a in find(tmp_path, excluded=excluded)] == ["b-1-x"]
        assert excluded.names == {"corrupt archive: cannot be read": ["de/a-1-x.tgz"]}
    assert surveyed.count("a-1-x.tgz") == 2


def test_an_archive_at_two_rates_counts_once(tmp_path, surveyed):
    rates = ("16kHz_16bit", "8kHz_16bit")
    write(tmp_path, *(f"de/{rate}/a-1-x.tgz" for rate in rates), "de/8kHz_16bit/b-1-x.tgz")
    write(tmp_path, "fr/8kHz_16bit/a-1-x.tgz")
    for order in (rates, rates[::-1]):
        excluded = ReasonCounts()
        archives = find(tmp_path, excluded=excluded, sample_rates=order)
        assert [a.key for a in archives] == [
            *sorted([f"de/{order[0]}/a-1-x.tgz", "de/8kHz_16bit/b-1-x.tgz"]),
            "fr/8kHz_16bit/a-1-x.tgz",
        ]
        assert excluded.names == {
            "same archive at another sample rate": [f"de/{order[1]}/a-1-x.tgz"]
        }
    assert find(tmp_path)[0].key == "de/16kHz_16bit/a-1-x.tgz"


def test_other_rates_than_those_asked_for_are_left_out(tmp_path, surveyed):
    write(tmp_path, "de/16kHz_16bit/a-1-x.tgz", "de/44.1kHz_16bit/b-1-x.tgz", "de/mine/c-1-x.tgz")
    write(tmp_path, "fi/8kHz_16bit/a-1-x.tgz")
    excluded = ReasonCounts()
    archives = find(tmp_path, excluded=excluded, sample_rates=("16kHz_16bit",))
    assert [a.key for a in archives] == ["de/16kHz_16bit/a-1-x.tgz", "de/mine/c-1-x.tgz"]
    assert excluded.names == {"another sample rate": ["de/44.1kHz_16bit/b-1-x.tgz"]}
    assert sorted(surveyed) == ["a-1-x.tgz", "c-1-x.tgz"]
    assert len(find(tmp_path, sample_rates=())) == 3


@pytest.mark.parametrize("n_archives", [0, 3])
def test_nothing_to_survey_shows_no_bar(tmp_path, surveyed, capsys, monkeypatch, n_archives):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    keys = [f"{n}-1-x.tgz" for n in range(n_archives)]
    write(tmp_path, *keys)
    survey_archives({key: tmp_path / key for key in keys}, Manifest(tmp_path), 1)
    assert bool(capsys.readouterr().err) is bool(n_archives)


def test_where_the_good_copy_is_the_other_one(tmp_path, surveyed):
    write(tmp_path, "de/16kHz_16bit/a-1-x.tgz", content="corrupt truncated")
    write(tmp_path, "de/8kHz_16bit/a-1-x.tgz")
    (archive,) = find_all(tmp_path, sample_rates=("16kHz_16bit", "8kHz_16bit"))
    assert archive.key == "de/8kHz_16bit/a-1-x.tgz"


def test_plain_tar_archives_are_archives(tmp_path):
    for user in ("anna", "ben"):
        packed = make_archive(
            tmp_path / f"{user}-20080318-kdl.tgz", recordings={"de-1": noise(1), "de-2": noise(2)}
        )
        plain = tmp_path / "de" / f"{user}-20080318-kdl.tar"
        plain.parent.mkdir(exist_ok=True)
        plain.write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    archives = find(tmp_path)
    assert [(a.stem, a.speaker_id) for a in archives] == [
        ("anna-20080318-kdl", "voxforge:anna"),
        ("ben-20080318-kdl", "voxforge:ben"),
    ]
    assert [(a.survey.n_recordings, a.survey.duration_s) for a in archives] == [(2, 2.0)] * 2


def test_names_that_are_no_utf_8(tmp_path):
    folder = tmp_path / "de"
    for name in (b"Andr\xe9-20080101-abc.tgz", "Andr\u00e9-20080102-abc.tgz".encode()):
        made = make_archive(tmp_path / "made.tgz", recordings={"de-1": noise(len(name))})
        folder.mkdir(exist_ok=True)
        made.rename(folder / os.fsdecode(name))
    first, second = archives = find(tmp_path)
    assert (first.key, first.stem) == ("de/André-20080101-abc.tgz", "André-20080101-abc")
    assert first.speaker_id == second.speaker_id == "voxforge:andré"
    planner = Planner("de", archives, Caps(math.inf, math.inf), ReasonCounts())
    assert {archive.key for archive in planner.order} == {first.key, second.key}
    reading = read_archive(first.path, "de", limits=ClipLimits())
    assert [u.file_name for u in reading.utterances] == ["André-20080101-abc/de-1.flac"]
    again = folder / os.fsdecode(b"Andr\xe9-20080102-abc.tgz")
    os.link(second.path, again)
    excluded = ReasonCounts()
    assert find(tmp_path, excluded=excluded) == archives
    assert excluded.names == {"same name as another archive": [second.key]}


@pytest.mark.parametrize("content", [None, "file", "empty"])
def test_a_folder_without_archives(tmp_path, content):
    folder = tmp_path / "archives"
    if content == "file":
        folder.write_text("")
    elif content == "empty":
        folder.mkdir()
    with pytest.raises(DataError, match=str(folder)):
        find(folder)


def test_real_archives_in_several_processes(tmp_path):
    for number in range(17):
        make_archive(
            tmp_path / f"de/16kHz_16bit/anna{number}-20080318-kdl.tgz",
            recordings={"de-1": noise(number, 0.5), "de-2": noise(number, 1.0)},
            prompts={"de-1": "EINS", "de-2": "ZWEI"},
            readme={"Gender": "Female"},
        )
    (tmp_path / "de/16kHz_16bit/empty-20080318-kdl.tgz").write_bytes(b"")
    excluded = ReasonCounts()
    archives = find(tmp_path, excluded=excluded, n_processes=2)
    assert len(archives) == 17
    for archive in archives:
        assert (archive.survey.n_recordings, archive.survey.gender) == (2, "female")
        assert archive.survey.duration_s == pytest.approx(1.5)
    assert list(excluded.names.values()) == [["de/16kHz_16bit/empty-20080318-kdl.tgz"]]
    assert find(tmp_path) == archives
