"""The page in a real Chromium: what people see after recording or choosing a file."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from helpers.app import served

import app
from langid import Identification, LanguageIdentifier
from langid.languages import language_name

pytestmark = pytest.mark.browser

EXAMPLES = app.EXAMPLES
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_MS = 90_000
FLAGS = [
    "--no-sandbox",  # without it Chromium refuses to run as root, as in a container
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def missing(what: str) -> None:
    if os.environ.get("LANGID_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and LANGID_REQUIRE_BROWSER=1 asks for a browser")
    pytest.skip(f"{what}: the tests in a browser need it")


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.fixture(scope="module")
def url(identifier) -> Iterator[str]:
    with served(identifier) as url:
        yield url


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A profile of Chromium whose microphone hears the French example over and over."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        missing(f"No Chromium ({', '.join(CHROMIUM_NAMES)}) is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("The package playwright is not installed")
    speech = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(speech, *soundfile.read(EXAMPLES / "french.flac"), subtype="PCM_16")
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={speech}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        context = browser.new_context(permissions=["microphone"])
        context.set_default_timeout(TIMEOUT_MS)
        yield context
        browser.close()


@pytest.fixture
def page(chromium, url):
    """The page on a desktop's screen; it must not need the network or log an error."""
    page = chromium.new_page()
    page.set_viewport_size(DESKTOP)
    elsewhere, errors = [], []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(url)
    page.locator("#identify").wait_for()
    yield page
    page.close()
    own = (url, "data:", "blob:")
    assert [request for request in elsewhere if not request.startswith(own)] == []
    assert errors == []


def choose_file(page, path: Path) -> None:
    page.locator("#recording").get_by_label("Upload file").click()
    page.set_input_files("#recording input[type=file]", path)


def read_bars(page) -> dict[str, float]:
    """Name → the percentage that is written at its bar, once there are bars."""
    page.locator("#bars meter").first.wait_for()
    bars = {}
    for bar in page.locator("#bars [data-testid$=-confidence-set]").all():
        name, percentage = re.fullmatch(r"\s*(.+?)\s+(\d+)%\s*", bar.inner_text(), re.S).groups()
        bars[name] = int(percentage) / 100
    return bars


def named(answer: Identification) -> dict[str, float]:
    return {language_name(label): share for label, share in answer.probabilities.items()}


def test_choosing_a_file_identifies_it(page, identifier):
    path = EXAMPLES / "german.flac"
    choose_file(page, path)
    expected = identifier.identify(path)
    assert read_bars(page) == pytest.approx(named(expected), abs=0.006)  # shown in whole percent
    assert page.locator("#bars h2").inner_text() == language_name(expected.language)
    assert f"{expected.duration_s:.1f} s of audio" in page.locator("#summary").inner_text()
    page.locator("#timeline canvas, #timeline svg").first.wait_for()
    assert page.locator("#legend li").count() == len(identifier.labels)


def test_recording_through_the_microphone_identifies_it(page, identifier):
    recorder = page.locator("#recording")
    recorder.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(4_000)
    recorder.get_by_role("button", name="Stop", exact=True).first.click()
    bars = read_bars(page)
    assert set(bars) == {language_name(label) for label in identifier.labels}
    assert sum(bars.values()) == pytest.approx(1, abs=0.005 * len(bars))
    duration_s = re.match(r"([\d.]+) s of audio", page.locator("#summary").inner_text())
    assert float(duration_s[1]) > 1


def test_an_example_identifies_itself(page, identifier):
    path = EXAMPLES / "rain.flac"
    # Served in place: a copy in Gradio's cache would be deleted with the visitors' recordings.
    with page.expect_response(lambda response: response.url.endswith(f"file={path}")) as served:
        page.get_by_role("button", name="Rain (no speech)").click()
    assert served.value.ok
    expected = identifier.identify(path)
    assert read_bars(page) == pytest.approx(named(expected), abs=0.006)


def test_candidates_restrict_the_bars(page, identifier):
    for label in identifier.labels:
        if label not in ("en", "it"):
            page.get_by_role("checkbox", name=language_name(label)).uncheck()
    path = EXAMPLES / "spanish.flac"
    choose_file(page, path)
    expected = named(identifier.identify(path, languages=["en", "it"]))
    bars = read_bars(page)
    assert set(bars) == {"English", "Italian"}
    assert bars == pytest.approx({name: expected[name] for name in bars}, abs=0.006)
    assert "Chosen only among English and Italian" in page.locator("#summary").inner_text()


def test_identify_without_a_recording_says_what_to_do(page):
    page.locator("#identify").click()
    page.get_by_text("There is no recording yet").wait_for()
    assert page.locator("#bars meter").count() == 0


def test_an_unusable_file_is_explained_and_the_next_one_works(page, tmp_path):
    path = tmp_path / "notes.wav"
    path.write_text("This is no sound at all.\n" * 20)
    choose_file(page, path)
    page.locator("#summary").get_by_text("is not audio").wait_for()
    assert page.locator("#bars meter").count() == 0
    page.get_by_role("button", name="Italian", exact=True).click()
    assert sum(read_bars(page).values()) == pytest.approx(1, abs=0.04)
    assert "8.2 s of audio" in page.locator("#summary").inner_text()


def test_clearing_the_recording_clears_the_answer(page):
    page.get_by_role("button", name="French", exact=True).click()
    read_bars(page)
    page.locator("#recording").get_by_label("Clear").click()
    page.locator("#bars meter").first.wait_for(state="detached")
    assert page.locator("#summary").inner_text().strip() == ""


def test_a_phone_shows_the_answer_without_scrolling_sideways(page):
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="French", exact=True).click()
    read_bars(page)
    page.wait_for_function("window.scrollY > 0")  # down to the answer
    page.locator("#timeline canvas, #timeline svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
