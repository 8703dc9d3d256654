"""The page's server with the embedded weights, and the browser that sees it as people do."""

import os
import shutil
from collections.abc import Iterator

import pytest
import soundfile
from helpers.app import served
from helpers.browser import TIMEOUT_MS, open_page

import app
from langid import LanguageIdentifier

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # without it Chromium refuses to run as root, as in a container
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.fixture(scope="module")
def url(identifier) -> Iterator[str]:
    with served(identifier) as url:
        yield url


def missing(what: str) -> None:
    if os.environ.get("LANGID_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and LANGID_REQUIRE_BROWSER=1 asks for a browser")
    pytest.skip(f"{what}: the tests in a browser need it")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium whose microphone plays the French example over and over."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        missing(f"No Chromium ({', '.join(CHROMIUM_NAMES)}) is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("The package playwright is not installed")
    speech = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(speech, *soundfile.read(app.EXAMPLES / "french.flac"), subtype="PCM_16")
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={speech}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chromium(browser):
    """A visitor who allows the microphone."""
    context = browser.new_context(permissions=["microphone"])
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def page(chromium, url):
    """The page on a desktop's screen; it must not need the network or log an error."""
    page = chromium.new_page()
    page.set_viewport_size(DESKTOP)
    elsewhere, errors = [], []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    open_page(page, url)
    yield page
    page.evaluate("localStorage.clear()")  # the next test is another visitor
    page.close()
    own = (url, "data:", "blob:")
    assert [request for request in elsewhere if not request.startswith(own)] == []
    assert errors == []
