"""The words of the page: every language says everything, and writes names and numbers its way."""

import re
import string
from pathlib import Path
from types import SimpleNamespace

import pytest

import app
from langid.checkpoint import EMBEDDED_NAME
from langid.identification import LanguageShare
from langid.languages import choose_labels
from langid.page.disk import DISK_FULL
from langid.page.figures import describe_figures, read_figures, summarise_figures
from langid.page.jobs import BUSY
from langid.page.texts import ENGLISH, PAGE_LANGUAGES, texts_in
from langid.page.words import describe_shares
from langid.space.handlers import FAILED, GONE
from langid.space.translations import translate_layout

ROOT = Path(app.__file__).parent
OTHERS = [language for language in PAGE_LANGUAGES if language != "en"]


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text_with_the_same_placeholders(language):
    texts = texts_in(language).by_key
    assert list(texts) == list(ENGLISH.by_key)  # in the same order, so that files can be compared
    for key, english in ENGLISH.by_key.items():
        assert placeholders(texts[key]) == placeholders(english), key
        assert texts[key].count("*") == english.count("*"), key
        assert texts[key].count("\n") == english.count("\n"), key
        assert texts[key].strip() == texts[key] or key == "number.thousands", key


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_no_line_ends_between_a_number_and_its_sign_of_percent(language):
    texts = texts_in(language)
    broken = re.compile(r"[\d}] %")
    assert [key for key, text in texts.by_key.items() if broken.search(text)] == []
    report = read_figures(EMBEDDED_NAME)
    figures = [summarise_figures(report, texts), describe_figures(report, texts)]
    assert "%" in figures[0] and "%" in figures[1] and not broken.search("".join(figures))


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language):
    same = {
        key
        for key, text in texts_in(language).by_key.items()
        if text == ENGLISH.by_key[key] and any(map(str.isalpha, text.replace("{", " {")))
    }
    # The same word: German "Live", French "Segments", Italian "File", Spanish "Error".
    allowed = {"page.live", "batch.segments", "batch.file", "batch.one_file", "script.error"}
    assert {key for key in same if placeholders(ENGLISH.by_key[key]) == []} <= allowed


def test_every_text_is_said_somewhere():
    folders = [ROOT, *(ROOT / "langid" / each for each in ("page", "page/texts", "space"))]
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in folder.iterdir()
        if path.suffix in (".py", ".js")
    )
    for key in ENGLISH.by_key.keys() - {"work.no_candidate"}:  # the package says that one,
        if key.startswith(("audio.", "warning.")):  # and these: see test_message_texts
            continue
        stem = key.rstrip(string.ascii_lowercase)  # f"answer.advice_{label}"
        in_place = [f"{quote}{key}{quote}" for quote in "\"'"]
        assert any(each in code for each in [*in_place, f"{stem}{{"]), key


def test_marks_of_bold_come_in_pairs_and_nothing_is_html():
    for language in PAGE_LANGUAGES:
        for key, text in texts_in(language).by_key.items():
            assert text.count("*") % 2 == 0 and "<" not in text and ">" not in text, key


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de-AT", "de"), ("FR", "fr"), ("it", "it"), ("nl", "en"), ("", "en"), (None, "en")],
)
def test_a_language_tag_finds_its_texts_or_english(tag, language):
    assert texts_in(tag).language == language
    assert texts_in(tag) is texts_in(language)  # each is kept once, whatever visitors' tags are


@pytest.mark.parametrize(
    ("language", "name", "sentence", "share", "sure", "n", "duration"),
    [
        (
            "en",
            "Italian",
            "French, Italian and no speech",
            "64\u00a0%",
            "over 99\u00a0%",
            "12,345",
            "8.2 s",
        ),
        (
            "de",
            "Italienisch",
            "Französisch, Italienisch und „niemand spricht“",
            "64\u00a0%",
            "über 99\u00a0%",
            "12.345",
            "8,2 s",
        ),
        (
            "fr",
            "Italien",
            "français, italien et «\u00a0personne ne parle\u00a0»",
            "64\u00a0%",
            "plus de 99\u00a0%",
            "12\u202f345",
            "8,2 s",
        ),
        (
            "es",
            "Italiano",
            "francés, italiano y «nadie habla»",
            "64\u00a0%",
            "más del 99\u00a0%",
            "12\u00a0345",
            "8,2 s",
        ),
        (
            "it",
            "Italiano",
            "francese, italiano e «nessuno parla»",
            "64%",
            "oltre il 99%",
            "12.345",
            "8,2 s",
        ),
    ],
)
def test_each_language_writes_names_and_numbers_its_way(
    language, name, sentence, share, sure, n, duration
):
    texts = texts_in(language)
    assert texts.name("it") == name
    assert texts.join(["fr", "it", "none"]) == sentence
    assert texts.join(["it"]) == texts.phrase("it")
    assert (texts.share(0.643), texts.probability(0.998)) == (share, sure)
    assert (texts.number(12345), texts.duration(8.24)) == (n, duration)
    assert texts.count(3) == texts("number.counts").split()[3] and texts.count(12) == "12"


def test_spanish_says_e_before_an_i():
    assert texts_in("es").join(["fr", "it"]) == "francés e italiano"
    assert texts_in("es").join(["it", "fr"]) == "italiano y francés"


def test_shares_are_said_in_the_language_of_the_page():
    german, english = LanguageShare("de", 0.636, 21.0), LanguageShare("en", 0.364, 12.0)
    assert describe_shares([german, english], texts_in("fr")) == (
        "allemand\u00a064\u00a0%, anglais\u00a036\u00a0%"
    )


def test_sentences_are_translated_where_there_is_a_text_for_them():
    german = texts_in("de")
    with pytest.raises(ValueError, match="No candidate") as refusal:
        choose_labels([], ("en", "fr"))
    for sentence in (GONE, FAILED, BUSY, DISK_FULL, str(refusal.value)):
        translated, language = german.translate(sentence)
        assert translated != sentence and language == "de"
        assert ENGLISH.translate(sentence) == (sentence, "en")
    assert german.translate("It is {unforeseen}.") == ("It is {unforeseen}.", "en")


def test_links_are_shown_where_they_lead_somewhere(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    embedded = SimpleNamespace(source=EMBEDDED_NAME, revision=None, labels=("en", "fr", "none"))
    embedded.languages = ("en", "fr")
    assert "](" not in translate_layout(embedded).translations["de"]["page.keeping"]
    monkeypatch.setenv("SPACE_ID", "anna/languages")
    files = "https://huggingface.co/spaces/anna/languages/blob/main"
    shown = translate_layout(embedded).translations["de"]["page.keeping"]
    assert f"[Modellkarte]({files}/langid/weights/README.md) · [Trainingsdaten](" in shown
    assert f"[Lizenz]({files}/LICENSE)" in shown
    for path in ("langid/weights/README.md", "LICENSE", "README.md"):
        assert (ROOT / path).exists()
    assert "\n## Data and licences\n" in (ROOT / "README.md").read_text(encoding="utf-8")
