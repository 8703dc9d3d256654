"""What an archive of VoxForge is: its name, its speaker, and the utterances inside."""

import re
from dataclasses import dataclass
from pathlib import Path

from langid.clips import ClipLimits
from langid.utterance import Reading

SOURCE = "voxforge"
LICENCE = "GPL-3.0-or-later"
# Speakers who are known not to speak the language that they stand under.
NOT_SPEAKING = frozenset({("it", "voxforge:vistaus")})

_SUFFIX = re.compile(r"\.(tgz|tar\.gz|tar)$", re.IGNORECASE)
_ANONYMOUS = re.compile(r"an[oó]n[iy]m", re.IGNORECASE)


@dataclass(frozen=True)
class Survey:
    """What an archive holds, by its headers: nothing is decoded for it."""

    n_recordings: int
    duration_s: float
    gender: str | None  # "female", "male" or "other", by the README
    language: str | None  # ISO 639-1 code, by the README
    n_bytes_unpacked: int
    problem: str | None  # why it cannot be used to its end, such as "truncated"


def archive_stem(file_name: str) -> str:
    """``"Foo-20080318-kdl.tgz"`` → ``"Foo-20080318-kdl"``."""
    return _SUFFIX.sub("", file_name)


def speaker_of(stem: str) -> str:
    """Speaker id of an archive: its user, or the archive itself where the user is anonymous."""
    user = stem.split("-", 1)[0].strip().casefold()
    known = user and not _ANONYMOUS.match(user)
    return f"{SOURCE}:{user if known else stem.casefold()}"


def survey_archive(path: Path) -> Survey:
    """Survey an archive of any content; only an OSError of the disk passes through."""
    raise NotImplementedError


def read_archive(
    path: Path, language: str, *, limits: ClipLimits, max_duration_s_total: float
) -> Reading:
    """Every usable recording of an archive, in the order of names, with what is known of it."""
    raise NotImplementedError
