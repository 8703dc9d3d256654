"""What is known of an archive without decoding it."""

import json
import os
import threading
from dataclasses import asdict

import pytest
from helpers.voxforge import FAULTS, README_FIELDS, SAMPLE_RATE, corrupt, make_archive, noise

from langid.data.voxforge.archive import Survey, survey_archive


def test_a_survey_needs_no_decoding(path):
    make_archive(
        path,
        recordings={"a1": noise(1, 1.25), "a2": noise(2, 2.0), "broken": b"no audio"},
        prompts={"a1": "X"},
        readme={**README_FIELDS, "Language": "DE"},
    )
    survey = survey_archive(path)
    assert survey.n_bytes_unpacked > 2 * 3.25 * SAMPLE_RATE
    assert asdict(survey) == {
        "n_recordings": 2,
        "duration_s": pytest.approx(3.25),
        "gender": "female",
        "language": "de",
        "n_bytes_unpacked": survey.n_bytes_unpacked,
        "problem": None,
        "digest": survey.digest,
    }
    assert Survey(**json.loads(json.dumps(asdict(survey)))) == survey


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_survey_reads_an_archive_once(path, is_cut):
    """A pipe gives its bytes only once."""
    make_archive(path, recordings={f"a{n}": noise(n) for n in range(4)}, readme=README_FIELDS)
    if is_cut:
        corrupt(path, "truncated")
    survey, data = survey_archive(path), path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    writer.start()
    assert survey_archive(path) == survey
    writer.join()


def test_a_survey_tells_archives_apart_by_their_bytes(path, tmp_path):
    first = make_archive(path, recordings={"a1": noise(1)})
    copy = tmp_path / "copy.tgz"
    copy.write_bytes(first.read_bytes())
    survey = survey_archive(first)
    assert survey_archive(copy) == survey and survey.digest
    other = survey_archive(make_archive(path, recordings={"a1": noise(2)}))
    assert other.n_bytes_unpacked == survey.n_bytes_unpacked and other.digest != survey.digest


@pytest.mark.parametrize("problem", sorted(FAULTS))
def test_the_problem_of_a_corrupt_archive_is_named(good, problem):
    assert survey_archive(corrupt(good, problem)).problem == problem


def test_a_survey_tells_what_comes_before_the_end_of_a_truncated_archive(good):
    survey = survey_archive(corrupt(good, "truncated"))
    assert (survey.n_recordings, survey.gender) == (1, "female")
