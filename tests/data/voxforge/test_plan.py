"""What a dataset is made of, and which speaker stands in which split."""

import json
import math
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from langid.data.utterance import ReasonCounts
from langid.data.voxforge import fetch
from langid.data.voxforge.archive import Archive, Survey
from langid.data.voxforge.fetch import plan_voxforge
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.plan import (
    PLAN_NAME,
    Plan,
    make_plan,
    read_splits,
    splits_path,
)
from langid.data.voxforge.selection import Caps, Planner
from langid.errors import DataError
from langid.files import text_of_name

ALL = Caps(math.inf, math.inf)
SHARES = {"validation": 0.1, "test": 0.1}
FOLDER = Path("archives")


def archive(stem, problem=None, language="de", gender=None) -> Archive:
    """An archive of 20 s, or one with a problem that shows after 20 s."""
    survey = Survey(2, 20.0, gender, None, 1000, problem, "a1")
    key = f"{language}/{stem}.tgz"
    return Archive(language, key, FOLDER / key, survey=survey)


def choose(archives, caps=ALL, languages=("de",), excluded=None) -> set[str]:
    excluded = ReasonCounts() if excluded is None else excluded
    chosen = plan(archives, languages=languages, caps=caps, excluded=excluded).archives
    return {Path(archive.key).stem for archive in chosen}


def plan(archives, known=(), seed=0, languages=("de",), caps=ALL, excluded=None):
    excluded = ReasonCounts() if excluded is None else excluded
    planners = [
        Planner(language, [a for a in archives if a.language == language], caps, excluded)
        for language in languages
    ]
    return make_plan(planners, FOLDER, excluded, {"seed": seed}, SHARES, dict(known))


def split_of(archives, **options) -> dict[str, str]:
    return {a.speaker_id: a.split for a in plan(archives, **options).archives}


def fetched(archives, caps) -> set[str]:
    """What one connection would have downloaded of these, and could use."""
    listed = {a.key: Archive(a.language, a.key, url="http://host/") for a in archives}
    planner = Planner("de", listed.values(), caps, ReasonCounts())
    on_disk = {a.key: a for a in archives}
    usable = set()
    while (wanted := planner.next()) is not None:
        planner.enter(wanted.key, on_disk[wanted.key])
        usable |= {wanted.stem} if on_disk[wanted.key].survey.problem is None else set()
    return usable


def test_what_was_fetched_is_what_is_chosen_although_some_of_it_cannot_be_used():
    speakers = [f"s{n}" for n in range(12)]
    archives = [
        archive(f"{speaker}-2008010{n}-x", "truncated" if n == 0 and speaker < "s5" else None)
        for speaker in speakers
        for n in range(3)
    ]
    for n_archives in range(1, 30):
        caps = Caps(20 * n_archives / 3600, math.inf)
        expected = fetched(archives, caps)
        assert len(expected) == n_archives
        assert choose(archives, caps) == expected


def test_each_archive_that_is_left_out_is_counted_once():
    excluded = ReasonCounts()
    archives = [
        archive("anna-20080101-a", language="it"),
        archive("anna-20080102-a", language="it"),
        archive("anna-20080103-a", "truncated", language="it"),  # counted where it was found
        archive("Vistaus-20080718-mrm", language="it"),
        archive("Vistaus-20080719-mrm", "truncated", language="it"),
    ]
    assert choose(archives, Caps(1, 0.25), ("it",), excluded) == {"anna-20080101-a"}
    assert excluded.names == {
        "speaker does not speak the language": ["it/Vistaus-20080718-mrm.tgz"],
        "archive not needed": ["it/anna-20080102-a.tgz"],
    }


def test_a_language_needs_an_archive_that_can_be_used():
    archives = [archive("anna-20080101-a"), archive("ben-20080101-a", "truncated", language="fr")]
    excluded = ReasonCounts()
    excluded.add("corrupt archive: truncated", "fr/ben-20080101-a.tgz")
    with pytest.raises(DataError, match=r"no usable archive of 'fr' \(1 corrupt .*ben-2008"):
        choose(archives, languages=("de", "fr"), excluded=excluded)
    with pytest.raises(DataError, match=r"no usable archive of 'es' \(none\)"):
        choose(archives, languages=("es",))


@pytest.mark.parametrize("is_remembered", [True, False])
def test_speakers_stay_in_their_splits_because_the_folder_remembers(is_remembered):
    """Of few speakers some are moved to where a split has none, which more would undo."""
    few = [archive(f"user{number}-20080101-a") for number in range(4)]
    newcomers = [archive(f"newcomer{number}-20110101-a") for number in range(12)]
    before = split_of(few)
    after = split_of(few + newcomers, known=before if is_remembered else {})
    assert set(before.values()) == {"train", "validation", "test"}
    assert (before == {speaker: after[speaker] for speaker in before}) is is_remembered


@pytest.mark.parametrize("seed", range(6))
def test_each_gender_stands_in_each_split(seed):
    """Chance alone leaves women out of the validation for two of these seeds."""
    women = [archive(f"user{number}-20080101-a", gender="female") for number in range(0, 100, 10)]
    # One archive of many may err.
    women += [archive("user0-20090101-a", gender="male")]
    women += [archive("user0-20100101-a", gender="female")]
    men = [archive(f"user{n}-20080101-a", gender="male") for n in range(100) if n % 10]
    splits = split_of(women + men, seed=seed)
    assert {splits[woman.speaker_id] for woman in women} == {"train", "validation", "test"}
    assert {splits[man.speaker_id] for man in men} == {"train", "validation", "test"}


def plan_folder(folder, archives, monkeypatch, seed=0, shares=SHARES, resumes=False):
    """Plan with what would be found in a folder, and remember it there."""
    archives = [Archive(a.language, a.key, folder / a.key, survey=a.survey) for a in archives]
    monkeypatch.setattr(fetch, "find_archives", lambda *_, **__: archives)
    return plan_voxforge(
        folder,
        ReasonCounts(),
        {
            **{"languages": ["de"], "sample_rates": [], "seed": seed},
            **{"max_hours": math.inf, "max_minutes_per_speaker": 10.0},
        },
        shares,
        resumes=resumes,
        base_url=None,
        n_workers=1,
        n_processes=1,
    )


def test_the_plan_and_its_splits_are_written_beside_the_archives(tmp_path, monkeypatch):
    archives = [archive(f"user{number}-20080101-a") for number in range(9)]
    planned = plan_folder(tmp_path, archives, monkeypatch)
    record = json.loads((tmp_path / PLAN_NAME).read_text(encoding="utf-8"))
    assert record == json.loads(json.dumps(asdict(planned)))
    splits = {a.speaker_id: a.split for a in planned.archives}
    assert all(speaker.startswith("voxforge:") for speaker in splits)
    assert read_splits(splits_path(tmp_path, SHARES, 0)) == splits
    newcomers = [archive(f"newcomer{number}-20080101-a") for number in range(9)]
    plan_folder(tmp_path, newcomers, monkeypatch)
    assert splits.items() < read_splits(splits_path(tmp_path, SHARES, 0)).items()


def test_a_plan_is_read_again_for_what_it_was_made_of_only(tmp_path):
    manifest = Manifest(tmp_path)
    names = [b"B\xe4r-20080101-a.tgz", b"anna-20080101-a.tgz"]
    archives = [archive(os.fsdecode(name).removesuffix(".tgz")) for name in names]
    archives = [
        Archive("de", text_of_name(a.key), tmp_path / a.key, survey=a.survey) for a in archives
    ]
    (tmp_path / "de").mkdir()
    for a in archives:
        a.path.write_bytes(b"archive")
        manifest.record_survey(a.key, a.path, a.survey)
    settings = {"seed": 0, "max_hours": math.inf}
    planners = [Planner("de", archives, Caps(1.0, math.inf), ReasonCounts())]
    planned = make_plan(planners, tmp_path, ReasonCounts(), settings, SHARES, {})
    assert {tmp_path / a.path for a in planned.archives} == {a.path for a in archives}
    assert Plan.read(tmp_path, settings, manifest) is None
    planned.write(tmp_path)
    assert Plan.read(tmp_path, settings, manifest) == planned
    assert Plan.read(tmp_path, {**settings, "seed": 1}, manifest) is None
    record = (tmp_path / PLAN_NAME).read_text()
    for other in ("", "[]", record[:-9], record.replace("digest", "hash")):
        (tmp_path / PLAN_NAME).write_text(other)
        assert Plan.read(tmp_path, settings, manifest) is None
    planned.write(tmp_path)
    archives[0].path.write_bytes(b"another archive")
    assert Plan.read(tmp_path, settings, manifest) is None


def test_each_way_of_dividing_has_its_own_record(tmp_path, monkeypatch):
    archives = [archive(f"user{number}-20080101-a") for number in range(9)]
    ways = [(SHARES, 0), ({**SHARES, "test": 0.2}, 0), (SHARES, 1)]
    for shares, seed in ways:
        plan_folder(tmp_path, archives, monkeypatch, seed, shares)
    paths = {splits_path(tmp_path, shares, seed) for shares, seed in ways}
    assert len(paths) == 3 and all(len(read_splits(path)) == 9 for path in paths)


def test_without_a_record_nobody_has_a_split(tmp_path):
    assert read_splits(splits_path(tmp_path, SHARES, 0)) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1]",
        b'{"voxforge:ana": "test", "voxforge:b',
        b'{"voxforge:ana": "dev"}',
        b'{"voxforge:bo": ["test"]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_record_of_splits_is_an_error_and_stays_as_it_is(tmp_path, monkeypatch, content):
    path = splits_path(tmp_path, SHARES, 0)
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path.name} is damaged .*delete it") as error:
        plan_folder(tmp_path, [archive("user-20080101-a")], monkeypatch)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content


def test_a_folder_that_takes_no_file(tmp_path, monkeypatch, capsys):
    path = splits_path(tmp_path, SHARES, 0)
    path.with_name(path.name + ".part").mkdir()  # not even root can write that
    planned = plan_folder(tmp_path, [archive("user-20080101-a")], monkeypatch)
    assert len(planned.archives) == 1
    assert "cannot be kept" in capsys.readouterr().out
