"""Which archives are wanted: many speakers first, up to the hours asked for."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


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


def select(
    order: Sequence[Planned],
    duration_of: Mapping[str, float | None],
    max_hours: float,
    max_minutes_per_speaker: float,
    *,
    unknown_s: float = 0.0,
) -> Selection:
    """Walk through archives of one language until they give ``max_hours``.

    ``duration_of`` gives seconds by key, None for an archive that cannot be used; a key that it
    does not have is an archive not seen yet, which counts ``unknown_s``. Archives of a speaker
    who has given ``max_minutes_per_speaker`` are passed by.

    With ``unknown_s`` of 0 the walk never ends too early: what is missing includes every archive
    that the walk would visit if all durations were known. To fetch what is missing, in any order
    and any number at a time, until nothing is, gives the same choice as to know all from the
    start.
    """
    # Whole milliseconds: a sum of floats would depend on what is known so far.
    wanted_ms, full_ms = _ms(max_hours * 3600), _ms(max_minutes_per_speaker * 60)
    total_ms = 0
    given_ms: dict[str, float] = defaultdict(int)
    chosen, missing = [], []
    for archive in order:
        if total_ms >= wanted_ms:
            break
        if given_ms[archive.speaker_id] >= full_ms:
            continue
        duration_s = duration_of.get(archive.key, unknown_s)
        if archive.key not in duration_of:
            missing.append(archive.key)
        elif duration_s is None:
            continue
        else:
            chosen.append(archive.key)
        gained_ms = min(_ms(duration_s), full_ms - given_ms[archive.speaker_id])
        given_ms[archive.speaker_id] += gained_ms
        total_ms += gained_ms
    return Selection(chosen, missing)


def _ms(duration_s: float) -> float:
    return duration_s if duration_s == float("inf") else round(1000 * duration_s)


def _hash(stem: str) -> bytes:
    return hashlib.blake2b(f"plan:{stem}".encode(), digest_size=8).digest()
