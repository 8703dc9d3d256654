"""The page in the browser's language, and what the browser keeps."""

import re
import time

import pytest
import soundfile
from helpers.browser import (
    TIMEOUT_MS,
    choose_example,
    choose_file,
    open_page,
    wait_for_answer,
    write_speech,
)

from langid.page.batch import MAX_FILES
from langid.page.texts import PAGE_LANGUAGES, texts_in

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser, url):
    """Opens the page as a visitor with these languages, the dearest first."""
    contexts = []

    def visit(*languages: str, script: str = "", late_file: str = "", **options):
        context = browser.new_context(locale=languages[0], **options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        if len(languages) > 1:
            wished = f"get: () => {list(languages)}"
            context.add_init_script(f"Object.defineProperty(navigator, 'languages', {{{wished}}})")
        context.add_init_script(script)
        if late_file:
            context.route(late_file, lambda route: (time.sleep(4), route.continue_()))
        page = context.new_page()
        open_page(page, url)
        return page

    yield visit
    for context in contexts:
        context.close()


def wait_for_language(page, language: str) -> None:
    page.locator(f"html[lang={language}]").wait_for(state="attached")
    page.locator("#title h1", has_text=texts_in(language)("page.title")).wait_for()


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_the_whole_page_is_in_the_language_of_the_browser(visit, language):
    page, texts = visit(language), texts_in(language)
    wait_for_language(page, language)
    assert page.title() == texts("page.title")
    assert page.locator("#answer .empty").inner_text() == texts("script.empty")
    choose_example(page, texts("page.example.french"))
    wait_for_answer(page)
    assert page.locator("#answer .verdict b").inner_text() == texts.name("fr")
    assert page.locator("#answer .announcement").text_content().startswith(texts.name("fr"))
    assert texts.number(0) and page.locator("#answer .segment").inner_text() == texts.name("fr")
    facts = re.escape(texts("answer.duration", duration="@")).replace("@", r"8[.,]\d s")
    assert re.fullmatch(facts, page.locator("#answer .facts").inner_text())
    page.locator("#candidates button").first.click()
    page.get_by_role("checkbox", name=texts.name("fr")).uncheck()
    answer = page.locator("#answer")
    among_all = texts("answer.among_all", share="").strip()
    answer.locator(".bars", has_text=among_all).wait_for()
    assert texts.name("fr") in answer.locator(".note").last.inner_text()
    shown = page.locator("body").inner_text()
    assert "__i18n__" not in shown and "page." not in shown and "undefined" not in shown
    if language != "en":
        for word in ("Recording", "Candidates", "among all", "under 1\u00a0%", "Weights", " and "):
            assert word not in shown


# All words that the record button ever had.
NOTE_WORDS = """window.words = new Set();
new MutationObserver(() => {
  const word = document.querySelector("#recording .record-button")?.innerText.trim();
  if (word) window.words.add(word);
}).observe(document, { childList: true, subtree: true, characterData: true });"""


@pytest.mark.parametrize(
    ("languages", "expected", "record"),
    [
        (("de-AT", "en"), "de", "Aufnehmen"),
        (("nl", "cy"), "en", "Record"),
        (("ca", "es", "en"), "es", "Grabar"),  # Gradio knows Catalan
        (("ja",), "en", "Record"),
        (("ja", "it-CH", "fr"), "it", "Registra"),  # and no Italian
    ],
)
def test_the_first_language_that_there_are_texts_in_is_chosen(visit, languages, expected, record):
    page = visit(*languages, script=NOTE_WORDS, late_file="**/assets/es-*.js")
    wait_for_language(page, expected)
    # Gradio's own words are in the same language from the start: some keep what was drawn first.
    page.locator("#recording .record-button").wait_for()
    assert page.evaluate("[...words]") == [record]
    if expected == "it":
        assert "Impostazioni" in page.locator("footer").inner_text()


def test_another_language_can_be_chosen_while_an_answer_is_shown(visit):
    page = visit("en")
    choose_example(page, "French")
    wait_for_answer(page)
    page.locator("footer .settings").click()
    page.get_by_role("combobox", name="Language").click()
    page.get_by_role("option", name="Deutsch").click()
    wait_for_language(page, "de")
    page.locator("#answer .verdict b", has_text="Französisch").wait_for()
    assert page.title() == texts_in("de")("page.title")


def test_problems_are_in_the_language_that_they_say_they_are_in(visit, tmp_path):
    page, texts = visit("fr"), texts_in("fr")
    choose_example(page, texts("page.example.german"))
    wait_for_answer(page)
    page.locator("#candidates button").first.click()
    page.locator("#candidates input").last.wait_for()
    for box in page.locator("#candidates input").all():
        box.uncheck()
    problem = page.locator("#answer .problem")
    problem.get_by_text(texts("work.no_candidate")).wait_for()
    assert problem.get_attribute("lang") == "fr"
    path = tmp_path / "notes.wav"
    path.write_text("This is no sound at all.\n" * 20)
    choose_file(page, path)
    problem.get_by_text("'notes.wav' n’est pas un fichier audio").wait_for()  # of the package
    assert problem.get_attribute("lang") == "fr"
    assert page.locator("#answer .announcement").text_content() == problem.inner_text()


def test_a_long_file_says_how_far_it_is(visit, tmp_path):
    page = visit("es")
    choose_file(page, write_speech(tmp_path / "long.flac", "german", duration_s=5000))
    words = page.locator("#answer .working .words")
    words.get_by_text(re.compile(r"\d+\s%\sde la grabación; quedan unos")).wait_for()
    assert page.locator("#answer .verdict b").inner_text() == "Alemán"
    page.locator("#answer .cancel", has_text="Cancelar").click()
    wait_for_answer(page)


def test_the_microphone_is_explained_in_the_language_of_the_page(browser, url):
    context = browser.new_context(locale="de")
    context.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page = context.new_page()
    open_page(page, url)
    page.locator("#recording .record-button").click()
    page.locator("#microphone-problem", has_text="Um es freizugeben").wait_for()
    context.close()


@pytest.mark.parametrize("language", ["de", "fr", "es", "it"])
def test_longer_words_do_not_widen_the_page_or_lose_their_ends(visit, tmp_path, language):
    page, texts = visit(language, has_touch=True), texts_in(language)
    choose_file(
        page, write_speech(tmp_path / "two.flac", "dutch", "rain", "spanish", duration_s=16)
    )
    wait_for_answer(page)
    page.locator("#candidates button").first.click()
    page.get_by_role("checkbox", name=texts.name("en")).uncheck()
    page.locator("#answer .bars", has_text=texts("answer.among_all", share="").strip()).wait_for()
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = page.evaluate(
            "[...document.querySelectorAll('#answer .bars span, #answer p, #examples button,"
            " [role=tab], #candidates label, label[data-testid=block-label]')]"
            ".filter((e) => e.checkVisibility() && !e.matches('.announcement')"
            " && e.scrollWidth > e.clientWidth + 1)"
            ".map((e) => e.outerHTML.slice(0, 120))"
        )
        assert cut == [], width


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all_tabs_from_the_start(visit, language, width):
    page = visit(language, viewport={"width": width, "height": 844}, has_touch=True)
    texts = texts_in(language)
    wait_for_language(page, language)
    for key in ("page.recording", "page.live", "page.many"):
        tab = page.get_by_role("tab", name=texts(key), exact=True)
        box = tab.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert tab.evaluate("e => e.scrollWidth <= e.clientWidth")
        tab.click()
        page.locator("[role=tab][aria-selected=true]", has_text=texts(key)).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if key == "page.live":
            record = page.locator("#live-microphone .record-button")
            record.wait_for()
            assert record.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_what_is_ticked_is_kept_for_the_next_visit(visit, url):
    page = visit("en")
    choose_example(page, "Spanish")
    wait_for_answer(page)
    page.locator("#candidates button").first.click()
    page.get_by_role("checkbox", name="Spanish").uncheck()
    page.locator("#answer .note", has_text="Chosen only").wait_for()
    open_page(page, url)
    choose_example(page, "Spanish")
    page.locator("#answer .note", has_text="Chosen only").wait_for()
    page.locator("#candidates button").first.click()
    assert not page.get_by_role("checkbox", name="Spanish").is_checked()
    assert page.get_by_role("checkbox", name="English").is_checked()
    # What an older page kept, or somebody wrote there, harms nothing.
    for nonsense in ('["xx"]', "{", "7", "[]"):
        page.evaluate("(value) => localStorage.setItem('langid.candidates', value)", nonsense)
        open_page(page, url)
        choose_example(page, "Spanish")
        wait_for_answer(page)
        assert page.locator("#answer .verdict b").inner_text() == "Spanish"


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_has_room_for_the_player_and_one_sentence_for_files(visit, tmp_path, width):
    page = visit("de", viewport={"width": width, "height": 844}, has_touch=True)
    texts = texts_in("de")
    page.locator("#recording .record-button").wait_for()
    # Nothing to clear, and no "Drop File Here" in other words beside our own.
    for tab, place, sentence in (
        ("page.recording", "#drop", texts("page.drop")),
        ("page.many", "#batch-drop", texts("page.many_drop", n=MAX_FILES)),
    ):
        page.get_by_role("tab", name=texts(tab)).click()
        page.locator(place).get_by_text(sentence).wait_for()
        assert page.locator(".icon-button:visible").count() == 0
        words = page.locator(f"{place} [data-testid=upload-text]")
        assert words.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") == 0
        label = page.locator(f"{place} label").bounding_box()
        area = page.locator(place).bounding_box()
        icon = page.locator(f"{place} [data-testid=upload-icon]").bounding_box()
        assert icon["y"] + icon["height"] <= label["y"]  # also where the sentence has two lines
        for start, length in (("x", "width"), ("y", "height")):
            assert label[start] >= area[start]
            assert label[start] + label[length] <= area[start] + area[length]
    page.get_by_role("tab", name=texts("page.live")).click()
    page.locator("#live-microphone .record-button").wait_for()
    assert page.locator(".icon-button:visible").count() == 0
    page.get_by_role("tab", name=texts("page.recording")).click()
    choose_file(page, write_speech(tmp_path / "speech.flac", "german"))
    wait_for_answer(page)
    assert page.locator("#recording audio").bounding_box()["width"] > width - 60
    assert page.locator("#recording .icon-button:visible").count() > 0


def test_the_chosen_tab_is_kept_over_a_reload(visit, url):
    page = visit("en")
    chosen = page.locator("[role=tab][aria-selected=true]")
    assert chosen.inner_text() == "Recording"
    for name, place in (("Many files", "#batch-drop"), ("Live", "#live-answer")):
        page.get_by_role("tab", name=name).click()
        page.locator(place).wait_for()
        page.reload()
        page.locator(place).wait_for()
        assert chosen.inner_text() == name
    page.get_by_role("tab", name="Recording").click()
    open_page(page, url)
    page.evaluate("localStorage.setItem('langid.tab', '[\"nonsense\"]')")
    open_page(page, url)
    assert chosen.inner_text() == "Recording"


def test_a_format_that_the_browser_cannot_play_is_called_so(visit, tmp_path):
    page = visit("en")
    speech = write_speech(tmp_path / "speech.flac", "french")
    unplayable = tmp_path / "speech.w64"
    soundfile.write(unplayable, *soundfile.read(speech), format="W64")
    problem = page.locator("#player-problem")
    choose_file(page, unplayable)
    problem.get_by_text("cannot play this format").wait_for()
    wait_for_answer(page)
    assert page.locator("#answer .verdict b").inner_text() == "French"
    choose_example(page, "German")
    page.locator("#answer .verdict b", has_text="German").wait_for()
    problem.wait_for(state="hidden")
    choose_file(page, unplayable)
    problem.wait_for()
    page.locator("#recording").get_by_label("Clear").click()
    problem.wait_for(state="hidden")
