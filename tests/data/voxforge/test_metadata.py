"""PROMPTS, the encodings of texts, and what all texts of an archive say together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langid.data.voxforge.metadata import (
    ArchiveTexts,
    SpeakerFacts,
    decode_text,
    parse_prompts,
    parse_readme,
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
        *(
            "a0405: GOOD MORNING",
            "a0405 : GOOD MORNING",
            "a0405,GOOD MORNING",
            "x/a0405;GOOD MORNING",
        ),
        *("C:\\audio\\a0405 GOOD MORNING", "smith,john/mfc/a0405, GOOD MORNING"),
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


def test_each_line_may_have_its_own_encoding():
    lines = ("de5-001 MÄNNER".encode(), "de5-002 FRÜHSTÜCK".encode("cp1252"), b"de5-003 X")
    for newline in (b"\n", b"\r\n", b"\r"):
        assert parse_prompts(decode_text(newline.join(lines), "de")) == {
            **{"de5-001": "MÄNNER", "de5-002": "FRÜHSTÜCK", "de5-003": "X"}
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


@given(st.binary(max_size=300), st.sampled_from([None, "en", "ru", "el", "fa"]))
def test_any_bytes_can_be_read(data, language):
    prompts = parse_prompts(decode_text(data, language))
    assert all(name and words.strip() for name, words in prompts.items())
    "".join([*prompts, *prompts.values()]).encode("utf-8")  # no half of a surrogate pair
    parse_readme(decode_text(data, language))
