"""Which archives a dataset is made of, how much of each, and in which splits: decided once.

A `Planner` for each language says what is to be fetched next while surveys become known;
`make_plan` takes from them what is kept and gives each speaker a split. The `Plan` is written
beside the archives, and the build only does what it says.
"""

import hashlib
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from langid.data.clips import ClipLimits
from langid.data.splits import SPLITS, Stratum, assign_speakers
from langid.data.utterance import Drops, Job, Reading
from langid.data.voxforge.archive import Archive, exclusion_reason, read_archive
from langid.data.voxforge.manifest import Manifest
from langid.errors import DataError
from langid.files import read_json, write_json

PLAN_NAME = "plan.json"
# How far a language's or gender's share of a split may be off: the splits are remembered here.
SPLIT_TOLERANCE = 0.1
NOT_NEEDED = "archive not needed"  # why it was left out


@dataclass(frozen=True)
class Caps:
    """How much is wanted; infinity for all there is."""

    max_hours: float  # of a language
    max_minutes_per_speaker: float  # in each language


@dataclass(frozen=True)
class PlannedArchive:
    """All that the build has to know of an archive."""

    key: str
    url_path: str  # where it is below the folder, percent-encoded: its bytes need not be text
    language: str
    speaker_id: str
    split: str
    max_duration_s_total: float | None  # that may be taken of it; None for no limit
    n_bytes_unpacked: int
    digest: str  # of the file

    @property
    def path(self) -> Path:
        """Where it is below the folder of archives."""
        return Path(os.fsdecode(unquote_to_bytes(self.url_path)))


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


class _Budget:
    """What a language and each of its speakers may still give: the one place for the caps."""

    def __init__(self, caps: Caps):
        # Whole milliseconds: a sum of floats would depend on what is known so far.
        self._language_ms = _ms(3600 * caps.max_hours)
        self._speaker_ms = defaultdict(lambda: _ms(60 * caps.max_minutes_per_speaker))

    def left_s(self, speaker_id: str) -> float:
        return min(self._speaker_ms[speaker_id], self._language_ms) / 1000

    def take(self, speaker_id: str, duration_s: float) -> None:
        taken_ms = min(_ms(duration_s), self._speaker_ms[speaker_id])
        self._speaker_ms[speaker_id] -= taken_ms
        self._language_ms -= taken_ms


class Planner:
    """Which archives of one language are needed, while their surveys become known.

    Every speaker's first archive comes before anybody's second. A speaker's archives come in the
    order of their names, those of one round by a hash of the name: the same on every machine, and
    little changed by archives that are added later.
    """

    def __init__(self, language: str, archives: Iterable[Archive], caps: Caps, drops: Drops):
        """``drops`` receives the archives of speakers who are excluded."""
        self.language = language
        self._caps = caps
        self._known: dict[str, Archive | None] = {}  # surveyed, or None where there is nothing
        self._in_flight: set[str] = set()
        by_speaker = defaultdict(list)
        for archive in archives:
            reason = exclusion_reason(language, archive.speaker_id)
            if reason is None:
                by_speaker[archive.speaker_id].append(archive)
            elif archive.survey is None or archive.survey.problem is None:
                drops.add(reason, archive.key)
        places = [
            ((n_before, _hash(archive.stem), archive.key), archive)
            for of_speaker in by_speaker.values()
            for n_before, archive in enumerate(sorted(of_speaker, key=lambda a: (a.stem, a.key)))
        ]
        self.order = [archive for _, archive in sorted(places, key=lambda place: place[0])]
        for archive in self.order:
            if archive.survey is not None:
                self.enter(archive.key, archive)

    def enter(self, key: str, surveyed: Archive | None) -> None:
        """Let an archive be known, with its path and survey; None if it is not to be had."""
        self._known[key] = surveyed
        self._in_flight.discard(key)

    def next(self) -> Archive | None:
        """The archive to fetch next, which is in flight then; None if no other is needed yet.

        To fetch what is missing, in any order and any number at a time, until nothing is, gives
        the same plan as to know all surveys from the start.
        """
        for archive in self._walk():
            if archive.key not in self._known and archive.key not in self._in_flight:
                self._in_flight.add(archive.key)
                return archive
        return None

    def likely_missing(self, typical_s: float) -> list[Archive]:
        """About what is still to be fetched, if the rest lasts as long as what is known.

        ``typical_s`` serves while nothing is known.
        """
        durations_s = [duration_s for key in self._known if (duration_s := self._usable_s(key))]
        mean_s = sum(durations_s) / len(durations_s) if durations_s else typical_s
        return [a for a in self._walk(unknown_s=mean_s) if a.key not in self._known]

    def chosen(self, drops: Drops) -> list[Archive]:
        """What is kept, as far as it is known; ``drops`` receives the rest.

        Raises
        ------
        DataError
            If no archive can be used.
        """
        usable = {key for key in self._known if self._usable_s(key) is not None}
        if not usable:
            raise DataError(
                f"There is no usable archive of {self.language!r} ({drops.in_words() or 'none'}): "
                "leave it out of --languages, or give its archives."
            )
        keys = [archive.key for archive in self._walk() if archive.key in usable]
        not_needed = usable.difference(keys)
        for archive in self.order:
            if archive.key in not_needed:
                drops.add(NOT_NEEDED, archive.key)
        return [self._known[key] for key in keys]

    def allot(
        self, chosen: Iterable[Archive], split_of: Mapping[str, str], folder: Path, drops: Drops
    ) -> Iterator[PlannedArchive]:
        """Say how much of each chosen archive is taken: where it is too much, less for training."""
        budget = _Budget(self._caps)
        for archive in sorted(chosen, key=lambda archive: split_of[archive.speaker_id] == "train"):
            left_s = budget.left_s(archive.speaker_id)
            if left_s <= 0:
                drops.add(NOT_NEEDED, archive.key)
                continue
            budget.take(archive.speaker_id, archive.survey.duration_s)
            yield PlannedArchive(
                key=archive.key,
                url_path=quote_from_bytes(os.fsencode(archive.path.relative_to(folder))),
                language=self.language,
                speaker_id=archive.speaker_id,
                split=split_of[archive.speaker_id],
                max_duration_s_total=None if math.isinf(left_s) else left_s,
                n_bytes_unpacked=archive.survey.n_bytes_unpacked,
                digest=archive.survey.digest,
            )

    def _usable_s(self, key: str) -> float | None:
        archive = self._known[key]
        return None if archive is None else archive.survey.usable_s

    def _walk(self, unknown_s: float = 0.0) -> Iterator[Archive]:
        """Archives in their order until they give the hours asked for.

        Those of a speaker who has given enough are passed by. Those that cannot be used count
        nothing, those not known yet ``unknown_s``: with 0 the walk never ends too early.
        """
        budget = _Budget(self._caps)
        for archive in self.order:
            if budget.left_s(archive.speaker_id) > 0:
                yield archive
                is_known = archive.key in self._known
                duration_s = self._usable_s(archive.key) if is_known else unknown_s
                budget.take(archive.speaker_id, duration_s or 0.0)


def make_plan(
    planners: Iterable[Planner],
    folder: Path,
    drops: Drops,
    settings: dict,
    shares: Mapping[str, float],
    known_splits: Mapping[str, str],
) -> Plan:
    """Keep what the planners chose, and divide its speakers by language and gender.

    Speakers of ``known_splits`` stay where they are. ``drops`` receives what is not kept.

    Raises
    ------
    DataError
        If a language has no usable archive.
    """
    chosen = [(planner, planner.chosen(drops)) for planner in planners]
    strata = _strata(archive for _, archives in chosen for archive in archives)
    split_of = assign_speakers(strata, shares, settings["seed"], known_splits, SPLIT_TOLERANCE)
    return Plan(
        settings,
        tuple(
            planned
            for planner, archives in chosen
            for planned in planner.allot(archives, split_of, folder, drops)
        ),
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
        "of it; or delete it, and do not test on the next dataset what was trained on an earlier."
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


def _ms(duration_s: float) -> float:
    return duration_s if math.isinf(duration_s) else round(1000 * duration_s)


def _hash(stem: str) -> bytes:
    return hashlib.blake2b(f"plan:{stem}".encode(), digest_size=8).digest()
