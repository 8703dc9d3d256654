"""README: what VoxForge's programs and its users wrote of the speakers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langid.data.voxforge.metadata import SpeakerFacts, parse_readme

APPLET = """\
User Name:anna

Speaker Characteristics:

Gender: {gender}
Age Range: {age}
Language: {language}
Pronunciation dialect: {dialect}

Recording Information:

Microphone make: n/a
Microphone type: {microphone}
Audio Recording Software: VoxForge Speech Submission Application
O/S:

File Info:

File type: wav
Sampling Rate: 48000
"""
WEB_PAGE = """\
User Name: Anonymous

Speaker Characteristics: 

Gender: Female
Age Range: Senior
Language: EN
Native Speaker: Yes
Pronunciation dialect: North American
  sub-dialect: Canadian English

Recording Information: 

Microphone Type: Other - a phone from 1970
Background Noise: No
"""


@pytest.mark.parametrize(
    ("gender", "age", "language", "dialect", "expected"),
    [
        ("Male", "Youth", "EN", "Indian English", ("male", "youth", "en", "Indian English")),
        ("Weiblich", "Erwachsener", "DE", "Bayern", ("female", "adult", "de", "Bayern")),
        ("Masculin", "Jeune", "FR", "Français Suisse", ("male", "youth", "fr", "Français Suisse")),
        ("Femenino", "Tercera Edad", "ES", "Otro", ("female", "senior", "es", None)),
        ("Femmina", "Anziano", "IT", "Italiano ", ("female", "senior", "it", "Italiano")),
        ("vrouwelijk", "volwassen", "NL", "anders", ("female", "adult", "nl", None)),
        ("Мужчина", "до 25", "RU", "Урал", ("male", "youth", "ru", "Урал")),
        ("Masculino", "Adulto", "PT_BR", "desconhecido", ("male", "adult", "pt", None)),
        ("unknown", "unknown", "EN", "unknown", (None, None, "en", None)),
        ("unbekannt", "unbekannt", "DE", "unbekannt", (None, None, "de", None)),
        ("inconnu", "inconnu", "FR", "inconnu", (None, None, "fr", None)),
        ("desconocido", "desconocido", "ES", "desconocido", (None, None, "es", None)),
        ("non definito", "non definito", "IT", "non definito", (None, None, "it", None)),
    ],
)
def test_the_applet_writes_english_names_and_localised_values(
    gender, age, language, dialect, expected
):
    facts = parse_readme(
        APPLET.format(
            gender=gender, age=age, language=language, dialect=dialect, microphone="Headset mic"
        )
    )
    assert (facts.gender, facts.age_range, facts.language, facts.dialect) == expected
    assert facts.native_speaker is None


def test_the_web_page_also_asks_for_the_first_language():
    assert parse_readme(WEB_PAGE) == SpeakerFacts(
        gender="female",
        age_range="senior",
        dialect="North American, Canadian English",
        native_speaker=True,
        language="en",
    )
    stranger = WEB_PAGE.replace("Yes", "No\n  first language: German").replace("Female", "Other")
    assert parse_readme(stranger).native_speaker is False
    assert parse_readme(stranger).gender == "other"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Benutzername: otto\nGeschlecht: männlich\nAltersgruppe: Erwachsener\n"
            "Sprache: Deutsch\nMuttersprachler: Ja\nAussprachedialekt: Hessen\n",
            SpeakerFacts("male", "adult", "Hessen", True, "de"),
        ),
        (
            "Nom d'utilisateur : anne\nSexe : femme\nTranche d'âge : adulte\nLangue : français\n"
            "Langue maternelle : Oui\nAccent : Belgique\n",
            SpeakerFacts("female", "adult", "Belgique", True, "fr"),
        ),
        (
            "Nombre de usuario: ana\nGénero: Mujer\nRango de edad: Joven\nIdioma: Español\n"
            "Hablante nativo: Sí\nDialecto: Español Chile\n",
            SpeakerFacts("female", "youth", "Español Chile", True, "es"),
        ),
        (
            "Nome utente: anna\nSesso: Maschio\nFascia d'età: Giovane\nLingua: Italiano\n"
            "Madrelingua: No\nDialetto di pronuncia: Italiano milanese\n",
            SpeakerFacts("male", "youth", "Italiano milanese", False, "it"),
        ),
    ],
)
def test_forms_that_are_localised_throughout(text, expected):
    assert parse_readme(text) == expected
    assert parse_readme(text.upper()).gender == expected.gender
    assert parse_readme(text.replace("\n", "\r\n")) == expected
    assert parse_readme(text.replace("\n", "\r")) == expected


@pytest.mark.parametrize(
    ("value", "gender"),
    [
        ("[male]", "male"),
        ("male;", "male"),
        ("Male", "male"),
        ("m\ufffdnnlich", "male"),
        ("mÃ¤nnlich", "male"),
        ("mnnlich", "male"),
        ("[female];", "female"),
        ("F", "female"),
        ("adult", None),
        ("Please Select", None),
        ("Please Select]", None),
        ("[male/female]", None),
        ("female male", None),
        ("tamale", None),
        *(("Femal", "female"), ("feminine", "female"), ("weibl.", "female")),
        *(("fÃ©minin", "female"), ("Fem.", "female"), ("feminin", "female")),
        *(("masculine", "male"), ("males", "male"), ("masc.", "male"), ("maskulin", "male")),
        *(("masuclino", "male"), ("M.", "male"), ("varÃ³n", "male")),
        *(("not male", None), ("not female", None), ("nicht weiblich", None)),
    ],
)
def test_genders_are_misspelt(value, gender):
    assert parse_readme(f"Gender: {value}\n").gender == gender


@pytest.mark.parametrize(
    ("value", "age_range"),
    [
        ("[Senior", "senior"),
        ("[adult];", "adult"),
        ("Kind", "youth"),
        ("< 20", "youth"),
        ("13 - 17", "youth"),
        ("20 - 29", "adult"),
        ("60 - 69", "adult"),
        ("65 - 74", "senior"),
        ("> 75", "senior"),
        ("до 55", "adult"),
        ("более 55", "senior"),
        ("42", "adult"),
        ("Please Select", None),
        ("1985", None),
        ("male", None),
    ],
)
def test_ages_are_classes_or_years(value, age_range):
    assert parse_readme(f"Age Range: {value}\n").age_range == age_range


@pytest.mark.parametrize(
    ("value", "dialect"),
    [
        ("British English", "British English"),
        ("[British English];", "British English"),
        ("Other - Scottish", "Scottish"),
        ("Other - unknown", None),
        ("Other", None),
        ("südl. Ostdeutschland", "südl. Ostdeutschland"),
        ("Bitte wählen", None),
        ("-", None),
        ("n/a", None),
        ("x" * 1000, "x" * 100),
    ],
)
def test_a_dialect_stays_in_its_own_words(value, dialect):
    assert parse_readme(f"Pronunciation dialect: {value}\n").dialect == dialect
    assert parse_readme(f"Pronunication dialect: {value}\n").dialect == dialect


@pytest.mark.parametrize(
    ("value", "language"),
    [
        *(("EN", "en"), ("[de]", "de"), ("PT_BR", "pt"), ("EN - English", "en"), ("fra", "fr")),
        *(("Deutsch", "de"), ("German", "de"), ("castellano", "es"), ("Русский", "ru")),
        *(("Español", "es"), ("Francais", "fr"), ("ger", "de"), ("Not yet", None), ("The", None)),
        *(("HB", "he"), ("", None), ("Klingonese", None), ("Please Select", None)),
    ],
)
def test_languages_become_codes(value, language):
    assert parse_readme(f"Language: {value}\n").language == language


def test_the_first_value_that_can_be_understood_counts():
    assert parse_readme("Gender: Please Select\nGender: Male\nGender: Female\n").gender == "male"


def test_other_texts_say_nothing():
    assert parse_readme("") == SpeakerFacts()
    assert parse_readme("This program is free software: you can redistribute it\n:\n::\n") == (
        SpeakerFacts()
    )


LABELS = ("Gender", "Age Range", "Geschlecht", "Langue maternelle", "Idioma", "Dialetto", "Alter")


@given(
    st.lists(st.tuples(st.sampled_from(LABELS) | st.text(max_size=9), st.text(max_size=12))),
    st.text(max_size=5),
)
def test_any_readme_can_be_parsed(lines, separator):
    facts = parse_readme("\n".join(f"{key}{separator}:{value}" for key, value in lines))
    assert facts.gender in (None, "female", "male", "other")
    assert facts.age_range in (None, "youth", "adult", "senior")
    assert facts.native_speaker in (None, True, False)
    assert facts.dialect is None or 0 < len(facts.dialect) <= 202
