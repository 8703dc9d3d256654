"""What the words in VoxForge's forms mean, in the languages of its speakers.

The wordings are those of its two submission programs, the Java applet
(github.com/VoxForge/speechsubmission, LabelLocalizer.java) and the web page
(github.com/VoxForge/voxforge.github.io, read.md of each language), and of what people wrote by
hand. All are kept without accents, as `plain_words` gives them.
"""

import re
import unicodedata
from collections.abc import Mapping


def plain_words(text: str) -> list[str]:
    """Words in small letters without accents: ``"[Männlich];"`` → ``["mannlich"]``.

    What is no letter, digit or mark between words goes without a trace, as it does from words
    that lost a letter on the way through a wrong encoding (``"m\ufffdnnlich"``).
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    spaced = re.sub(r"[\s,;/|_\-\[\](){}]+", " ", letters)
    return "".join(c for c in spaced if c == " " or c.isalnum()).split()


def _table(words_of: Mapping[object, str]) -> dict[str, object]:
    return {word: value for value, words in words_of.items() for word in plain_words(words)}


FIELDS = {
    " ".join(plain_words(name)): field
    for field, names in {
        "gender": "Gender|Sex|Geschlecht|Sexe|Genre|Género|Sexo|Sesso|Genere",
        "age_range": "Age Range|Age|Altersgruppe|Altersbereich|Alter|Tranche d'âge|Âge"
        "|Rango de Edad|Edad|Fascia d'età|Fascia di età|Età",
        "language": "Language|Sprache|Langue|Idioma|Lengua|Lingua",
        "native_speaker": "Native Speaker|Muttersprachler|Locuteur natif|Langue maternelle"
        "|Hablante nativo|Madrelingua|Parlante nativo",
        "dialect": "Pronunciation dialect|Pronunication dialect|Dialect|Dialekt|Aussprachedialekt"
        "|Aussprache Dialekt|Aussprachevarietät|Dialecte|Accent|Variante régionale|Dialecto"
        "|Dialecto de pronunciación|Dialecto de la pronunciación|Dialetto|Dialetto di pronuncia"
        "|Pronuncia",
        "sub_dialect": "sub-dialect",
    }.items()
    for name in names.split("|")
}
GENDERS = _table(
    {
        "male": "male males m man men masc masculine männlich maennlich mnnlich männl maskulin mann"
        " herr masculin homme masculino masuclino masculno hombre varón varÃ³n"
        " maschio maschile uomo mannelijk masculí homem мужчина мужской мъж чоловік"
        " άνδρας erkek muško זכר مذکر mashkull",
        "female": "female females femal f fem woman women feminine weiblich weibl w feminin frau"
        " féminin fminin fÃ©minin féminine femme femenino femenina feminina"
        " mujer femmina femminile donna vrouwelijk feminino femení mulher женщина женский жена"
        " жінка γυναίκα kadın žensko נקבה مونث femër",
        "other": "other andere divers autre otro altro",
    }
)
AGE_RANGES = _table(
    {
        "youth": "youth young child kid teen teenager jugend jugendlich jugendlicher jugendliche"
        " kind jeune enfant niño niña joven giovane bambino jeugd jovem jove младеж девойка νεαρός"
        " genç djeca צעיר نوجوان mitur",
        "adult": "adult adulto adulta adulte erwachsen erwachsene erwachsener volwassen"
        " ενήλικας yetişkin odrasli מבוגר بزرگسال възрастен rritur",
        "senior": "senior elderly ältere anziano anziana tercera idoso υπερήλικας yaşlı stari"
        " קשיש مسن трета moshuar",
    }
)
MORE = _table({True: "over more более від über plus más oltre"})
NEGATIONS = frozenset(plain_words("no not non nicht kein keine pas ni nie не"))
YES_AND_NO = _table(
    {True: "yes y true ja oui sí sì sim да так evet ναί", False: "no n false nein non não нет nee"}
)
NO_DIALECT = {
    " ".join(plain_words(text))
    for text in (
        *("", "unknown", "please select", "not selected", "other", "none", "n/a"),
        *("undefined", "null"),
        *("unbekannt", "bitte wählen", "bitte auswählen", "nicht ausgewählt"),
        *("andere", "anderer sprachraum"),
        *("inconnu", "sélectionnez", "veuillez sélectionnez", "non séléctionné", "autre"),
        *("desconocido", "por favor seleccione", "seleccione", "no seleccionado", "otro"),
        *("non definito", "selezionare", "altro"),
        *("desconhecido", "selecione", "outro", "onbekend", "maak een keuze", "anders"),
    )
}
# What `language_code` does not read: an old code, and names without their accents.
LANGUAGES = _table(
    {
        "ca": "català",
        "el": "ελληνικά",
        "es": "español castellano",
        "fr": "français",
        "he": "hb",
        "pt": "português",
        "ru": "русский",
        "tr": "türkçe",
        "uk": "українська",
    }
)
