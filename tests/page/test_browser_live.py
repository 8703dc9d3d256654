"""The tab "Live" in a real Chromium, whose microphone plays the French example."""

import re

import numpy as np
import pytest
from helpers.identifier import identification

from langid.page import live as listening
from langid.page.live import Heard, LiveAnswer
from langid.page.live_answer import live_html

pytestmark = pytest.mark.browser

TIMEOUT_MS = 90_000
WIDTHS = [320, 390, 768, 1280]
OTHERS = ("other", "none")
# Gradio's recorder gives up a chunk when it is stopped within it, and does not catch that.
GRADIOS_ERROR = "Another request was made to initiate an encoding."


@pytest.fixture
def visit(browser, url):
    """Opens the tab for a visitor who allows the microphone; pages must not log an error."""
    contexts, errors = [], []

    def open_tab(script: str = "", **options):
        context = browser.new_context(permissions=["microphone"], **options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.add_init_script(script)
        page.goto(url)
        page.locator("#answer .empty").wait_for()
        page.get_by_role("tab", name="Live").click()
        page.locator("#live-answer .empty").wait_for()
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert [error for error in errors if error.message != GRADIOS_ERROR] == []


def button(page, name: str):
    return page.locator("#live-microphone").get_by_role("button", name=name, exact=True)


def wait_for_state(page, state: str) -> None:
    page.locator(f"#live-answer [data-state={state}]").wait_for()


def listened_s(page) -> int:
    """As the page says it, once it does."""
    status = page.locator("#live-answer .status", has_text=re.compile(r"Listening, \d"))
    minutes, seconds = re.search(r"(\d+):(\d\d)", status.inner_text()).groups()
    return 60 * int(minutes) + int(seconds)


def test_the_answer_comes_while_one_speaks_and_stays_when_one_stops(visit):
    page = visit()
    button(page, "Record").click()
    wait_for_state(page, "listening")
    page.locator("#live-answer .verdict", has_text="French").wait_for()
    before = listened_s(page)
    page.wait_for_function(
        "before => Number(document.querySelector('#live-answer .status').innerText"
        ".match(/:(\\d\\d)/)?.[1]) >= before + 4",
        arg=before,
    )
    # On a busy machine seconds are lost, and the answer may waver.
    for place in (".verdict b", ".bars li:first-child", ".heard", ".announcement"):
        page.locator(f"#live-answer {place}", has_text="French").wait_for(state="attached")
    button(page, "Stop").click()
    page.get_by_text("Stopped.", exact=True).wait_for()
    last = page.locator("#live-answer .body").inner_text()
    assert "%" in last
    page.wait_for_timeout(2_000)  # a late answer would start it again
    assert page.locator("#live-answer .status").inner_text() == "Stopped."
    assert page.locator("#live-answer .body").inner_text() == last

    button(page, "Record").click()  # anew, from the beginning
    page.locator("#live-answer .listening").wait_for()
    assert listened_s(page) < before + 4


def test_it_stops_by_itself(visit, monkeypatch):
    monkeypatch.setattr(listening, "MAX_LISTENING_S", 3.0)
    page = visit()
    button(page, "Record").click()
    page.locator("#live-answer .problem", has_text="Stopped after").wait_for()
    button(page, "Record").wait_for()  # the microphone is off
    assert page.locator("#live-answer .verdict").count() == 1


def test_another_tab_stops_it(visit):
    page = visit()
    button(page, "Record").click()
    page.locator("#live-answer .verdict").wait_for()
    page.get_by_role("tab", name="Recording").click()
    page.locator("#live-answer [data-state=stopped]").wait_for(state="attached")
    page.get_by_role("tab", name="Live").click()
    button(page, "Record").wait_for()


def test_a_server_that_does_not_answer_is_noticed(visit):
    page = visit(
        "const wait = setTimeout; window.setTimeout = (f, ms, ...rest) => "
        "wait(f, ms === 30000 ? 100 : ms, ...rest);"
    )
    button(page, "Record").click()
    page.locator("#live-answer .problem", has_text="check the connection").wait_for()
    button(page, "Record").wait_for()


def test_a_blocked_microphone_says_how_to_allow_it(visit):
    page = visit(
        "navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    button(page, "Record").click()
    page.locator("#live-microphone-problem").get_by_text("To allow it, click the icon").wait_for()
    page = visit("Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined})")
    page.locator("#live-microphone-problem").get_by_text("secure address").wait_for()


RIGHT_EDGES = """() => [document.documentElement.scrollWidth, ...["#live-microphone",
  "#live-answer", "#live-answer .strip", "#live-answer .bars", "#live-answer .heard"].map(
  (place) => document.querySelector(place).getBoundingClientRect().right)]"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_is_scrolled_sideways(visit, scheme):
    page = visit(color_scheme=scheme)
    button(page, "Record").click()
    page.locator("#live-answer .verdict").wait_for()
    button(page, "Stop").click()
    page.get_by_text("Stopped.", exact=True).wait_for()
    # What takes most room: seven bars, long names, a history of hours.
    unsure = identification(
        (0.15, 0.14, 0.14, 0.14, 0.14, 0.15, 0.14), labels=("en", "fr", "de", "es", "it", *OTHERS)
    )
    names = ("en", "other") * 4
    heard = tuple(Heard(5_000 + 9 * i, 5_009 + 9 * i, name) for i, name in enumerate(names))
    longest = live_html(LiveAnswer(unsure, heard, np.ones(480), heard[-1].end_s))
    for html in (None, longest):
        if html:
            page.evaluate(
                "html => document.querySelector('#live-answer .body').innerHTML = html", html
            )
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_timeout(200)
            assert max(page.evaluate(RIGHT_EDGES)) <= width, width
