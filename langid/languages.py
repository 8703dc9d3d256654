"""Language codes, their names on the screen, and the two answers that are not a language.

What people write for a language (a tag such as ``pt-BR``, a code of two or three letters, a name
in English or in the language itself) is read with langcodes. It and its names take 0.2 s and 30 MB
to load, so they are imported by the first call that needs them.
"""

import reprlib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

OTHER = "other"  # speech, but in none of the languages the model knows
NONE = "none"  # no speech: silence, noise, music

# What a corpus calls a clip without speech.
NON_SPEECH = ("noise", "music")

DEFAULT_LANGUAGES = ("en", "fr", "de", "es", "it")

# Of strangers' texts: looking one up takes time that grows with the square of its length.
MAX_NAME_LENGTH = 100
MAX_CANDIDATES = 100

_ANSWER_NAMES = {OTHER: "Another language", NONE: "No speech"}
_NO_LANGUAGE = {"mis", "mul", "und", "zxx"}  # ISO 639: uncoded, multiple, undetermined, none


@cache
def language_name(code: str, in_language: str = "en") -> str:
    """Name of a class on the screen: ``"fr"`` → ``"French"``; an unknown code stays as it is.

    Languages have their names in ``in_language`` (``"de"``: ``"Französisch"``), as they stand
    within a sentence there; the two answers that are none are named in English only.
    """
    if code in _ANSWER_NAMES:
        return _ANSWER_NAMES[code]
    tag = _parse_tag(code)
    return code if tag is None else tag.display_name(in_language)


def language_code(text: str) -> str:
    """ISO 639 code, the shortest there is, of a language as people write it.

    That is a language tag in any case (``en-US``, ``fr_FR``, ``deu``; a variety is its language),
    or a name in English or in the language itself (``German``, ``Deutsch``).

    Raises
    ------
    ValueError
        If the text is none of these; the sentence says what is accepted.
    """
    code = _known_code(text.strip())
    if code is None:
        raise ValueError(
            f"{text!r} is not a known language: give an ISO 639 code such as 'fr' or an English "
            "name such as 'French'."
        )
    return code


def is_language(code: str) -> bool:
    """Whether this is how `language_code` writes a language."""
    return _known_code(code) == code


def code_or_text(text: str) -> str:
    """As `language_code`, but what is no language that is known here stays as it is."""
    return _known_code(text.strip()) or text


def parse_languages(text: str) -> tuple[str, ...]:
    """Codes of a comma-separated list, in its order: ``"en,French"`` → ``("en", "fr")``.

    Raises
    ------
    ValueError
        If the list is empty or holds something that is not a language.
    """
    codes = tuple(dict.fromkeys(language_code(part) for part in text.split(",") if part.strip()))
    if not codes:
        raise ValueError("No language given: write a comma-separated list such as 'en,fr'.")
    return codes


def languages_of(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that are languages, without ``"other"`` and ``"none"``."""
    return tuple(label for label in labels if label not in _ANSWER_NAMES)


def describe_rejection(labels: Sequence[str]) -> str:
    """What a model with these labels says where none of its languages is spoken, as a sentence."""
    if OTHER in labels:
        return "It also says when another language is spoken, or nobody speaks."
    return (
        "It also says when nobody speaks. Another language it takes for one of these: it was not "
        "trained to notice."
    )


def class_of(language: str, languages: Sequence[str]) -> str:
    """The class a clip of ``language`` belongs to in a model that knows ``languages``.

    Non-speech labels become ``"none"``, languages outside the list ``"other"``. A variety
    (``"en-GB"``) is its language, unless the model knows it by itself.
    """
    if language in languages:
        return language
    if language == NONE or language in NON_SPEECH:
        return NONE
    code = _known_code(language)
    return code if code in languages else OTHER


def choose_labels(
    candidates: str | Iterable[str] | None, labels: Sequence[str]
) -> tuple[str, ...] | None:
    """The labels of a model that candidates name, in the labels' order.

    A candidate is a label or its name on the screen, in any case, or whatever `language_code`
    reads; one text may hold several, separated by commas. None stands for all labels, and comes
    back when that is what the candidates amount to.

    Raises
    ------
    ValueError
        If there is no candidate, one that the model has no label for, or no text at all.
    """
    if candidates is None:
        return None
    known = ", ".join(f"{label} ({language_name(label)})" for label in labels)
    is_many = isinstance(candidates, Iterable) and not isinstance(candidates, str)
    texts = list(candidates) if is_many else [candidates]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{reprlib.repr(candidates)} names no language: choose among {known}.")
    wanted = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not wanted:
        raise ValueError("No candidate is chosen: give at least one language to choose among.")
    if len(wanted) > MAX_CANDIDATES:
        raise ValueError(f"{len(wanted):,} candidates are too many: choose among {known}.")
    label_of = {name.lower(): label for label in labels for name in (label, language_name(label))}
    kept = set()
    for text in wanted:
        label = label_of.get(text.lower()) or _known_code(text)
        if label not in labels:
            shown = text if len(text) <= MAX_NAME_LENGTH else f"{text[:MAX_NAME_LENGTH]}…"
            raise ValueError(f"The model cannot answer {shown!r}: choose among {known}.")
        kept.add(label)
    return None if len(kept) == len(labels) else tuple(x for x in labels if x in kept)


@lru_cache(maxsize=1_000)
def _known_code(text: str) -> str | None:
    if len(text) > MAX_NAME_LENGTH:
        return None
    tag = _parse_tag(text) or _find_name(text)
    return tag and tag.prefer_macrolanguage().language


def _parse_tag(text: str):
    """The langcodes ``Language`` of a tag whose language has a name; else None."""
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError
    from language_data.names import code_to_names

    try:
        tag = Language.get(text)
    except LanguageTagError:
        return None
    is_language = tag.language not in (None, *_NO_LANGUAGE) and code_to_names(tag.language)
    return tag if is_language else None


def _find_name(text: str):
    """The langcodes ``Language`` of an English name or of an own one; else None.

    langcodes itself also takes a name in any third language, and words that only begin like one:
    ``"music"`` would be a language of Burkina Faso.
    """
    from langcodes import Language
    from language_data.names import TRIES, name_to_code, normalize_name

    wanted = normalize_name(text)
    code = name_to_code("language", text, "en")
    if code and wanted in TRIES["en/name_to_language"]:
        return Language.get(code)
    try:
        found = Language.find(text)
    except LookupError:
        return None
    return found if normalize_name(found.autonym()) == wanted else None
