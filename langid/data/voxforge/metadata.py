"""The texts beside VoxForge's recordings: what was read aloud (PROMPTS), and by whom (README).

VoxForge's two submission programs write the names of a README's fields in English and the values
in the speaker's language; READMEs that were written by hand have all in either, and misspelt.
"""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from langid.data.voxforge.words import (
    AGE_RANGES,
    FIELDS,
    GENDERS,
    LANGUAGES,
    MORE,
    NEGATIONS,
    NO_DIALECT,
    YES_AND_NO,
    plain_words,
)
from langid.languages import language_code

MAX_DIALECT_CHARS = 100
MAX_TEXT_BYTES = 2**20  # of one file
# After an id, unless a path goes on ("C:\\audio\\a0405", "smith,john/mfc/a0405").
_SEPARATOR = re.compile(r"(?<=\S)\s*[:,;](?!\S*[\\/])\s*|\s+")
_AUDIO_LIKE = (".wav", ".flac", ".mfc", ".lab", ".mp3", ".raw", ".ogg")  # suffixes of ids
# What programs without Unicode wrote: code pages of Windows, by language; else Western.
_CODE_PAGES = {
    **dict.fromkeys(("bg", "ru", "sr", "uk"), "cp1251"),
    **dict.fromkeys(("cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), "cp1250"),
    "el": "cp1253",
    "tr": "cp1254",
    "he": "cp1255",
    **dict.fromkeys(("ar", "fa"), "cp1256"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
}


@dataclass(frozen=True)
class SpeakerFacts:
    """What a README says; None where it says nothing that can be understood."""

    gender: str | None = None  # "female", "male" or "other"
    age_range: str | None = None  # "youth", "adult" or "senior"
    dialect: str | None = None  # in its own words
    native_speaker: bool | None = None
    language: str | None = None  # ISO 639-1


class ArchiveTexts:
    """The PROMPTS and READMEs of one archive, in any spelling of their names.

    ``language`` is that of the archive if it is known; it tells the encoding of old texts.
    """

    def __init__(self, language: str | None = None):
        self._language = language
        self._texts: list[tuple[str, bytes]] = []  # name of the file and content

    @staticmethod
    def wants(path: str, n_bytes: int) -> bool:
        """Whether a file of this path and size is one of them."""
        name = _file_name(path)
        is_text = "prompt" in name or name.startswith(("readme", "transcription"))
        return is_text and n_bytes <= MAX_TEXT_BYTES

    def add(self, path: str, data: bytes) -> None:
        """Take a file that is wanted."""
        self._texts.append((_file_name(path), data))

    def speaker(self) -> SpeakerFacts:
        """What the first README says that says anything."""
        for name, data in self._texts:
            if name.startswith("readme"):
                facts = parse_readme(decode_text(data, self._language))
                if facts.language not in (None, self._language):
                    facts = parse_readme(decode_text(data, facts.language))
                if facts != SpeakerFacts():
                    return facts
        return SpeakerFacts()

    def transcripts(self) -> dict[str, str]:
        """Words by casefolded id, of all PROMPTS together.

        Where several have an id, PROMPTS itself comes before PROMPTS-original and others.
        """
        words_of: dict[str, str] = {}
        for name, data in sorted(self._texts, key=lambda text: text[0] == "prompts"):
            if not name.startswith("readme"):
                words_of |= parse_prompts(decode_text(data, self._language))
        return words_of


def decode_text(data: bytes, language: str | None = None) -> str:
    """UTF-8 or UTF-16 with or without a byte-order mark, else the language's Windows code page.

    The latter counts for single lines: files were put together of several.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    n_even, n_odd = data[::2].count(0), data[1::2].count(0)
    if abs(n_even - n_odd) > len(data) / 8:  # half the bytes of UTF-16 in Latin letters are 0
        return data.decode("utf-16-le" if n_odd > n_even else "utf-16-be", "replace")
    code_page = _CODE_PAGES.get(language, "cp1252")
    lines = data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)
    return "".join(_decode_line(line, code_page) for line in lines)


def _decode_line(line: bytes, code_page: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(code_page, "replace")


def parse_prompts(text: str) -> dict[str, str]:
    """Lines ``*/anna-20080318-kdl/mfc/a0405 WORDS`` or ``a0405 WORDS`` → words by id.

    A colon, comma or semicolon may stand between them instead of a space, or before it. The id is
    the file's name without folders and suffix, casefolded.
    """
    words_of = {}
    for line in _lines(text):
        path, *words = _SEPARATOR.sub(" ", line, count=1).split()
        name = PurePosixPath(path.strip("\"'*").replace("\\", "/")).name.casefold()
        if name.endswith(_AUDIO_LIKE):
            name = name.rsplit(".", 1)[0]
        if name and words:
            words_of[name] = " ".join(words)
    return words_of


def parse_readme(text: str) -> SpeakerFacts:
    """Understand the fields of a README; of a field that comes twice, the first that says so."""
    values: dict[str, list[str]] = {}
    for line in _lines(text):
        key, _, value = line.partition(":")
        field = FIELDS.get(" ".join(plain_words(key)))
        if field and value.strip():
            values.setdefault(field, []).append(value)
    facts = {}
    for field, understand in {
        "gender": _gender,
        "age_range": _age_range,
        "native_speaker": lambda value: _one_of(value, YES_AND_NO),
        "language": _language,
    }.items():
        meanings = map(understand, values.get(field, []))
        facts[field] = next((meaning for meaning in meanings if meaning is not None), None)
    parts = (_dialect(v) for field in ("dialect", "sub_dialect") for v in values.get(field, [])[:1])
    return SpeakerFacts(dialect=", ".join(filter(None, parts)) or None, **facts)


def _file_name(path: str) -> str:
    return PurePosixPath(path).name.casefold()


def _lines(text: str) -> Iterable[str]:
    lines = (line.strip("\ufeff\0 \t\f\v") for line in re.split(r"[\r\n]+", text))
    return filter(str.strip, lines)


def _one_of(value: str, table: Mapping[str, object]):
    """What the words of a value mean, unless they mean nothing, or several things."""
    meanings = {table[word] for word in plain_words(value) if word in table}
    return meanings.pop() if len(meanings) == 1 else None


def _gender(value: str) -> str | None:
    """Never what it says it is not."""
    return None if NEGATIONS.intersection(plain_words(value)) else _one_of(value, GENDERS)


def _age_range(value: str) -> str | None:
    """A class by name, or by years: the programs' ranges start with 13, 18, 20, 30 … 89."""
    years = [int(number) for number in re.findall(r"(?<!\d)\d{1,3}(?!\d)", value)]
    if not years:
        return _one_of(value, AGE_RANGES)
    if "<" in value or "до" in value.casefold():  # "up to", in the Russian and Ukrainian applet
        return "youth" if years[0] <= 25 else "adult"
    if ">" in value or years[0] >= 65 or _one_of(value, MORE):
        return "senior"
    return "youth" if years[0] < 18 else "adult"


def _dialect(value: str) -> str | None:
    text = " ".join(value.strip(" \t[](){};,\"'").split())
    head, dash, tail = text.partition(" - ")
    if dash and " ".join(plain_words(head)) in NO_DIALECT:  # "Other - Scottish"
        text = tail
    return text[:MAX_DIALECT_CHARS] if " ".join(plain_words(text)) not in NO_DIALECT else None


def _language(value: str) -> str | None:
    """ISO code of ``"[de]"``, ``"PT_BR"``, ``"fra"``, ``"Español"`` or ``"EN - English"``."""
    word = next(iter(plain_words(value)), "")
    try:
        code = LANGUAGES.get(word) or language_code(word)
    except ValueError:
        return None
    return code if len(code) == 2 else None  # "not" and "the" are languages, too
