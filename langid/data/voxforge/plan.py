"""The plan of a dataset: its archives, how much is taken of each, and in which splits.

It is decided once, written beside the archives, and the build only does what it says.
"""

import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from langid.data.clips import ClipLimits
from langid.data.splits import SPLITS, Stratum, assign_speakers
from langid.data.utterance import Job, Reading, ReasonCounts
from langid.data.voxforge.archive import Archive, read_archive
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.selection import NOT_NEEDED, Budget, Caps, Planner
from langid.errors import DataError
from langid.files import read_json, write_json

PLAN_NAME = "plan.json"
# How far a language's or gender's share of a split may be off: the splits are remembered here.
SPLIT_TOLERANCE = 0.1


@dataclass(frozen=True)
class PlannedArchive:
    """All that the build has to know of an archive."""

    key: str
    quoted_path: str  # where it is below the folder, percent-encoded: its bytes need not be text
    language: str
    speaker_id: str
    split: str
    max_duration_s_total: float | None  # that may be taken of it; None for no limit
    n_bytes_unpacked: int
    digest: str  # of the file

    @property
    def path(self) -> Path:
        """Where it is below the folder of archives."""
        return Path(os.fsdecode(unquote_to_bytes(self.quoted_path)))


@dataclass(frozen=True)
class Plan:
    """The archives that a dataset is made of, in their order.

    ``settings`` are plain JSON types: what was asked for.
    """

    settings: dict
    archives: tuple[PlannedArchive, ...]

    def write(self, folder: Path) -> None:
        """Record the plan; an ``OSError`` says that the folder takes no file."""
        write_json(folder / PLAN_NAME, asdict(self))

    @classmethod
    def read(cls, folder: Path, settings: dict, manifest: Manifest) -> "Plan | None":
        """The plan that was recorded, if it has these settings and its archives are still there."""
        record = read_json(folder / PLAN_NAME)
        try:
            archives = tuple(PlannedArchive(**archive) for archive in record["archives"])
        except (KeyError, TypeError):  # none, or of another version
            return None
        surveys = [manifest.survey(archive.key, folder / archive.path) for archive in archives]
        digests = [survey and survey.digest for survey in surveys]
        is_same = digests == [archive.digest for archive in archives]
        return cls(settings, archives) if is_same and record.get("settings") == settings else None

    def jobs(self) -> list[Job]:
        return [
            Job(
                key=archive.key,
                split=archive.split,
                n_bytes=archive.n_bytes_unpacked,
                item=archive,
                stamp=archive.digest,
            )
            for archive in self.archives
        ]


def make_plan(
    planners: Iterable[Planner],
    folder: Path,
    excluded: ReasonCounts,
    settings: dict,
    shares: Mapping[str, float],
    known_splits: Mapping[str, str],
) -> Plan:
    """Keep what the planners chose, and divide its speakers by language and gender.

    Speakers of ``known_splits`` stay where they are. ``excluded`` receives what is not kept.

    Raises
    ------
    DataError
        If a language has no usable archive.
    """
    chosen = [(planner, planner.chosen(excluded)) for planner in planners]
    strata = _strata(archive for _, archives in chosen for archive in archives)
    split_of = assign_speakers(strata, shares, settings["seed"], known_splits, SPLIT_TOLERANCE)
    return Plan(
        settings,
        tuple(
            planned
            for planner, archives in chosen
            for planned in _allot(archives, planner.caps, split_of, folder, excluded)
        ),
    )


def _allot(
    archives: Sequence[Archive],
    caps: Caps,
    split_of: Mapping[str, str],
    folder: Path,
    excluded: ReasonCounts,
) -> Iterator[PlannedArchive]:
    """Say how much is taken of each archive of a language; too much is less to train on."""
    budget, left_s_of = Budget(caps), {}
    for archive in sorted(archives, key=lambda archive: split_of[archive.speaker_id] == "train"):
        left_s_of[archive.key] = budget.left_s(archive.speaker_id)
        budget.take(archive.speaker_id, archive.survey.duration_s)
    for archive in archives:
        left_s = left_s_of[archive.key]
        if left_s <= 0:
            excluded.add(NOT_NEEDED, archive.key)
            continue
        yield PlannedArchive(
            key=archive.key,
            quoted_path=quote_from_bytes(os.fsencode(archive.path.relative_to(folder))),
            language=archive.language,
            speaker_id=archive.speaker_id,
            split=split_of[archive.speaker_id],
            max_duration_s_total=None if math.isinf(left_s) else left_s,
            n_bytes_unpacked=archive.survey.n_bytes_unpacked,
            digest=archive.survey.digest,
        )


def read_planned(job: Job, folder: Path, limits: ClipLimits) -> Reading:
    """The utterances of a ``PlannedArchive``, as many as the plan takes."""
    archive: PlannedArchive = job.item
    path = folder / archive.path
    cap_s = archive.max_duration_s_total
    cap_s = math.inf if cap_s is None else cap_s
    try:
        return read_archive(path, archive.language, limits=limits, max_duration_s_total=cap_s)
    except OSError as error:  # it could be read a moment ago, when it was surveyed
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): mend that, or delete it, "
            "and run the same command again, which goes on from here."
        ) from error


def splits_path(folder: Path, shares: Mapping[str, float], seed: int) -> Path:
    """Where splits are remembered: one file for each way of dividing."""
    parts = [f"{split}{share:g}" for split, share in sorted(shares.items())]
    return folder / "-".join(["splits", f"seed{seed}", *parts, "speakers.json"])


def read_splits(path: Path) -> dict[str, str]:
    """Speaker → split of earlier plans; empty where there is none.

    Raises
    ------
    DataError
        If the file is damaged: it must not be taken for none, nor be written anew.
    """
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "it is not JSON"
    else:
        if isinstance(splits, dict) and all(map(SPLITS.__contains__, splits.values())):
            return splits
        problem = f"it does not give each speaker one of {', '.join(SPLITS)}"
    raise DataError(
        f"{path} is damaged ({problem}): it keeps every speaker in one split. Put back a good copy "
        "of it; or delete it, and test no earlier model on the next dataset, some of whose test "
        "speakers it may have been trained on."
    )


def _strata(archives: Iterable[Archive]) -> dict[str, set[Stratum]]:
    """Of each speaker the languages, each also with the gender that most archives state."""
    languages, genders = defaultdict(set), defaultdict(Counter)
    for archive in archives:
        languages[archive.speaker_id].add(archive.language)
        if archive.survey.gender:
            genders[archive.speaker_id][archive.survey.gender] += 1
    strata = {}
    for speaker, spoken in languages.items():
        strata[speaker] = {(language,) for language in spoken}
        for gender, _ in genders[speaker].most_common(1):
            strata[speaker] |= {(language, gender) for language in spoken}
    return strata
