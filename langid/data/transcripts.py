"""A dataset → the same with the transcripts that it lacks, written by a speech recogniser.

What the recogniser says of a clip is kept, under the digest of its samples, as soon as it is said:
an interruption costs the clips in work, and a clip that stands in another dataset, or is asked for
with another ``min_confidence``, costs nothing.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from langid.audio import load_audio
from langid.data.merge import RowGroup, merge_jobs, read_row_group
from langid.data.store import opened
from langid.data.utterance import Job, Reading, Utterance
from langid.errors import AudioError, DataError

STRETCH_S = 10.0  # of audio to transcribe in a job: several of them are what Ctrl-C waits for
MAX_ROWS = 500  # of a job, whatever is to be transcribed of them
TYPICAL_S = 5.0  # of a clip whose duration is not stored

# From where Whisper takes its own text for invented (arXiv:2212.04356, section 4.5).
MAX_COMPRESSION_RATIO = 2.4  # of the text by zlib: it goes round in circles
MIN_MEAN_LOG_P = -1.0  # of a token


@dataclass(frozen=True)
class Transcript:
    """A recogniser's text of a recording, with its own measures of how far to trust it."""

    text: str
    mean_log_p: float = 0.0  # over the tokens, the natural logarithm of their probabilities
    compression_ratio: float = 0.0  # of the most repetitive part

    @property
    def confidence(self) -> float:
        """Mean (geometric) probability of a token, 0 to 1."""
        return float(np.exp(self.mean_log_p))

    def fault(self, min_confidence: float) -> str | None:
        """Why this is not to be believed, if it is not."""
        if not any(character.isalnum() for character in self.text):
            return "no words in it"
        if self.compression_ratio > MAX_COMPRESSION_RATIO:
            return "the text repeats itself"
        if self.mean_log_p < MIN_MEAN_LOG_P or self.confidence < min_confidence:
            return "too uncertain"
        return None


class Transcriber(Protocol):
    """What transcribing needs of a recogniser; tests put a small one in its place."""

    name: str  # for the column ``transcript_source``
    fingerprint: str  # equal only for recognisers that say the same

    def knows(self, language: str) -> bool:
        """Whether a clip with this label can be transcribed; False for noise, too."""
        ...

    def transcribe(self, waveform: np.ndarray, language: str) -> Transcript:
        """Waveform (n_samples,) float32 in [-1, 1] at 16 kHz, in a language that it knows."""
        ...


def transcript_jobs(
    name: str, folder: Path, transcriber: Transcriber
) -> tuple[list[Job], list[str]]:
    """Jobs that read all rows of a dataset, and its languages; see `langid.data.merge.merge_jobs`.

    A job's ``amount`` is the hours in it that are to be transcribed; what another transcriber made
    of it is out of date.
    """
    row_groups, languages = merge_jobs({name: folder})
    return [job for whole in row_groups for job in _stretches(whole, transcriber)], languages


def _stretches(whole: Job, transcriber: Transcriber) -> Iterator[Job]:
    """A row group's job in pieces of about `STRETCH_S` to transcribe."""
    part: RowGroup = whole.item
    with opened(part.path) as file:
        small = {"language", "transcript", "duration_s"}.intersection(file.schema_arrow.names)
        rows = file.read_row_group(part.index, columns=sorted(small)).to_pylist()
    first, seconds = 0, 0.0
    for end, row in enumerate(rows, start=1):
        index = row["language"]
        is_labelled = index is not None and 0 <= index < len(part.languages)
        lacks_text = not _has_text(row.get("transcript"))
        if is_labelled and lacks_text and transcriber.knows(part.languages[index]):
            seconds += row.get("duration_s") or TYPICAL_S
        if seconds >= STRETCH_S or end - first == MAX_ROWS or end == len(rows):
            yield replace(
                whole,
                key=f"{whole.key}/{first}",
                n_bytes=whole.n_bytes * (end - first) // len(rows),
                item=replace(part, first_row=first, n_rows=end - first),
                stamp=f"{whole.stamp} {transcriber.fingerprint}",
                amount=seconds / 3600,
            )
            first, seconds = end, 0.0


def read_and_transcribe(
    job: Job, open_transcriber: Callable[[], Transcriber], kept: Path, min_confidence: float
) -> Reading:
    """The rows as utterances, with a transcript as far as one can be had and believed.

    ``open_transcriber`` is called for every job: it should give out the same one again. ``kept``
    is the file of what was said before.

    Raises
    ------
    DataError
        If a file is damaged, or ``kept`` cannot be used.
    langid.errors.TeacherError
        If ``open_transcriber`` does.
    """
    reading = read_row_group(job)
    transcriber = open_transcriber()
    with _opened_kept(kept) as database:
        for index, utterance in enumerate(reading.utterances):
            if _has_text(utterance.transcript) or not transcriber.knows(utterance.language):
                continue
            transcript = _transcript(utterance, transcriber, database)
            fault = transcript.fault(min_confidence) if transcript else "undecodable"
            if fault:
                reading.changes.add(f"left without transcript: {fault}", utterance.file_name)
                continue
            reading.changes.add(f"transcribed by {transcriber.name}", utterance.file_name)
            reading.utterances[index] = replace(
                utterance,
                transcript=transcript.text,
                transcript_source=transcriber.name,
                transcript_confidence=transcript.confidence,
            )
    return reading


def _has_text(transcript: str | None) -> bool:
    return bool(transcript and transcript.strip())


def _transcript(
    utterance: Utterance, transcriber: Transcriber, database: sqlite3.Connection
) -> Transcript | None:
    """From ``database`` or written now, and kept there; None for what cannot be decoded."""
    key = f"{utterance.audio_digest} {utterance.language} {transcriber.fingerprint}"
    if row := database.execute("SELECT said FROM transcripts WHERE key = ?", [key]).fetchone():
        return Transcript(**json.loads(row[0]))
    try:
        waveform, _ = load_audio(utterance.audio)
    except AudioError:
        return None
    transcript = transcriber.transcribe(waveform, utterance.language)
    said = json.dumps(asdict(transcript))
    database.execute("INSERT OR REPLACE INTO transcripts VALUES (?, ?)", [key, said])
    return transcript


@contextmanager
def _opened_kept(path: Path) -> Iterator[sqlite3.Connection]:
    """What was said before; each row that is added is on the disk at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Processes wait for each other; a row takes milliseconds.
        with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS transcripts (key TEXT PRIMARY KEY, said TEXT)"
            )
            yield database
    except sqlite3.Error as error:
        raise DataError(
            f"{path}, where transcripts are kept, cannot be used ({error}): make room on its disk, "
            "or delete it to begin anew."
        ) from error
