"""Which archives are wanted: many speakers first, up to the hours asked for."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar


class Planned(Protocol):
    """An archive, on disk or on the server."""

    @property
    def key(self) -> str: ...
    @property
    def stem(self) -> str: ...
    @property
    def speaker_id(self) -> str: ...


AnyPlanned = TypeVar("AnyPlanned", bound=Planned)


@dataclass(frozen=True)
class Caps:
    """How much is wanted; infinity for all there is."""

    max_hours: float  # of a language
    max_minutes_per_speaker: float  # in each language


@dataclass(frozen=True)
class Selection:
    """Keys in the order of the plan."""

    chosen: list[str]
    missing: list[str]  # their durations have to be found out before more can be said


def plan_order(archives: Iterable[AnyPlanned]) -> list[AnyPlanned]:
    """Archives of one language, every speaker's first one before anybody's second.

    A speaker's archives come in the order of their names, those of one round by a hash of the
    name: the same on every machine, and little changed by archives that are added later.
    """
    by_speaker = defaultdict(list)
    for archive in archives:
        by_speaker[archive.speaker_id].append(archive)
    places = []
    for of_speaker in by_speaker.values():
        of_speaker.sort(key=lambda archive: (archive.stem, archive.key))
        for number, archive in enumerate(of_speaker):
            places.append(((number, _hash(archive.stem), archive.key), archive))
    places.sort(key=lambda place: place[0])
    return [archive for _, archive in places]


class _Given:
    """How much has been given, by everybody and by each speaker."""

    def __init__(self, caps: Caps):
        # Whole milliseconds: a sum of floats would depend on what is known so far.
        self._wanted_ms = _ms(caps.max_hours * 3600)
        self._full_ms = _ms(caps.max_minutes_per_speaker * 60)
        self._total_ms = 0
        self._given_ms: dict[str, float] = {}

    def copy(self) -> "_Given":
        other = copy(self)
        other._given_ms = self._given_ms.copy()
        return other

    @property
    def is_done(self) -> bool:
        return self._total_ms >= self._wanted_ms

    def wants(self, archive: Planned) -> bool:
        return self._given_ms.get(archive.speaker_id, 0) < self._full_ms

    def take(self, archive: Planned, duration_s: float | None) -> None:
        given_ms = self._given_ms.get(archive.speaker_id, 0)
        gained_ms = min(_ms(duration_s or 0.0), self._full_ms - given_ms)
        self._given_ms[archive.speaker_id] = given_ms + gained_ms
        self._total_ms += gained_ms


def select(
    order: Sequence[Planned],
    duration_of: Mapping[str, float | None],
    caps: Caps,
    *,
    unknown_s: float = 0.0,
) -> Selection:
    """Walk through archives of one language until they give ``caps.max_hours``.

    ``duration_of`` gives seconds by key, None for an archive that cannot be used; a key that it
    does not have is an archive not seen yet, which counts ``unknown_s``. Archives of a speaker
    who has given ``caps.max_minutes_per_speaker`` are passed by.

    With ``unknown_s`` of 0 the walk never ends too early: what is missing includes every archive
    that the walk would visit if all durations were known. To fetch what is missing, in any order
    and any number at a time, until nothing is, gives the same choice as to know all from the
    start.
    """
    given = _Given(caps)
    chosen, missing = [], []
    for archive in order:
        if given.is_done:
            break
        if not given.wants(archive):
            continue
        duration_s = duration_of.get(archive.key, unknown_s)
        given.take(archive, duration_s)
        if archive.key not in duration_of:
            missing.append(archive.key)
        elif duration_s is not None:
            chosen.append(archive.key)
    return Selection(chosen, missing)


class Plan(Generic[AnyPlanned]):
    """What ``select`` misses, one by one, while durations become known."""

    def __init__(self, archives: Iterable[AnyPlanned], caps: Caps):
        self.order = plan_order(archives)
        self.duration_of: dict[str, float | None] = {}
        self._caps = caps
        self._in_flight: set[str] = set()
        # The walk up to the first unknown archive, which later knowledge does not change.
        self._n_settled = 0
        self._settled = _Given(caps)

    def next(self) -> AnyPlanned | None:
        """The archive to fetch next, which is in flight then; None if no other is needed yet."""
        self._settle()
        ahead = self._settled.copy()
        for archive in islice(self.order, self._n_settled, None):
            if ahead.is_done:
                return None
            if not ahead.wants(archive):
                continue
            if archive.key in self.duration_of:
                ahead.take(archive, self.duration_of[archive.key])
            elif archive.key not in self._in_flight:
                self._in_flight.add(archive.key)
                return archive
        return None

    def enter(self, key: str, duration_s: float | None) -> None:
        """Let the duration of an archive be known; None if it cannot be used."""
        self.duration_of[key] = duration_s
        self._in_flight.discard(key)

    def likely(self, typical_s: float) -> list[AnyPlanned]:
        """About what is still to be fetched, if the rest lasts as long as what is known.

        ``typical_s`` serves while nothing is known.
        """
        durations = [duration_s for duration_s in self.duration_of.values() if duration_s]
        mean_s = sum(durations) / len(durations) if durations else typical_s
        missing = set(select(self.order, self.duration_of, self._caps, unknown_s=mean_s).missing)
        return [archive for archive in self.order if archive.key in missing]

    def _settle(self) -> None:
        for archive in islice(self.order, self._n_settled, None):
            if self._settled.is_done:
                return
            if self._settled.wants(archive):
                if archive.key not in self.duration_of:
                    return
                self._settled.take(archive, self.duration_of[archive.key])
            self._n_settled += 1


def _ms(duration_s: float) -> float:
    return duration_s if duration_s == float("inf") else round(1000 * duration_s)


def _hash(stem: str) -> bytes:
    return hashlib.blake2b(f"plan:{stem}".encode(), digest_size=8).digest()
