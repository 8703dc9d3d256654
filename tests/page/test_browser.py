"""The page in a real Chromium: what people see after recording or choosing a file."""

import re

import numpy as np
import pytest
from helpers.browser import (
    TIMEOUT_MS,
    choose_example,
    choose_file,
    open_page,
    wait_for_answer,
    write_speech,
)

import app
from langid.languages import language_name

pytestmark = pytest.mark.browser

EXAMPLES = app.EXAMPLES
PHONE = {"width": 390, "height": 844}
SPOKEN = ("English", "French", "German", "Spanish", "Italian")  # examples that are answered right


def read_bars(page) -> dict[str, float]:
    """Name → the percentage that is written at its bar, once there is an answer."""
    wait_for_answer(page)
    rows = page.locator("#answer .bars li").all_inner_texts()
    found = [re.match(r"(.+?)\s+(?:over )?(\d+)\s%", row, re.DOTALL) for row in rows]
    return {row[1]: int(row[2]) / 100 for row in found}


def test_choosing_a_file_identifies_it(page, identifier):
    path = EXAMPLES / "german.flac"
    choose_file(page, path)
    expected = identifier.identify(path)
    shown = {
        language_name(label): share
        for label, share in expected.probabilities.items()
        if share >= 0.01
    }
    assert read_bars(page) == pytest.approx(shown, abs=0.0101)  # shown in whole percent
    assert page.locator("#answer .verdict b").inner_text() == language_name(expected.language)
    assert f"{expected.duration_s:.1f} s of audio" in page.locator("#answer .facts").inner_text()
    n_small = len(expected.probabilities) - len(shown)
    assert n_small == 0 or "under 1\u00a0%" in page.locator("#answer .rest").inner_text()
    assert page.locator("#drop input[type=file]").count() == 1  # free for the next one


def test_an_example_identifies_itself_and_is_no_dead_end(page):
    path = EXAMPLES / "rain.flac"
    # Served in place: a copy in Gradio's cache would be deleted with the visitors' recordings.
    with page.expect_response(lambda response: response.url.endswith(f"file={path}")) as served:
        choose_example(page, "Rain (no speech)")
    assert served.value.ok
    wait_for_answer(page)
    assert page.locator("#answer .verdict.none b").inner_text() == "No speech"
    assert "Nobody seems to speak" in page.locator("#answer .note").first.inner_text()
    choose_example(page, "Dutch (another language)")
    page.locator("#answer .verdict.other").wait_for()
    assert "another language" in page.locator("#answer .verdict").inner_text().lower()
    assert "untick" in page.locator("#answer .note").first.inner_text()


def test_candidates_are_applied_at_once_and_keep_the_whole_in_sight(page, identifier):
    choose_example(page, "Spanish")
    wait_for_answer(page)
    page.locator("#candidates").get_by_role("button").first.click()
    for label in identifier.labels:
        if label not in ("en", "it"):
            page.get_by_role("checkbox", name=language_name(label)).uncheck()
    answer = page.locator("#answer")
    answer.get_by_text("Chosen only among English and Italian").wait_for()
    expected = identifier.identify(EXAMPLES / "spanish.flac", languages=["en", "it"])
    bars = read_bars(page)
    assert set(bars) <= {"English", "Italian"}
    assert bars["Italian"] == pytest.approx(expected.probabilities["it"], abs=0.0101)
    assert "Among all answers: Spanish" in answer.inner_text()
    assert "among all)" in answer.locator(".bars").inner_text()
    choose_example(page, "French")  # the choice holds for the next one
    answer.get_by_text("Among all answers: French").wait_for()


def test_clearing_the_recording_clears_the_answer(page):
    choose_example(page, "French")
    wait_for_answer(page)
    page.locator("#recording").get_by_label("Clear").click()
    page.locator("#answer .empty").wait_for()
    assert page.locator("#answer .verdict").count() == 0


@pytest.mark.slow
def test_the_answer_shown_belongs_to_the_recording_shown(page, tmp_path):
    """Impatient clicks: 40 pairs of examples, every fourth into the work on a long upload."""
    long = write_speech(tmp_path / "long.flac", "german", duration_s=1200)
    random = np.random.default_rng(0)
    for i in range(40):
        if i % 4 == 3:
            choose_file(page, long)
            page.locator("#answer [data-state=working] .words").wait_for()
        first, second = random.choice(SPOKEN, 2, replace=False).tolist()
        choose_example(page, first)
        page.wait_for_timeout(float(random.uniform(60, 250)))
        if i % 3 == 2:
            page.locator("#recording").get_by_label("Clear").click()
        choose_example(page, second)
        wait_for_answer(page)
        page.wait_for_timeout(300)  # what comes late may come now
        player = page.locator("#recording audio").get_attribute("src")
        assert player.endswith(f"{second.lower()}.flac")
        assert page.locator("#answer .verdict b").inner_text() == second, (i, first)
    choose_file(page, long)
    page.locator("#answer [data-state=working] .words").wait_for()
    page.locator("#recording").get_by_label("Clear").click()
    page.wait_for_timeout(3_000)
    assert page.locator("#answer .empty").is_visible()


def test_a_long_file_shows_how_far_it_is_and_can_be_cancelled(page, tmp_path):
    choose_file(page, write_speech(tmp_path / "long.flac", "german", duration_s=5000))
    working = page.locator("#answer [data-state=working]")
    working.get_by_text(re.compile(r"\d+\s% of the recording, about .+ left")).wait_for()
    assert working.locator(".verdict b").inner_text() == "German"  # so far
    page.locator("#answer .cancel").click()
    wait_for_answer(page)
    assert page.locator("#answer .verdict b").inner_text() == "German"
    assert page.locator("#answer .working").count() == 0


def test_the_strip_stands_on_the_time_axis_of_the_player(page, tmp_path):
    path = write_speech(tmp_path / "two.flac", "german", "english", duration_s=24)
    choose_file(page, path)
    wait_for_answer(page)
    strip = page.locator("#answer .strip")
    segments = strip.locator(".segment")
    assert {"German", "English"} <= set(segments.all_inner_texts())
    border = strip.locator(".segment", has_text="English").first
    left = border.bounding_box()["x"] - strip.bounding_box()["x"]
    assert left / strip.bounding_box()["width"] == pytest.approx(0.5, abs=0.06)
    border.hover()
    detail = page.locator("#answer .detail")
    assert re.match(r"0:2\d – 0:4\d: English .+\s%, \w+", detail.inner_text())
    strip.click(position={"x": strip.bounding_box()["width"] * 0.25, "y": 10})
    position_s = "document.querySelector('#recording audio').currentTime"
    assert page.evaluate(position_s) == pytest.approx(12, abs=0.5)
    head = page.locator("#answer .playhead").bounding_box()
    at = (head["x"] - strip.bounding_box()["x"]) / strip.bounding_box()["width"]
    assert at == pytest.approx(0.25, abs=0.02)
    border.focus()
    page.keyboard.press("Enter")  # to the segment's start
    assert page.evaluate(position_s) == pytest.approx(24, abs=3)
    page.locator("#answer summary").click()
    assert "English" in page.locator("#answer table").inner_text()


SIZES = [320, 390, 768, 1280]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("duration_s", [3, 50, 1200])
def test_no_screen_is_scrolled_sideways(browser, url, tmp_path, scheme, duration_s):
    context = browser.new_context(color_scheme=scheme, has_touch=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    open_page(page, url)
    choose_file(page, write_speech(tmp_path / "speech.flac", "french", duration_s=duration_s))
    wait_for_answer(page)
    page.locator("#answer .segment").first.hover()
    for width in SIZES:
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for place in ("#recording", "#drop", "#answer", "#answer .strip"):
            box = page.locator(place).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, (place, width)
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")
    context.close()


def test_a_phone_scrolls_to_the_answer(page):
    page.set_viewport_size(PHONE | {"height": 600})
    choose_example(page, "French")
    wait_for_answer(page)
    page.wait_for_function("window.scrollY > 0")
    assert page.locator("#answer .verdict").is_visible()
