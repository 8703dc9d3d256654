"""The microphone in a real Chromium: recording, and what is said where it cannot be used."""

import re

import pytest
from helpers.browser import open_page, wait_for_answer

pytestmark = pytest.mark.browser


def test_recording_through_the_microphone_identifies_it(page):
    recorder = page.locator("#recording")
    recorder.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(4_000)
    recorder.get_by_role("button", name="Stop", exact=True).first.click()
    wait_for_answer(page)
    duration_s = re.match(r"([\d.]+) s of audio", page.locator("#answer .facts").inner_text())
    assert float(duration_s[1]) > 1
    assert page.locator("#microphone-problem p").inner_text() == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "To allow it, click the icon"),
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "in use by another program"),
    ],
)
def test_a_microphone_that_cannot_be_used_says_what_to_do(chromium, url, name, sentence):
    page = chromium.new_page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => "
        f"Promise.reject(new DOMException('no', '{name}'))"
    )
    open_page(page, url)
    page.locator("#recording").get_by_role("button", name="Record", exact=True).click()
    page.locator("#microphone-problem").get_by_text(sentence).wait_for()
    page.close()


def test_a_page_without_https_says_that_recording_needs_it(chromium, url):
    page = chromium.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined})")
    open_page(page, url)
    page.locator("#microphone-problem").get_by_text("secure address").wait_for()
    page.close()
