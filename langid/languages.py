"""Language codes, their names on the screen, and the two answers that are not a language."""

from collections.abc import Iterable, Sequence

OTHER = "other"  # speech, but in none of the languages the model knows
NONE = "none"  # no speech: silence, noise, music

# What a corpus calls a clip without speech.
NON_SPEECH = ("noise", "music")

# ISO 639-1 code → English name. The first five are the default classes; the rest are here so
# that a model trained on other languages, and the tables of an evaluation, read well.
NAMES = {
    "en": "English",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "it": "Italian",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "el": "Greek",
    "eo": "Esperanto",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "ga": "Irish",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "ja": "Japanese",
    "ka": "Georgian",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mn": "Mongolian",
    "mt": "Maltese",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "th": "Thai",
    "tr": "Turkish",
    "tt": "Tatar",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
NO_CANDIDATE = "No candidate is chosen: give at least one language to choose among."
DEFAULT_LANGUAGES = ("en", "fr", "de", "es", "it")

_SPECIAL_NAMES = {OTHER: "Another language", NONE: "No speech"}
_CODE_OF_NAME = {name.lower(): code for code, name in NAMES.items()}


def language_name(code: str) -> str:
    """Name of a class on the screen: ``"fr"`` → ``"French"``; an unknown code stays as it is."""
    return _SPECIAL_NAMES.get(code) or NAMES.get(code, code)


def language_code(name_or_code: str) -> str:
    """ISO 639-1 code of an English language name or of a code in any case.

    Raises
    ------
    ValueError
        If the text is neither; the sentence says what is accepted.
    """
    text = name_or_code.strip().lower()
    if text in NAMES:
        return text
    if text in _CODE_OF_NAME:
        return _CODE_OF_NAME[text]
    raise ValueError(
        f"{name_or_code!r} is not a known language: give an ISO 639-1 code such as "
        "'fr' or an English name such as 'French'."
    )


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
    return tuple(label for label in labels if label not in _SPECIAL_NAMES)


def class_of(language: str, languages: tuple[str, ...]) -> str:
    """The class a clip of ``language`` belongs to in a model that knows ``languages``.

    Non-speech labels become ``"none"``, languages outside the list ``"other"``.
    """
    if language == NONE or language in NON_SPEECH:
        return NONE
    return language if language in languages else OTHER


def choose_labels(
    candidates: Iterable[str] | None, labels: Sequence[str]
) -> tuple[str, ...] | None:
    """Labels named by code or English name, in any case, in the labels' order.

    None stands for all labels, and comes back when that is what the candidates amount to.

    Raises
    ------
    ValueError
        If there is no candidate, or one that the model has no label for.
    """
    if candidates is None:
        return None
    label_of = {text.lower(): label for label in labels for text in (label, language_name(label))}
    wanted = [str(text).strip().lower() for text in candidates]
    if not wanted:
        raise ValueError(NO_CANDIDATE)
    for text in wanted:
        if text not in label_of:
            known = ", ".join(f"{label} ({language_name(label)})" for label in labels)
            raise ValueError(f"The model cannot answer {text!r}: choose among {known}.")
    kept = {label_of[text] for text in wanted}
    return None if len(kept) == len(labels) else tuple(x for x in labels if x in kept)
