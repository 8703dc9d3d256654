"""The browser of the tests that see the page as people do."""

import os
import shutil

import pytest
import soundfile

import app

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
