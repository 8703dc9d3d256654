"""Sentences → an audiofolder of synthetic speech by espeak-ng; material for training only.

espeak-ng's own voices are formants. With MBROLA voices installed it speaks through the diphones of
real people instead (Dutoit et al. 1996), in some thirty languages.
"""

import csv
import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile
from tqdm import tqdm

from langid.audio import SAMPLE_RATE, load_audio
from langid.data.espeak import espeak_voice
from langid.errors import AudioError, DataError
from langid.languages import code_or_text

SOURCE = "espeak_ng"
LICENCE = "synthetic (espeak-ng, GPL-3.0 engine)"
MBROLA_SOURCE = "mbrola"
MBROLA_LICENCE = "synthetic (MBROLA voice, non-commercial)"
MBROLA_PREFIX = "mb-"  # of espeak-ng's names for them
# A line of the list of voices: "7  it  --/F  italian-mbrola-4  mb/mb-it4". Those that read another
# language than their own, "mb/mb-de4-en", are left out.
MBROLA_LINE = re.compile(r"\s*\d+\s+(\S+)\s.*\smb/(mb-[a-z]+\d)\s")
# espeak-ng's own voice variants. Every language is spoken by the same ones, so that no voice
# gives a language away; the first of them differ most.
VOICES = (
    *("m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "f5", "m6", "m7", "m8", "klatt"),
    *("klatt2", "klatt3", "klatt4", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo"),
    *("Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen"),
    *("Storm", "Tweaky", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris"),
    *("caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave", "iven", "john", "linda"),
    *("marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob"),
    *("robert", "sandro", "shelby", "steph", "travis", "victor", "whisper", "zac"),
)
PITCH_RANGE = (30, 70)  # espeak-ng's scale, 0 to 99
RATE_RANGE_WPM = (130, 200)
MAX_SENTENCE_CHARS = 500  # some 40 s of speech
FORMATS = {
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
}
COLUMNS = (
    *("file_name", "language", "split", "source", "speaker"),
    *("licence", "synthetic", "seconds", "transcript"),
)


@dataclass(frozen=True)
class Reading:
    """One sentence to be read, and how."""

    language: str
    sentence: str
    voice: str
    pitch: int
    rate_wpm: int


def read_sentences(folder: Path) -> dict[str, list[str]]:
    """Sentences of ``folder/<code>.txt``, one a line, for each language code.

    Raises
    ------
    DataError
        If there is no such file, or one is empty, not text, or has too long a line.
    """
    sentences = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text: save it again as UTF-8.") from error
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from error
        lines = [line for line in lines if line]
        if not lines:
            raise DataError(f"{path} holds no sentence: write one a line, or delete the file.")
        if max(map(len, lines)) > MAX_SENTENCE_CHARS:
            raise DataError(
                f"{path} has a line of over {MAX_SENTENCE_CHARS} characters: write one sentence "
                "a line."
            )
        # A variety, "pt-br", keeps its name: espeak-ng has a voice for it.
        language = path.stem if "-" in path.stem else code_or_text(path.stem)
        sentences[language] = list(dict.fromkeys([*sentences.get(language, ()), *lines]))
    if not sentences:
        raise DataError(f"No sentences in {folder}: it needs files such as fr.txt and de.txt.")
    return sentences


def mbrola_voices(language: str) -> list[str]:
    """The installed MBROLA voices of ``language`` by espeak-ng's names, such as "mb-it4"."""
    listing = _run_espeak("--voices=mb").stdout.decode()
    found = [MBROLA_LINE.match(f"{line} ") for line in listing.splitlines()]
    named = {match[2]: match[1] for match in found if match}
    return [
        name
        for name, spoken in sorted(named.items())
        if language in (spoken, spoken.split("-")[0])
        and _run_espeak("-q", "-v", name, "a").returncode == 0
    ]


def plan_readings(
    sentences: dict[str, list[str]], voices: dict[str, list[str]], n_clips: int, seed: int
) -> Iterator[Reading]:
    """Readings of at most ``n_clips`` a language, equally many of each language.

    Every one of a language's ``voices`` reads about as much as the others, and none reads a
    sentence twice.
    """
    possible = [len(lines) * len(voices[language]) for language, lines in sentences.items()]
    n_clips = min([n_clips, *possible])
    for language, lines in sorted(sentences.items()):
        own_voices = voices[language]
        chance = random.Random(f"{seed}:{language}")
        lines = chance.sample(lines, len(lines))
        for number in range(n_clips):
            turn, place = divmod(number, len(lines))
            yield Reading(
                language,
                lines[place],
                own_voices[(place + turn) % len(own_voices)],
                chance.randint(*PITCH_RANGE),
                chance.randint(*RATE_RANGE_WPM),
            )


def speak(
    sentences: dict[str, list[str]],
    output: Path,
    *,
    n_voices: int = len(VOICES),
    mbrola: bool = False,
    max_clips_per_language: int = 500,
    file_format: str = "opus",
    seed: int = 0,
) -> tuple[int, list[str]]:
    """Write an audiofolder with ``metadata.csv`` to ``output``.

    Each clip is mono at 16 kHz and stands in the train split; the speaker is the voice. With
    ``mbrola``, each language's installed MBROLA voices read beside the ``n_voices`` of espeak-ng.
    Returns the number of clips, and the sentences that gave no usable sound (such as "!").

    Raises
    ------
    DataError
        If espeak-ng is missing or lacks a language, no MBROLA voice of the languages is
        installed, or ``output`` cannot be written.
    """
    if shutil.which("espeak-ng") is None:
        raise DataError(
            "espeak-ng is not installed: install it, on Debian or Ubuntu with "
            "'apt install espeak-ng', on macOS with 'brew install espeak-ng'."
        )
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise DataError(f"{output} exists already: choose another folder, or delete it.")
    n_clips, mute = 0, []
    own = {language: mbrola_voices(language) if mbrola else [] for language in sentences}
    if mbrola and not any(own.values()):
        raise DataError(
            "No MBROLA voice of these languages is installed: install some, on Debian or Ubuntu "
            "for example with 'apt install mbrola-it4' from non-free, or leave out --mbrola."
        )
    voices = {language: [*VOICES[:n_voices], *own[language]] for language in sentences}
    readings = list(plan_readings(sentences, voices, max_clips_per_language, seed))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-part-") as work:
            folder = Path(work) / "audiofolder"
            folder.mkdir()
            with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, COLUMNS)
                table.writeheader()
                record = partial(_record, folder=folder, file_format=file_format)
                # espeak-ng and the encoder run outside Python's lock: threads are enough.
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    rows = pool.map(record, readings, range(len(readings)))
                    for reading, row in zip(
                        readings,
                        tqdm(rows, total=len(readings), unit="clip", disable=None),
                        strict=True,
                    ):
                        if row is None:
                            mute.append(reading.sentence)
                        else:
                            table.writerow(row)
                            n_clips += 1
            folder.rename(output)
    except OSError as error:
        raise DataError(f"Cannot write {output}: {error.strerror or error}.") from error
    return n_clips, mute


def _record(reading: Reading, number: int, folder: Path, file_format: str) -> dict[str, str] | None:
    """Speak one reading into the folder; its row of the metadata, None if it has no sound."""
    name = f"{reading.language}/{number:06d}-{reading.voice}.{file_format}"
    path = folder / name
    try:
        waveform, _ = load_audio(_espeak(reading))
    except AudioError:
        return None
    if not waveform.any():  # espeak-ng reads such text as a pause
        return None
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, waveform, SAMPLE_RATE, **FORMATS[file_format])
    is_mbrola = reading.voice.startswith(MBROLA_PREFIX)
    source = MBROLA_SOURCE if is_mbrola else SOURCE
    return {
        "file_name": name,
        "language": reading.language,
        "split": "train",
        "source": source,
        "speaker": f"{source}:{reading.voice}",
        "licence": MBROLA_LICENCE if is_mbrola else LICENCE,
        "synthetic": "1",
        "seconds": f"{len(waveform) / SAMPLE_RATE:.2f}",
        "transcript": reading.sentence,
    }


def _espeak(reading: Reading) -> bytes:
    """WAV bytes, through a file: what espeak-ng writes to a pipe states no length."""
    voice = reading.voice
    if not voice.startswith(MBROLA_PREFIX):  # a variant of the language's own voice
        voice = f"{espeak_voice(reading.language) or reading.language}+{voice}"
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "speech.wav"
        command = ["--stdin", "-b", "1", "-w", str(path), "-v", voice]
        command += ["-p", str(reading.pitch), "-s", str(reading.rate_wpm)]
        run = _run_espeak(*command, text=reading.sentence)
        if run.returncode != 0 or not path.exists():
            message = run.stderr.decode(errors="replace").strip().removeprefix("Error: ")
            raise DataError(f"espeak-ng cannot speak {reading.language!r}: {message}")
        return path.read_bytes()


def _run_espeak(*arguments: str, text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        ["espeak-ng", *arguments], input=text.encode(), capture_output=True, check=False
    )
