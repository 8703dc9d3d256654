"""The tab "Many files" in a real Chromium."""

import csv
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.app import served_page

import app
from langid import LanguageIdentifier
from langid.page.batch import MAX_FILES
from langid.space.batches import CANCELLED, TOO_LARGE

pytestmark = pytest.mark.browser

TIMEOUT_MS = 90_000
WIDTHS = [320, 390, 768, 1280]
HOSTILE = "_notes_ **of** <img src=x onerror=alert(1)>.flac"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, app.gr.Blocks]]:
    with served_page(LanguageIdentifier.from_pretrained("embedded")) as (url, page):
        yield url, page


@pytest.fixture
def page(browser, server):
    """The tab on a desktop's screen; it must not need the network or log an error."""
    url, _ = server
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    elsewhere, errors = [], []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    open_tab(page, url)
    yield page
    context.close()
    own = (url, "data:", "blob:")
    assert [request for request in elsewhere if not request.startswith(own)] == []
    assert errors == []


def open_tab(page, url: str) -> None:
    page.goto(url)
    page.locator("#answer .empty").wait_for(state="attached")
    page.get_by_role("tab", name="Many files").click()
    page.locator("#batch .empty").wait_for()
    page.locator("#batch-drop input[type=file]").wait_for(state="attached")


def choose(page, *paths: Path) -> None:
    page.set_input_files("#batch-drop input[type=file]", paths)


def drop(page, place: str, *paths: Path) -> None:
    """Drop files and folders as a file manager does."""
    box = page.locator(place).bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def wait_for_table(page) -> None:
    page.locator("#batch [data-state=done]").wait_for()


def read_rows(page) -> list[list[str]]:
    """What stands in each row; an error is under "not identified", in the same cell."""
    rows = page.locator("#batch tbody tr").all()
    cells = (row.locator("th, td").all_inner_texts() for row in rows)
    return [[text for cell in row for text in cell.split("\n\n")] for row in cells]


def download(page, kind: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {kind}").click()
    assert download.value.suggested_filename == f"languages.{kind.lower()}"
    return Path(download.value.path()).read_bytes()


def copy(name: str, target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    shutil.copy(app.EXAMPLES / f"{name}.flac", target)
    return target


def write_long(path: Path, duration_s: float = 6000) -> Path:
    speech, rate = soundfile.read(app.EXAMPLES / "spanish.flac", dtype="float32")
    soundfile.write(path, np.resize(speech, round(duration_s * rate)), rate)
    return path


def write_broken(path: Path) -> Path:
    path.write_text("This is no sound at all.\n" * 20)
    return path


def test_dropped_files_fill_a_table_that_can_be_downloaded(page, tmp_path):
    assert page.get_by_role("button", name="Download CSV").count() == 0
    paths = [
        copy("german", tmp_path / "talk.flac"),
        copy("french", tmp_path / "interview.flac"),
        write_broken(tmp_path / "broken.wav"),
        copy("italian", tmp_path / HOSTILE),
        copy("rain", tmp_path / "=HYPERLINK(1).flac"),
    ]
    drop(page, "#batch-drop", *paths)
    page.locator("#batch tbody tr").nth(4).wait_for()
    wait_for_table(page)
    rows = read_rows(page)
    assert [row[0] for row in rows] == [path.name for path in paths]
    answers = ["German", "French", "not identified", "Italian", "No speech"]
    assert [row[1] for row in rows] == answers
    assert re.fullmatch(r"(over )?\d+\s%", rows[0][2]) and float(rows[0][3]) > 5
    assert rows[0][4] == "1" and rows[0][5] == "" and "is not audio" in rows[2][-1]
    assert page.locator("#batch :is(img, em, strong)").count() == 0
    words = "5 files: German 1, French 1, Italian 1, No speech 1, not identified 1"
    assert page.locator("#batch .summary").inner_text() == words
    assert page.locator("#batch .announcement").inner_text() == words

    text = download(page, "CSV").decode("utf-8-sig")
    table = list(csv.DictReader(text.splitlines()))
    assert [row["language"] for row in table] == ["de", "fr", "", "it", "none"]
    assert [row["file"] for row in table][3:] == [HOSTILE, "'=HYPERLINK(1).flac"]
    assert "is not audio" in table[2]["error"]
    whole = json.loads(download(page, "JSON"))
    assert [row["file"] for row in whole] == [path.name for path in paths]
    assert whole[0]["windows"] and whole[0]["segments"] and whole[2].keys() == {"file", "error"}

    # It is there after a look at another tab, and until the next batch.
    page.get_by_role("tab", name="Recording").click()
    page.locator("#answer .empty").wait_for()
    page.get_by_role("tab", name="Many files").click()
    assert read_rows(page) == rows
    choose(page, paths[0], copy("spanish", tmp_path / "other" / "talk.flac"))
    page.get_by_text("2 files: German 1, Spanish 1").first.wait_for()
    assert [row["file"] for row in json.loads(download(page, "JSON"))] == ["talk.flac"] * 2


def test_what_is_ticked_off_is_no_answer_in_this_tab_either(page, server):
    choose(page, app.EXAMPLES / "french.flac", app.EXAMPLES / "german.flac")
    page.locator("#batch .summary", has_text="French 1, German 1").wait_for()
    page.locator("#batch-candidates button").first.click()
    page.locator("#batch-candidates").get_by_role("checkbox", name="French").uncheck()
    page.locator("#batch .chosen", has_text="Chosen only among English, German").wait_for()
    first, german = read_rows(page)
    assert "French" not in first[1] and german[1] == "German"
    whole = json.loads(download(page, "JSON"))
    assert whole[0]["probabilities"]["fr"] == 0 and whole[0]["language"] != "fr"
    # It is kept for the next visit, and for this tab alone.
    open_tab(page, server[0])
    choose(page, app.EXAMPLES / "french.flac")
    page.locator("#batch .chosen").wait_for()
    page.get_by_role("tab", name="Recording").click()
    page.locator("#candidates button").first.click()
    assert page.locator("#candidates").get_by_role("checkbox", name="French").is_checked()


def test_cancel_keeps_the_first_results(page, server, tmp_path):
    long = write_long(tmp_path / "long.flac")
    choose(page, long, app.EXAMPLES / "french.flac", long)  # the short one comes first
    row = page.locator("#batch tbody tr").first
    row.get_by_text(re.compile(r"identified to \d+\s%")).wait_for()
    assert page.locator("#batch .words").inner_text() == "1 of 3 files"
    share = float(page.locator("#batch progress").get_attribute("value"))
    assert 1 / 3 <= share < 1
    assert [row[1] for row in read_rows(page)][1:] == ["French", "waiting"]
    page.locator("#batch .cancel").click()
    wait_for_table(page)
    assert [row[1] for row in read_rows(page)] == ["not identified", "French", "not identified"]
    first, french, last = json.loads(download(page, "JSON"))
    assert french["language"] == "fr" and first["error"] == last["error"] == CANCELLED
    assert server[1].handlers.scheduler.n_jobs == 0


def test_a_newer_batch_and_a_closed_page_end_the_work(browser, server, tmp_path):
    url, blocks = server
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    open_tab(page, url)
    choose(page, write_long(tmp_path / "long.flac"))
    page.locator("#batch tbody").get_by_text("identified to").wait_for()
    choose(page, app.EXAMPLES / "german.flac")
    page.get_by_text("1 file: German 1").first.wait_for()
    choose(page, tmp_path / "long.flac", tmp_path / "long.flac")
    page.locator("#batch tbody").get_by_text("identified to").wait_for()
    page.close()
    deadline_s = time.monotonic() + 10
    while blocks.handlers.scheduler.n_jobs:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_what_cannot_be_taken_is_told_before_it_is_uploaded(page, tmp_path):
    uploads = []
    page.on("request", lambda request: "/upload" in request.url and uploads.append(request.url))
    many = [tmp_path / f"{i}.wav" for i in range(MAX_FILES + 1)]
    for path in many:
        path.write_bytes(b"RIFF")
    choose(page, *many)
    page.locator("#batch .problem").get_by_text(f"These are {MAX_FILES + 1} files").wait_for()
    huge = tmp_path / "huge.wav"
    with huge.open("wb") as file:
        file.truncate(201 * 2**20)  # takes no room on the disk
    choose(page, huge)
    wait_for_table(page)
    assert read_rows(page)[0][::2] == ["huge.wav", TOO_LARGE]
    assert uploads == []
    choose(page, huge, app.EXAMPLES / "french.flac")
    page.get_by_text("2 files: French 1, not identified 1").first.wait_for()
    assert [row[0] for row in read_rows(page)] == ["french.flac", "huge.wav"]
    assert len(uploads) > 0


@pytest.mark.parametrize("place", ["#batch-drop", "#title"])
def test_a_folder_may_be_dropped_anywhere_in_the_tab(page, server, tmp_path, place):
    folder = tmp_path / "folder"
    copy("german", folder / "a.flac")
    copy("english", folder / "inner" / "b.flac")
    (folder / ".hidden").write_text("kept by a file manager")
    drop(page, place, folder, app.EXAMPLES / "spanish.flac")
    wait_for_table(page)
    found = {row[0]: row[1] for row in read_rows(page)}
    assert found == {"a.flac": "German", "b.flac": "English", "spanish.flac": "Spanish"}
    assert page.url == server[0] and page.locator("#answer [data-state=empty]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_only_the_table_is_scrolled_sideways(browser, server, tmp_path, scheme):
    context = browser.new_context(color_scheme=scheme, has_touch=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    open_tab(page, server[0])
    names = [path.stem for path in sorted(app.EXAMPLES.glob("*.flac"))]
    paths = [app.EXAMPLES / f"{name}.flac" for name in names]
    paths += [copy(name, tmp_path / f"{name * 20}.flac") for name in names[:4]]
    choose(page, *paths, write_broken(tmp_path / "broken.wav"))
    wait_for_table(page)
    assert page.locator("#batch tbody tr").count() == 12
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for place in ("#batch-drop", "#batch", "#batch .rows", "#batch-downloads"):
            box = page.locator(place).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, (place, width)
    # The column of names stays in sight, and the rest is reached by keyboard.
    page.set_viewport_size({"width": 390, "height": 844})
    name = page.locator("#batch tbody th").first
    left = name.bounding_box()["x"]
    page.locator("#batch .rows").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#batch .rows').scrollLeft > 100")
    assert name.bounding_box()["x"] == pytest.approx(left, abs=2)
    context.close()
