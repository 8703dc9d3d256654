"""PROMPTS and README: what VoxForge's programs and its users wrote into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langid.voxforge.metadata import (
    ArchiveTexts,
    SpeakerFacts,
    decode_text,
    parse_prompts,
    parse_readme,
)

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
        *(("HB", "he"), ("", None), ("Klingon", None), ("Please Select", None)),
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


@pytest.mark.parametrize(
    "line",
    [
        "*/anna-20080318-kdl/mfc/a0405 GOOD MORNING",
        "anna-20080318-kdl/mfc/a0405 GOOD MORNING",
        "../../../Audio/MFCC/16kHz_16bit/MFCC_0_D/anna/mfc/a0405 GOOD MORNING",
        "a0405 GOOD MORNING",
        "a0405.wav GOOD MORNING",
        '"*/a0405" GOOD MORNING',
        "anna\\mfc\\a0405\tGOOD  MORNING  ",
        "\ufeffA0405 GOOD MORNING\r",
    ],
)
def test_prompts_are_found_by_the_name_of_the_file(line):
    assert parse_prompts(f"{line}\na0406 ALSO\n\n")["a0405"] == "GOOD MORNING"


def test_lines_without_words_are_no_prompts():
    assert parse_prompts("a0405\n\n   \n*/ WORDS\n") == {}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings_of_western_texts_are_recognised(encoding):
    text = "de5-001 DIE MÄNNER FRÜHSTÜCKEN\r\nde5-002 ÇA DÉPEND\r\n"
    assert parse_prompts(decode_text(text.encode(encoding))) == {
        "de5-001": "DIE MÄNNER FRÜHSTÜCKEN",
        "de5-002": "ÇA DÉPEND",
    }


def test_the_language_tells_an_old_encoding():
    data = "ru-1 ДОБРОЕ УТРО".encode("cp1251")
    assert decode_text(data, "ru") == "ru-1 ДОБРОЕ УТРО"
    assert decode_text("ru-1 ДОБРОЕ УТРО".encode(), "ru") == "ru-1 ДОБРОЕ УТРО"
    texts = ArchiveTexts()  # the README itself says which
    texts.add("README", "Language: RU\nGender: Женщина\n".encode("cp1251"))
    assert texts.speaker() == SpeakerFacts(gender="female", language="ru")


def test_texts_padded_with_zeros_are_no_utf_16():
    assert decode_text(b"a0405 GOOD MORNING\n" + bytes(500)).startswith("a0405 GOOD MORNING\n")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *(("x/etc/PROMPTS", True), ("x/etc/prompts", True), ("x/etc/prompts.txt", True)),
        *(("x/etc/prompts-original", True), ("x/etc/PROMPTS-original", True)),
        *(("x/etc/cc.prompts", True), ("x/Transcriptions.txt", True)),
        *(("x/etc/README", True), ("x/etc/readme.txt", True), ("x/ReadMe", True)),
        *(("x/LICENSE", False), ("x/etc/HDMan_log", False), ("prompts/etc/log", False)),
    ],
)
def test_the_names_of_texts_vary(name, wanted):
    assert ArchiveTexts.wants(name, 1000) is wanted
    assert not ArchiveTexts.wants(name, 2**30)


@pytest.mark.parametrize(
    "names", [("PROMPTS", "prompts-original"), ("prompts-original", "PROMPTS")]
)
def test_prompts_complete_each_other(names):
    contents = {
        "PROMPTS": b"*/x/mfc/a1 GOOD MORNING\n*/x/mfc/old7 GONE\n",
        "prompts-original": b"a1 Good morning!\na2 How are you?\n",
    }
    texts = ArchiveTexts("en")
    for name in names:
        texts.add(f"x/etc/{name}", contents[name])
    transcripts = texts.transcripts()
    assert (transcripts["a1"], transcripts["a2"]) == ("GOOD MORNING", "How are you?")


def test_no_texts_say_nothing():
    assert ArchiveTexts().speaker() == SpeakerFacts()
    assert ArchiveTexts("de").transcripts() == {}


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


@given(st.binary(max_size=300), st.sampled_from([None, "en", "ru", "el", "fa"]))
def test_any_bytes_can_be_read(data, language):
    prompts = parse_prompts(decode_text(data, language))
    assert all(name and words.strip() for name, words in prompts.items())
    "".join([*prompts, *prompts.values()]).encode("utf-8")  # no half of a surrogate pair
    parse_readme(decode_text(data, language))
