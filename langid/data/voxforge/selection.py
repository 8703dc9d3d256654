"""Which archives are wanted: many speakers first, up to the hours asked for."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langid.data.utterance import ReasonCounts
from langid.data.voxforge.archive import Archive, exclusion_reason
from langid.errors import DataError

NOT_NEEDED = "archive not needed"  # why it was left out


@dataclass(frozen=True)
class Caps:
    """How much is wanted; infinity for all there is."""

    max_hours: float  # of a language
    max_minutes_per_speaker: float  # in each language


class Budget:
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

    def __init__(
        self, language: str, archives: Iterable[Archive], caps: Caps, excluded: ReasonCounts
    ):
        """``excluded`` receives the archives of speakers who are excluded."""
        self.language = language
        self.caps = caps
        self._known: dict[str, Archive | None] = {}  # surveyed, or None where there is nothing
        self._in_flight: set[str] = set()
        by_speaker = defaultdict(list)
        for archive in archives:
            reason = exclusion_reason(language, archive.speaker_id)
            if reason is None:
                by_speaker[archive.speaker_id].append(archive)
            elif archive.survey is None or archive.survey.problem is None:
                excluded.add(reason, archive.key)
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

    def chosen(self, excluded: ReasonCounts) -> list[Archive]:
        """What is kept, as far as it is known; ``excluded`` receives the rest.

        Raises
        ------
        DataError
            If no archive can be used.
        """
        usable = {key for key in self._known if self._usable_s(key) is not None}
        if not usable:
            raise DataError(
                f"There is no usable archive of {self.language!r} "
                f"({excluded.in_words() or 'none'}): leave it out of --languages, or give its "
                "archives."
            )
        keys = [archive.key for archive in self._walk() if archive.key in usable]
        not_needed = usable.difference(keys)
        for archive in self.order:
            if archive.key in not_needed:
                excluded.add(NOT_NEEDED, archive.key)
        return [self._known[key] for key in keys]

    def _usable_s(self, key: str) -> float | None:
        archive = self._known[key]
        return None if archive is None else archive.survey.usable_s

    def _walk(self, unknown_s: float = 0.0) -> Iterator[Archive]:
        """Archives in their order until they give the hours asked for.

        Those of a speaker who has given enough are passed by. Those that cannot be used count
        nothing, those not known yet ``unknown_s``: with 0 the walk never ends too early.
        """
        budget = Budget(self.caps)
        for archive in self.order:
            if budget.left_s(archive.speaker_id) > 0:
                yield archive
                is_known = archive.key in self._known
                duration_s = self._usable_s(archive.key) if is_known else unknown_s
                budget.take(archive.speaker_id, duration_s or 0.0)


def _ms(duration_s: float) -> float:
    return duration_s if math.isinf(duration_s) else round(1000 * duration_s)


def _hash(stem: str) -> bytes:
    return hashlib.blake2b(f"plan:{stem}".encode(), digest_size=8).digest()
