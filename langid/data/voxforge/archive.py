"""What an archive of VoxForge is: its name, its speaker, and the utterances inside."""

import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import soundfile

from langid.audio import AUDIO_SUFFIXES
from langid.data.clips import ClipLimits, Piece, UnusableClip, encode_clip
from langid.files import text_of_name
from langid.data.utterance import HAS_ENOUGH, Reading, Utterance
from langid.data.voxforge.metadata import ArchiveTexts
from langid.data.voxforge.safe_tar import ArchiveError, read_members
from langid.data.voxforge.words import plain_words

SOURCE = "voxforge"
LICENCE = "GPL-3.0-or-later"
ARCHIVE_SUFFIXES = (".tgz", ".tar.gz", ".tar")
ENGLISH_FOLDER = "SpeechCorpus"  # English is the oldest part and stood alone once

# Speakers who are known not to speak the language that they stand under.
_NOT_SPEAKING = frozenset({("it", "voxforge:vistaus")})
_ANONYMOUS = re.compile(r"(anon[iy]m(o|e|a|us|os|ous)?|unknown)?")  # in all languages
_LANGUAGE_IN_FRONT = re.compile(r"[A-Z]{2}-(?=.+-\d{8})")  # as the programs call submissions
_DATE_AFTER_NAME = re.compile(r"-|_(?=\d{8})")
# Sound takes more: codecs of telephones start at 4 kbit/s, and FLAC of speech at 16 kHz takes
# some 100. A header that says less lies, or that is how its length is not known, or all is silence.
_MIN_BYTES_PER_S = 500
_MAX_RECORDING_S = 1800.0  # those of VoxForge are single sentences


@dataclass(frozen=True)
class Survey:
    """What an archive holds, by its headers: nothing is decoded for it."""

    n_recordings: int  # whose header can be read
    duration_s: float
    gender: str | None  # "female", "male" or "other", by the README
    language: str | None  # ISO 639-1 code, by the README
    n_bytes_unpacked: int
    problem: str | None  # why it cannot be used to its end, such as "truncated"
    digest: str  # of the file's bytes, hexadecimal: equal for copies

    @property
    def usable_s(self) -> float | None:
        """Its duration; None if nothing of it can be used."""
        return self.duration_s if self.problem is None else None


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


def unwanted(language: str, speaker_id: str) -> str | None:
    """Why nothing of a speaker is used for a language; None for almost all."""
    is_known = (language, speaker_id) in _NOT_SPEAKING
    return "speaker does not speak the language" if is_known else None


def survey_archive(path: Path) -> Survey:
    """Survey an archive, whatever it contains, by reading it once to its end.

    Raises
    ------
    OSError
        If the disk does not give the file; all else is a ``problem``.
    """
    texts, durations_s, n_bytes, problem = ArchiveTexts(), [], 0, None
    try:
        for member in read_members(path, lambda reason, name: None):
            n_bytes += member.n_bytes
            if _is_audio(member.name):
                duration_s = _announced_s(member.read())
                durations_s += [] if duration_s is None else [duration_s]
            elif texts.wants(member.name, member.n_bytes):
                texts.add(member.name, member.read())
        if not durations_s:
            problem = "no recordings inside"
    except ArchiveError as error:
        problem = str(error)
    facts = texts.speaker()
    return Survey(
        n_recordings=len(durations_s),
        duration_s=sum(durations_s, 0.0),
        gender=facts.gender,
        language=facts.language,
        n_bytes_unpacked=n_bytes,
        problem=problem,
        digest=_digest(path),
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
    # This bounds the memory only: langid.data.disjoint counts what a speaker gives in all archives.
    left_s = max_duration_s_total

    def leave_out(reason: str, name: str) -> None:
        reading.drops.add(reason, f"{stem}/{PurePosixPath(name).name}")

    try:
        for member in read_members(path, leave_out):
            if not _is_audio(member.name):
                if texts.wants(member.name, member.n_bytes):
                    texts.add(member.name, member.read())
                continue
            if left_s <= 0:
                leave_out(HAS_ENOUGH, member.name)
                continue
            try:
                pieces, changes = encode_clip(member.read(), limits, _MAX_RECORDING_S)
            except UnusableClip as reason:
                leave_out(str(reason), member.name)
                continue
            fitting = list(_fitting(pieces, left_s))
            left_s -= sum(piece.duration_s for piece in fitting)
            if len(fitting) < len(pieces):
                left_s = 0
                leave_out(HAS_ENOUGH, member.name)
            if fitting:
                name = PurePosixPath(member.name)
                pieces_of[_free_id(name.stem, pieces_of)] = fitting
                for change in changes:
                    reading.changes.add(change, f"{stem}/{name.name}")
    except ArchiveError as error:
        reading = Reading()
        reading.drops.add(f"corrupt archive: {error}", stem)
        return reading
    reading.utterances = list(_utterances(stem, language, pieces_of, texts))
    return reading


def _utterances(
    stem: str, language: str, pieces_of: Mapping[str, list[Piece]], texts: ArchiveTexts
) -> Iterator[Utterance]:
    speaker_id, facts, transcripts = speaker_of(stem), texts.speaker(), texts.transcripts()
    for recording_id in sorted(pieces_of):
        for number, piece in enumerate(pieces_of[recording_id]):
            utterance_id = piece.utterance_id(recording_id, number)
            transcript = transcripts.get(recording_id.casefold()) if piece.is_whole else None
            yield Utterance(
                audio=piece.data,
                file_name=f"{stem}/{utterance_id}{piece.suffix}",
                language=language,
                speaker_id=speaker_id,
                source=SOURCE,
                duration_s=piece.duration_s,
                audio_digest=piece.digest,
                archive=stem,
                utterance_id=utterance_id,
                transcript=transcript,
                gender=facts.gender,
                age_range=facts.age_range,
                dialect=facts.dialect,
                native_speaker=facts.native_speaker,
                licence=LICENCE,
            )


def _fitting(pieces: list[Piece], left_s: float) -> Iterator[Piece]:
    """The first pieces, as many as fit."""
    for piece in pieces:
        left_s -= piece.duration_s
        if left_s < 0:
            return
        yield piece


def _free_id(stem: str, taken: Mapping[str, object]) -> str:
    """The stem itself, unless a file of that name came from another folder."""
    recording_id, number = stem, 2
    while recording_id in taken:
        recording_id, number = f"{stem}_{number}", number + 1
    return recording_id


def _is_audio(name: str) -> bool:
    path = PurePosixPath(name)  # a name with a dot in front is what macOS adds to archives
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.blake2b, digest_size=16)).hexdigest()


def _announced_s(recording: bytes) -> float | None:
    """Seconds by the header, or by the size where the header cannot be right; None for no audio."""
    try:
        info = soundfile.info(io.BytesIO(recording))
    except soundfile.LibsndfileError:
        return None
    if 0 < info.duration <= len(recording) / _MIN_BYTES_PER_S:
        return info.duration
    return len(recording) / (2 * info.channels * info.samplerate)
