"""Sentences → an audiofolder of synthetic speech by espeak-ng; material for training only."""

import csv
import os
import random
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


def plan_readings(
    sentences: dict[str, list[str]], n_voices: int, n_clips: int, seed: int
) -> Iterator[Reading]:
    """Readings of at most ``n_clips`` a language, equally many of each language.

    Every voice reads about as much as the others, and none reads a sentence twice.
    """
    n_clips = min([n_clips, *(len(lines) * n_voices for lines in sentences.values())])
    for language, lines in sorted(sentences.items()):
        chance = random.Random(f"{seed}:{language}")
        lines = chance.sample(lines, len(lines))
        for number in range(n_clips):
            turn, place = divmod(number, len(lines))
            yield Reading(
                language,
                lines[place],
                VOICES[(place + turn) % n_voices],
                chance.randint(*PITCH_RANGE),
                chance.randint(*RATE_RANGE_WPM),
            )


def speak(
    sentences: dict[str, list[str]],
    output: Path,
    *,
    n_voices: int = len(VOICES),
    max_clips_per_language: int = 500,
    file_format: str = "opus",
    seed: int = 0,
) -> tuple[int, list[str]]:
    """Write an audiofolder with ``metadata.csv`` to ``output``.

    Each clip is mono at 16 kHz and stands in the train split; the speaker is the voice.
    Returns the number of clips, and the sentences that gave no usable sound (such as "!").

    Raises
    ------
    DataError
        If espeak-ng is missing or lacks a language, or ``output`` cannot be written.
    """
    if shutil.which("espeak-ng") is None:
        raise DataError(
            "espeak-ng is not installed: install it, on Debian or Ubuntu with "
            "'apt install espeak-ng', on macOS with 'brew install espeak-ng'."
        )
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise DataError(f"{output} exists already: choose another folder, or delete it.")
    n_clips, mute = 0, []
    readings = list(plan_readings(sentences, n_voices, max_clips_per_language, seed))
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
    return {
        "file_name": name,
        "language": reading.language,
        "split": "train",
        "source": SOURCE,
        "speaker": f"{SOURCE}:{reading.voice}",
        "licence": LICENCE,
        "synthetic": "1",
        "seconds": f"{len(waveform) / SAMPLE_RATE:.2f}",
        "transcript": reading.sentence,
    }


def _espeak(reading: Reading) -> bytes:
    """WAV bytes, through a file: what espeak-ng writes to a pipe states no length."""
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "speech.wav"
        command = ["espeak-ng", "--stdin", "-b", "1", "-w", str(path)]
        command += ["-v", f"{espeak_voice(reading.language) or reading.language}+{reading.voice}"]
        command += ["-p", str(reading.pitch), "-s", str(reading.rate_wpm)]
        run = subprocess.run(
            command, input=reading.sentence.encode(), capture_output=True, check=False
        )
        if run.returncode != 0 or not path.exists():
            message = run.stderr.decode(errors="replace").strip().removeprefix("Error: ")
            raise DataError(f"espeak-ng cannot speak {reading.language!r}: {message}")
        return path.read_bytes()
