"""The page without a mouse, and as axe-core sees it."""

import json
import time
from pathlib import Path

import pytest
from helpers.browser import (
    TIMEOUT_MS,
    choose_example,
    choose_file,
    open_page,
    wait_for_answer,
    write_speech,
)

pytestmark = pytest.mark.browser

# What axe-core finds in Gradio's own elements: rule → where, and why it is not ours to mend.
GRADIOS = {
    "image-redundant-alt": "footer: the picture of “Settings” repeats the word beside it",
}
MAX_STOPS = 60  # of the Tab key


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's script, from the package that carries it."""
    import axe_playwright_python

    path = Path(axe_playwright_python.__file__).parent / "axe.min.js"
    return path.read_text(encoding="utf-8")


@pytest.fixture
def page(browser, url, request):
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=getattr(request, "param", "light")
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    open_page(page, url)
    yield page
    context.close()


def violations(page, axe: str) -> dict[str, list[str]]:
    """Rule → the elements that break it, except for Gradio's own."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=axe)
    page.wait_for_timeout(500)  # for colours that fade in
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return {
        f"{rule['id']} ({rule['impact']})": [node["html"][:200] for node in rule["nodes"]]
        for rule in found
        if rule["id"] not in GRADIOS
    }


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_axe_finds_nothing_that_is_ours(page, axe, tmp_path):
    assert violations(page, axe) == {}
    dark = page.evaluate("document.body.classList.contains('dark')")
    choose_example(page, "French")
    wait_for_answer(page)
    assert violations(page, axe) == {}
    choose_file(page, write_speech(tmp_path / "two.flac", "german", "english", duration_s=24))
    page.locator("#answer .verdict.several").wait_for()
    page.locator("#answer summary").click()
    while page.locator(".label-wrap:not(.open)").count():
        page.locator(".label-wrap:not(.open)").first.click()
    page.get_by_role("checkbox", name="French").uncheck()
    page.locator("#answer .note", has_text="Chosen only").wait_for()
    assert violations(page, axe) == {}
    choose_example(page, "Rain (no speech)")
    page.locator("#answer .verdict.none").wait_for()
    assert violations(page, axe) == {}
    path = tmp_path / "notes.wav"
    path.write_text("This is no sound at all.\n" * 20)
    choose_file(page, path)
    page.locator("#answer .problem").wait_for()
    assert violations(page, axe) == {}
    assert dark == page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_axe_finds_nothing_that_is_ours_in_the_other_tabs(page, axe, tmp_path):
    page.get_by_role("tab", name="Live").click()
    page.locator("#live-answer .empty").wait_for()
    assert violations(page, axe) == {}
    page.get_by_role("tab", name="Many files").click()
    page.locator("#batch .empty").wait_for()
    assert violations(page, axe) == {}
    broken = tmp_path / "notes.wav"
    broken.write_text("This is no sound at all.\n" * 20)
    files = [write_speech(tmp_path / "two.flac", "german", "english", duration_s=24), broken]
    page.set_input_files("#batch-drop input[type=file]", files)
    page.locator("#batch [data-state=done]").wait_for()
    assert page.locator("#batch tbody tr").count() == 2
    assert violations(page, axe) == {}


def test_axe_notices_what_is_ours(page, axe):
    """The test above can fail: an unnamed button and text that nobody can read are found."""
    page.evaluate(
        "document.querySelector('#answer .body').innerHTML = "
        "'<button></button><p style=\"color: #eee; background: #fff\">pale</p>'"
    )
    assert {"button-name (critical)", "color-contrast (serious)"} <= violations(page, axe).keys()


FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const player = element.tagName === "AUDIO"; // its buttons are the browser's
  return {
    name: element.ariaLabel || element.labels?.[0]?.innerText.trim() || element.innerText.trim(),
    kind: element.className,
    tag: element.tagName,
    visible: player || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
  };
}"""


def tab_through(page) -> list[dict]:
    """What the Tab key reaches, from the top of the page to its end."""
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.tabIndex = 0")
    page.evaluate("document.body.removeAttribute('tabindex')")
    stops = []
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["tag"] == "BODY":
            return stops
        stops.append(stop)
    raise AssertionError(f"The Tab key comes to no end: {json.dumps(stops[-5:])}")


def press_tab_until(page, selector: str) -> None:
    for _ in range(MAX_STOPS):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key does not reach {selector}.")


def test_the_tab_key_reaches_everything_and_shows_where_it_is(page, tmp_path):
    names = {stop["name"].split("\n")[0] for stop in tab_through(page)}
    assert {"English", "Rain (no speech)", "Candidates", "Record"} <= names
    path = write_speech(tmp_path / "two.flac", "german", "english", duration_s=24)
    choose_file(page, path)
    page.locator("#answer .verdict.several").wait_for()
    page.locator("#candidates").get_by_role("button").first.press("Enter")
    page.get_by_role("checkbox", name="French").wait_for()
    stops = tab_through(page)
    names = {stop["name"].split("\n")[0] for stop in stops}
    assert {"Clear", "French", "Italian", "No speech", "2 segments as a table"} <= names
    assert any(("audio" in name and "choose" in name) or "upload" in name for name in names)
    assert sum(stop["kind"] == "segment" for stop in stops) == 1  # the arrow keys do the rest
    assert sum(stop["tag"] == "AUDIO" for stop in stops) > 0
    assert [stop for stop in stops if not stop["visible"]] == []


def test_a_recording_is_chosen_read_and_restricted_without_a_mouse(page, tmp_path):
    # Chromium learns in a message of its own that dialogs are ours: well before the first of them.
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    press_tab_until(page, "#drop .upload-container")
    page.keyboard.press("Enter")
    deadline_s = time.monotonic() + TIMEOUT_MS / 1000
    while not choosers:
        assert time.monotonic() < deadline_s, "Enter opens no dialog."
        page.wait_for_timeout(100)
    path = write_speech(tmp_path / "two.flac", "german", "english", duration_s=24)
    choosers[0].set_files(path)
    page.locator("#answer .verdict.several").wait_for()
    press_tab_until(page, "#answer .segment")
    segments = page.locator("#answer .segment")
    last = segments.count() - 1
    detail = page.locator("#answer .detail")
    for key, at in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), ("End", last)):
        page.keyboard.press(key)
        assert segments.nth(at).evaluate("element => element === document.activeElement"), key
        assert detail.inner_text() == segments.nth(at).get_attribute("aria-label")
    position_s = "document.querySelector('#recording audio').currentTime"
    page.keyboard.press("Enter")
    start_s = float(segments.nth(last).get_attribute("data-start"))
    assert page.evaluate(position_s) == pytest.approx(start_s, abs=0.1)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert page.evaluate(position_s) == 0
    press_tab_until(page, "#answer summary")
    page.keyboard.press("Enter")
    assert page.locator("#answer table").is_visible()
    press_tab_until(page, "#candidates button")
    page.keyboard.press("Space")
    box = page.get_by_role("checkbox", name="German")
    box.wait_for()
    while not box.evaluate("element => element === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.locator("#answer .note", has_text="Chosen only").wait_for()
    assert not box.is_checked()
    assert box.evaluate("element => element === document.activeElement")
    assert page.locator("#answer table").is_visible()  # what was open stays open


def test_an_answer_is_announced_and_leaves_the_focus_where_it_was(page):
    place = page.locator("#answer .announcement")
    assert (place.get_attribute("role"), place.get_attribute("aria-live")) == ("status", "polite")
    said = "window.said = []; new MutationObserver(() => window.said.push(element.textContent))"
    place.evaluate(f"element => {{ {said}.observe(element, {{ childList: true }}) }}")
    button = page.locator("#examples").get_by_role("button", name="French", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    wait_for_answer(page)
    page.wait_for_timeout(1_000)
    assert button.evaluate("element => element === document.activeElement")
    spoken = [text for text in page.evaluate("window.said") if text]
    assert spoken[0].startswith("French, ") and len(set(spoken)) == 1


def test_a_long_file_is_cancelled_without_a_mouse(page, tmp_path):
    choose_file(page, write_speech(tmp_path / "long.flac", "german", duration_s=5000))
    page.locator("#answer .cancel").wait_for()
    page.locator("#answer .cancel").focus()
    page.wait_for_timeout(2_500)  # steps come, and leave the focus where it is
    assert page.locator("#answer .cancel").evaluate("e => e === document.activeElement")
    page.keyboard.press("Space")
    wait_for_answer(page)
    assert page.locator("#answer .cancel").count() == 0
    # Where the button was, not at the top of the page again.
    assert page.evaluate("document.activeElement.closest('#answer') !== null")


def test_what_is_drawn_and_what_is_worked_has_a_name(page):
    choose_example(page, "French")
    wait_for_answer(page)
    answer = page.locator("#answer")
    assert answer.get_by_role("toolbar", name="Language over time").count() == 1
    assert answer.get_by_role("list", name="How probable each answer is").count() == 1
    assert answer.get_by_role("button", name="French").count() == 1  # the segment
    assert answer.locator("svg[aria-hidden=true]").count() == 1  # nothing is in it but noise
    page.locator("#candidates button").first.click()
    page.get_by_role("group", name="Candidates").wait_for()
    assert page.locator("#recording audio").get_attribute("aria-label") == "Recording"
    assert page.get_by_role("button", name="Drop audio or video here").count() == 1
