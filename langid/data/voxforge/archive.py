"""What an archive of VoxForge is: its name, its speaker, and the utterances inside."""

import hashlib
import io
import re
import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path, PurePosixPath

import soundfile

from langid.audio import AUDIO_SUFFIXES
from langid.data.clips import ClipLimits, Piece, UnusableClip, encode_clip
from langid.data.utterance import Reading, Utterance
from langid.data.voxforge.metadata import ArchiveTexts
from langid.data.voxforge.safe_tar import ArchiveError, read_files
from langid.data.voxforge.words import plain_words
from langid.files import text_of_name

SOURCE = "voxforge"
LICENCE = "GPL-3.0-or-later"
ARCHIVE_SUFFIXES = (".tgz", ".tar.gz", ".tar")
ENGLISH_FOLDER = "SpeechCorpus"  # English is the oldest part and stood by itself once
OVER_CAP = "over the cap of its speaker or language"  # why an utterance was left out

# Speakers who are known not to speak the language that they stand under.
_EXCLUDED_SPEAKERS = frozenset({("it", "voxforge:vistaus")})
_ANONYMOUS = re.compile(r"(anon[iy]m(o|e|a|us|os|ous)?|unknown)?")  # in all languages
_LANGUAGE_IN_FRONT = re.compile(r"[A-Z]{2}-(?=.+-\d{8})")  # as the programs call submissions
_DATE_AFTER_NAME = re.compile(r"-|_(?=\d{8})")
# Sound takes more: codecs of telephones start at 4 kbit/s, and FLAC of speech at 16 kHz takes
# some 100. A header that says less lies, or that is how its length is not known, or all is silence.
_MIN_BYTES_PER_S = 500
_READ_BYTES = 2**20
_MAX_RECORDING_S = 1800.0  # those of VoxForge are single sentences


@dataclass(frozen=True)
class Survey:
    """What an archive holds, by its headers: nothing is decoded for it."""

    n_recordings: int  # whose header can be read
    duration_s: float
    gender: str | None  # "female", "male" or "other", by the README
    language: str | None  # ISO 639-1 code, by the README
    n_bytes_unpacked: int  # of its recordings and texts
    problem: str | None  # why it cannot be used to its end, such as "truncated"
    digest: str  # of the file's bytes, hexadecimal: equal for copies

    @property
    def usable_s(self) -> float | None:
        """Its duration; None if nothing of it can be used."""
        return self.duration_s if self.problem is None else None


@dataclass(frozen=True)
class Archive:
    """An archive on disk, or one that the server lists and that is not surveyed yet."""

    language: str
    key: str  # path below the folder of archives as text, with forward slashes
    path: Path | None = None  # on disk
    url: str | None = None  # on the server
    n_bytes: int | None = None  # on the server, as its page rounds it
    survey: Survey | None = None  # ``survey.problem`` says why, if it cannot be used

    @cached_property
    def stem(self) -> str:
        return archive_stem(PurePosixPath(self.key).name)

    @cached_property
    def speaker_id(self) -> str:
        return speaker_of(self.stem)


def archive_stem(file_name: str) -> str:
    """``"Foo-20080318-kdl.tgz"`` → ``"Foo-20080318-kdl"``."""
    for suffix in ARCHIVE_SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)]
    return file_name


def speaker_of(stem: str) -> str:
    """Speaker id of an archive: its user, or the archive itself where the user is anonymous.

    The user is what stands before the date: ``"Foo-20080318-kdl"``, ``"Foo_20080318"``. Of a
    name with a hyphen only the first part counts: two users may be taken for one, but never one
    for two, who might then stand in two splits.
    """
    stem = unicodedata.normalize("NFC", stem)
    user = _DATE_AFTER_NAME.split(_LANGUAGE_IN_FRONT.sub("", stem), maxsplit=1)[0].strip()
    plain = "".join(plain_words(user))
    return f"{SOURCE}:{(stem if _ANONYMOUS.fullmatch(plain) else user).casefold()}"


def exclusion_reason(language: str, speaker_id: str) -> str | None:
    """Why nothing of a speaker is used for a language; None for almost all."""
    is_excluded = (language, speaker_id) in _EXCLUDED_SPEAKERS
    return "speaker does not speak the language" if is_excluded else None


def survey_archive(path: Path) -> Survey:
    """Survey an archive, whatever it contains, by reading it once to its end.

    Raises
    ------
    OSError
        If the disk does not give the file; all else is a ``problem``.
    """
    texts, durations_s, n_bytes, problem = ArchiveTexts(), [], 0, None
    with path.open("rb") as file:
        digested = _DigestedFile(file)
        buffered = io.BufferedReader(digested, _READ_BYTES)  # which closes the other when it goes
        try:
            for name, data in read_files(buffered, _wants, lambda reason, name: None):
                n_bytes += len(data)
                if _is_audio(name):
                    duration_s = _header_duration_s(data)
                    durations_s += [] if duration_s is None else [duration_s]
                else:
                    texts.add(name, data)
            if not durations_s:
                problem = "no recordings inside"
        except ArchiveError as error:
            problem = str(error)
        digest = digested.hexdigest()
    facts = texts.speaker()
    return Survey(
        n_recordings=len(durations_s),
        duration_s=sum(durations_s, 0.0),
        gender=facts.gender,
        language=facts.language,
        n_bytes_unpacked=n_bytes,
        problem=problem,
        digest=digest,
    )


def read_archive(
    path: Path, language: str, *, limits: ClipLimits, max_duration_s_total: float = float("inf")
) -> Reading:
    """Every usable recording of an archive, in the order of names, with what is known of it.

    With the first recording that does not fit into ``max_duration_s_total``, the rest of the
    archive is left out too, and of one recording what comes after half an hour. Nothing is taken
    from an archive that turns out to be damaged, not even what came before: the checksum over all
    of it stands at the end. One recording at a time is held as it was; of the others only what is
    stored.

    Raises
    ------
    OSError
        If the disk does not give the file.
    """
    stem = archive_stem(text_of_name(path.name))
    reading, texts = Reading(), ArchiveTexts(language)
    pieces_of: dict[str, list[Piece]] = {}
    left_s = max_duration_s_total

    def leave_out(reason: str, name: str) -> None:
        reading.excluded.add(reason, f"{stem}/{PurePosixPath(name).name}")

    with path.open("rb") as file:
        try:
            for path_inside, data in read_files(file, _wants, leave_out):
                if not _is_audio(path_inside):
                    texts.add(path_inside, data)
                    continue
                try:
                    pieces, changes, left_s = _encode(data, limits, left_s)
                except UnusableClip as reason:
                    leave_out(str(reason), path_inside)
                    continue
                if left_s < 0:
                    leave_out(OVER_CAP, path_inside)
                if pieces:
                    name = PurePosixPath(path_inside)
                    pieces_of[_free_id(name.stem, pieces_of)] = pieces
                    for change in changes:
                        reading.changes.add(change, f"{stem}/{name.name}")
        except ArchiveError as error:
            reading = Reading()
            reading.excluded.add(f"corrupt archive: {error}", stem)
            return reading
    reading.utterances = _utterances(stem, language, pieces_of, texts)
    return reading


def _utterances(
    stem: str, language: str, pieces_of: Mapping[str, list[Piece]], texts: ArchiveTexts
) -> list[Utterance]:
    speaker, transcripts = texts.speaker(), texts.transcripts()
    return [
        piece.utterance(
            recording_id,
            number,
            transcripts.get(recording_id.casefold()),
            folder=f"{stem}/",
            language=language,
            speaker_id=speaker_of(stem),
            source=SOURCE,
            archive=stem,
            gender=speaker.gender,
            age_range=speaker.age_range,
            dialect=speaker.dialect,
            native_speaker=speaker.native_speaker,
            licence=LICENCE,
        )
        for recording_id, pieces in sorted(pieces_of.items())
        for number, piece in enumerate(pieces)
    ]


def _encode(
    recording: bytes, limits: ClipLimits, left_s: float
) -> tuple[list[Piece], list[str], float]:
    """As `encode_clip`: the first pieces, as many as fit, the changes, and what is left then.

    That is negative if one did not fit.
    """
    if left_s <= 0:
        raise UnusableClip(OVER_CAP)
    pieces, changes = encode_clip(recording, limits, _MAX_RECORDING_S)
    fitting = []
    for piece in pieces:
        left_s -= piece.duration_s
        if left_s < 0:
            break
        fitting.append(piece)
    return fitting, changes, left_s


def _free_id(stem: str, taken: Container[str]) -> str:
    """The stem itself, unless a file of that name came from another folder."""
    ids = chain([stem], (f"{stem}_{number}" for number in count(2)))
    return next(recording_id for recording_id in ids if recording_id not in taken)


def _wants(name: str, n_bytes: int) -> bool:
    return _is_audio(name) or ArchiveTexts.wants(name, n_bytes)


def _is_audio(name: str) -> bool:
    path = PurePosixPath(name)  # a name with a dot in front is what macOS adds to archives
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")


class _DigestedFile(io.RawIOBase):
    """A file whose bytes are hashed while they are read."""

    def __init__(self, file: io.BufferedReader):
        self._file = file
        self._hash = hashlib.blake2b(digest_size=16)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        n_bytes = self._file.readinto(buffer)
        self._hash.update(buffer[:n_bytes])
        return n_bytes

    def hexdigest(self) -> str:
        """Digest of the whole file, whose rest is read now."""
        while self.read(_READ_BYTES):
            pass
        return self._hash.hexdigest()


def _header_duration_s(recording: bytes) -> float | None:
    """Seconds by the header, or by the size where the header cannot be right; None for no audio."""
    try:
        info = soundfile.info(io.BytesIO(recording))
    except soundfile.LibsndfileError:
        return None
    if 0 < info.duration <= len(recording) / _MIN_BYTES_PER_S:
        return info.duration
    return len(recording) / (2 * info.channels * info.samplerate)
