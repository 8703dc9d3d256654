"""What visitors of the page do, for the tests in a browser."""

from pathlib import Path

import numpy as np
import soundfile

import app

TIMEOUT_MS = 90_000
RATE = 16_000


def open_page(page, url: str) -> None:
    page.goto(url)
    page.locator("#drop input[type=file]").wait_for(state="attached")
    page.locator("#answer .empty").wait_for()


def choose_file(page, path: Path) -> None:
    page.set_input_files("#drop input[type=file]", path)


def choose_example(page, name: str) -> None:
    page.locator("#examples").get_by_role("button", name=name, exact=True).click()


def wait_for_answer(page) -> None:
    page.locator("#answer [data-state=done]").wait_for()


def write_speech(path: Path, *names: str, duration_s: float = 8.0) -> Path:
    """The examples of these languages, each over and over for so long."""
    parts = []
    for name in names:
        speech, _ = soundfile.read(app.EXAMPLES / f"{name}.flac", dtype="float32")
        parts.append(np.resize(speech, round(duration_s * RATE)))
    soundfile.write(path, np.concatenate(parts), RATE)
    return path
