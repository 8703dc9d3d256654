"""Transcript → IPA phones, by espeak-ng's grapheme-to-phoneme rules.

Used in training only: a network that must also spell out the sounds it hears has less room to
recognise the voice or the channel instead (phonetically-aware training, PHO-LID,
arXiv:2203.12366). espeak-ng is a program, not a Python package; where it is not installed,
training goes on without phones and says so.
"""

import re
import shutil
import subprocess
import unicodedata
from functools import cache

# Languages whose espeak-ng voice has another name than their code.
_VOICES = {"en": "en-us", "fr": "fr-fr"}
# espeak-ng reads out the tone numbers of Chinese in English.
_UNUSABLE = frozenset({"zh", "cmn", "yue"})
_LANGUAGE_SWITCH = re.compile(r"\([a-z-]+\)")
_NASAL = "\u0303"  # the one diacritic that separates words in French


def espeak_available() -> bool:
    """Whether the ``espeak-ng`` program can be run."""
    return shutil.which("espeak-ng") is not None


@cache
def _voices() -> frozenset[str]:
    listing = subprocess.run(
        ["espeak-ng", "--voices"], capture_output=True, text=True, check=True
    ).stdout
    return frozenset(line.split()[1] for line in listing.splitlines()[1:])


def espeak_voice(language: str) -> str | None:
    """espeak-ng's voice for a language code or corpus locale, ``None`` where it has none."""
    base = language.split("-")[0]
    if base in _UNUSABLE:
        return None
    for candidate in (_VOICES.get(language), language, _VOICES.get(base), base):
        if candidate in _voices():
            return candidate
    return None


def parse_ipa(ipa: str) -> list[str]:
    """IPA text → phones: stress, length, tone and language marks dropped, nasality kept.

    >>> parse_ipa("le- (en)wiːkˈɛnd(fr) bɔ̃")
    ['l', 'e', 'w', 'i', 'k', 'ɛ', 'n', 'd', 'b', 'ɔ̃']
    """
    phones: list[str] = []
    for char in unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub("", ipa)):
        if char == _NASAL and phones:
            phones[-1] = phones[-1][0] + _NASAL
        elif unicodedata.category(char) in ("Ll", "Lo"):
            phones.append("ɡ" if char == "g" else char)
    return phones


def transcript_to_phones(transcript: str, language: str) -> list[str]:
    """Phones of a transcript, an empty list where espeak-ng does not speak the language."""
    voice = espeak_voice(language)
    if voice is None:
        return []
    # "--": a transcript that begins with a dash is text, not an option.
    ipa = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "-v", voice, "--", transcript],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return parse_ipa(ipa)
