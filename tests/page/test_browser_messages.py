"""What goes wrong, said in the language of the page, in a real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import soundfile
from helpers.app import served_page
from helpers.browser import TIMEOUT_MS, choose_file, open_page, write_speech

import app
from langid import LanguageIdentifier
from langid.page import disk
from langid.page.disk import UploadMiddleware
from langid.page.texts import texts_in

pytestmark = pytest.mark.browser

ENGLISH_WORDS = re.compile(r"\b(the|is|again|audio:|recording|wrong|busy|maximum)\b", re.I)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, app.gr.Blocks]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "MAX_FILE_SIZE", "2mb")
        with served_page(LanguageIdentifier.from_pretrained("embedded")) as served:
            yield served


@pytest.fixture
def visit(browser, server):
    """Opens the page on a phone in this language."""
    contexts = []

    def visit(language: str):
        context = browser.new_context(
            locale=language, viewport={"width": 390, "height": 844}, has_touch=True
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        open_page(page, server[0])
        page.locator(f"html[lang={language}]").wait_for(state="attached")
        return page

    yield visit
    for context in contexts:
        context.close()


def write_short(path: Path) -> Path:
    soundfile.write(path, np.full(2880, 0.1), 16_000)
    return path


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_error_and_a_warning_are_german_on_a_german_page(visit, tmp_path):
    page = visit("de")
    choose_file(page, write_short(tmp_path / "kurz.wav"))
    problem = page.locator("#answer .problem")
    problem.wait_for()
    assert problem.inner_text() == (
        "'kurz.wav' dauert 0,18\u00a0s: Mindestens 0,3\u00a0s sind nötig, "
        "mehrere Sekunden sind besser."
    )
    assert problem.get_attribute("lang") == "de" and fits(page)
    whole = write_speech(tmp_path / "whole.wav", "german").read_bytes()
    cut_off = tmp_path / "teil.wav"
    cut_off.write_bytes(whole[: 44 + 5 * 16_000 * 2])
    choose_file(page, cut_off)
    warning = page.locator("#answer .note", has_text="⚠")
    warning.wait_for()
    assert warning.inner_text() == (
        "⚠ 'teil.wav' ist abgeschnitten: Nur die ersten 5,0\u00a0s sind da."
    )
    assert warning.get_attribute("lang") == "de"


@pytest.mark.parametrize(
    ("language", "start"), [("de", "'notizen.wav' ist keine"), ("fr", "'notizen.wav' n’est pas")]
)
def test_the_table_of_many_files_has_its_errors_in_the_language(visit, tmp_path, language, start):
    page, texts = visit(language), texts_in(language)
    page.get_by_role("tab", name=texts("page.many")).click()
    page.locator("#batch .empty").wait_for()
    notes = tmp_path / "notizen.wav"
    notes.write_text("This is no sound at all.\n" * 20)
    paths = [notes, write_short(tmp_path / "kurz.wav")]
    page.set_input_files("#batch-drop input[type=file]", paths)
    page.locator("#batch [data-state=done]").wait_for()
    cells = page.locator("#batch p.note")
    assert [cell.get_attribute("lang") for cell in cells.all()] == [language] * 2
    assert cells.first.inner_text().startswith(start)
    assert "0,18\u00a0s" in cells.last.inner_text() and fits(page)
    # Scrolled or not, a sentence can be read in whole beside its file.
    for width, scrolled in ((390, 0), (390, 9999), (320, 0), (320, 9999)):
        page.set_viewport_size({"width": width, "height": 844})
        page.locator("#batch .rows").evaluate("(each, left) => (each.scrollLeft = left)", scrolled)
        name = page.locator("#batch tbody th").first.bounding_box()
        seen = page.locator("#batch .rows").bounding_box()
        said = cells.first.bounding_box()
        assert name["x"] + name["width"] <= said["x"] + 1, (width, scrolled)
        assert said["x"] + said["width"] <= seen["x"] + seen["width"] + 1, (width, scrolled)


def test_gradio_still_says_what_is_looked_for():
    """Its sentences come from its own scripts; another release may word them anew."""
    frontend = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    shipped = "".join(path.read_text(encoding="utf-8") for path in frontend.glob("*.js"))
    script = (app.PAGE_FILES / "toasts.js").read_text(encoding="utf-8")
    starts = re.findall(r'^    "(?!HTTP)(.+)": "[a-z]+\.\w+",$', script, re.MULTILINE)
    assert len(starts) == 4
    for words in (*starts, "Connection Lost"):
        assert f"`{words}" in shipped, words


def test_what_gradio_says_in_english_is_said_in_the_language(visit, server, tmp_path, monkeypatch):
    """An upload too large, a full disk, a full queue and a server that cannot be reached."""
    page, texts = visit("de"), texts_in("de")
    speech = write_speech(tmp_path / "speech.flac", "german")

    def expect(key: str) -> None:
        toast = page.get_by_test_id("toast-body").last
        toast.get_by_text(texts(key)).wait_for()
        assert toast.locator(".toast-title").inner_text().strip() == texts("script.error")
        assert toast.get_by_test_id("toast-text").get_attribute("lang") == "de"
        assert not ENGLISH_WORDS.search(toast.inner_text())
        toast.get_by_test_id("toast-close").click()
        toast.wait_for(state="detached")

    with monkeypatch.context() as full:
        full.setattr(UploadMiddleware, "_n_free", lambda self: 0)
        choose_file(page, speech)
        expect("work.disk_full")
    page.route("**/upload*", lambda route: route.abort())
    choose_file(page, speech)
    expect("script.unreachable")
    page.unroute("**/upload*")
    _, blocks = server
    with monkeypatch.context() as crowded:
        crowded.setattr(blocks._queue, "max_size", 0)
        choose_file(page, speech)
        expect("work.busy")
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(3_000_000))
    choose_file(page, large)
    expect("batch.too_large")


@pytest.mark.parametrize("tab", ["page.recording", "page.many"])
def test_an_upload_that_finds_no_room_says_so_and_the_next_one_works(visit, monkeypatch, tab):
    page, texts = visit("it"), texts_in("it")
    page.get_by_role("tab", name=texts(tab)).click()
    place, answer = {
        "page.recording": ("#drop", "#answer .verdict"),
        "page.many": ("#batch-drop", "#batch [data-state=done]"),
    }[tab]
    chooser = f"{place} input[type=file]"
    page.locator(chooser).wait_for(state="attached")
    free = disk.shutil.disk_usage
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    page.set_input_files(chooser, app.EXAMPLES / "german.flac")
    problem = page.locator(".upload-problem p:visible")
    problem.get_by_text(texts("work.disk_full")).wait_for()
    page.locator(".toast-close").click()
    button = page.locator(f"{place} .upload-container")
    button.click(trial=True)  # nothing lies above it
    monkeypatch.setattr(disk.shutil, "disk_usage", free)
    page.set_input_files(chooser, app.EXAMPLES / "german.flac")
    problem.wait_for(state="hidden")
    page.locator(answer).get_by_text(texts.name("de")).first.wait_for()


def test_an_upload_without_a_connection_says_so(visit):
    page = visit("en")
    page.context.route("**/upload?*", lambda route: route.abort())
    choose_file(page, app.EXAMPLES / "german.flac")
    page.locator(".upload-problem", has_text="check the connection").first.wait_for()
