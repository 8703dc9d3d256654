"""What is kept of archives between runs."""

import json
import os
from dataclasses import asdict

import pytest

from langid.data.voxforge.archive import Survey
from langid.data.voxforge.manifest import MANIFEST_NAME, Manifest

SURVEY = Survey(10, 42.5, "female", "de", 1_000_000, None, "a1")
TRUNCATED = Survey(0, 0.0, None, None, 0, "truncated", "b2")
KEY = "de/16kHz_16bit/Anna-20080318-kdl.tgz"


@pytest.fixture
def folder(tmp_path):
    archive = tmp_path / KEY
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"archive")
    return tmp_path


def test_a_survey_is_there_for_the_next_run(folder):
    Manifest(folder).record_survey(KEY, folder / KEY, SURVEY, "http://host/x.tgz")
    assert Manifest(folder).survey(KEY, folder / KEY) == SURVEY
    (record,) = [json.loads(line) for line in (folder / MANIFEST_NAME).read_text().splitlines()]
    status = (folder / KEY).stat()
    assert record == {
        "key": KEY,
        "n_bytes": 7,
        "mtime_ns": status.st_mtime_ns,
        "url": "http://host/x.tgz",
        "survey": asdict(SURVEY),
    }


@pytest.mark.parametrize("change", ["gone", "size", "time"])
def test_a_record_holds_for_the_very_file_only(folder, change):
    Manifest(folder).record_survey(KEY, folder / KEY, SURVEY)
    status = (folder / KEY).stat()
    if change == "gone":
        (folder / KEY).unlink()
    elif change == "size":
        (folder / KEY).write_bytes(b"another archive")
        os.utime(folder / KEY, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(folder / KEY, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert Manifest(folder).survey(KEY, folder / KEY) is None


def test_the_last_record_counts(folder):
    manifest = Manifest(folder)
    assert manifest.survey(KEY, folder / KEY) is None
    for survey in (TRUNCATED, SURVEY):
        manifest.record_survey(KEY, folder / KEY, survey)
        assert (
            manifest.survey(KEY, folder / KEY)
            == Manifest(folder).survey(KEY, folder / KEY)
            == survey
        )
    assert len((folder / MANIFEST_NAME).read_text().splitlines()) == 2


def test_a_line_cut_by_a_crash_spoils_neither_the_others_nor_the_next(folder):
    Manifest(folder).record_survey(KEY, folder / KEY, SURVEY)
    with (folder / MANIFEST_NAME).open("ab") as file:
        file.write(b'{"key": "de/16kHz_16bit/Ben')
    manifest = Manifest(folder)
    assert manifest.survey(KEY, folder / KEY) == SURVEY
    others = ("de/x.tgz", "de/y.tgz")
    for key in others:
        (folder / key).write_bytes(b"archive")
        manifest.record_survey(key, folder / key, TRUNCATED)
    again = Manifest(folder)
    assert again.survey(KEY, folder / KEY) == SURVEY
    assert [again.survey(key, folder / key) for key in others] == [TRUNCATED] * 2


@pytest.mark.parametrize("line", ["", "[]", "7", "\udcff", '{"survey": {}}', "null"])
def test_lines_of_nonsense_are_passed_over(folder, line):
    (folder / MANIFEST_NAME).write_text(f"{line}\n", errors="surrogateescape")
    Manifest(folder).record_survey(KEY, folder / KEY, SURVEY)
    assert Manifest(folder).survey(KEY, folder / KEY) == SURVEY


@pytest.mark.parametrize("change", [("n_recordings", "n_files"), (', "digest": "a1"', "")])
def test_a_survey_of_another_version_is_made_again(folder, change):
    Manifest(folder).record_survey(KEY, folder / KEY, SURVEY)
    path = folder / MANIFEST_NAME
    text = path.read_text()
    path.write_text(text.replace(*change))
    assert path.read_text() != text
    assert Manifest(folder).survey(KEY, folder / KEY) is None


def test_names_of_any_bytes(folder):
    path = folder / os.fsdecode(b"de/B\xe4r-2008-abc.tgz")
    path.write_bytes(b"archive")
    Manifest(folder).record_survey("de/Bär-2008-abc.tgz", path, SURVEY)
    assert Manifest(folder).survey("de/Bär-2008-abc.tgz", path) == SURVEY


def test_where_nothing_can_be_written_the_run_goes_on_and_says_so_once(folder, capsys):
    (folder / MANIFEST_NAME).mkdir()  # not even root can write that
    manifest = Manifest(folder)
    manifest.record_survey(KEY, folder / KEY, SURVEY)
    manifest.record_survey(KEY, folder / KEY, SURVEY)
    assert manifest.survey(KEY, folder / KEY) == SURVEY
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and MANIFEST_NAME in message


def test_a_file_that_has_gone_is_not_recorded(folder):
    manifest = Manifest(folder)
    manifest.record_survey("de/gone.tgz", folder / "de/gone.tgz", SURVEY)
    assert manifest.survey("de/gone.tgz", folder / "de/gone.tgz") is None
    assert not (folder / MANIFEST_NAME).exists()
