"""The real server of the page, for the tests of clients and browsers, and what clients ask it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import soundfile
from gradio_client import Client, handle_file

import app
from langid import LanguageIdentifier

FRENCH = app.EXAMPLES / "french.flac"
FILE_META = {"_type": "gradio.FileData"}


@contextmanager
def served(identifier: LanguageIdentifier, notice: str | None = None) -> Iterator[str]:
    """Serve the page on a free port of this machine; yields its address."""
    with served_page(identifier, notice) as (url, _):
        yield url


@contextmanager
def served_page(
    identifier: LanguageIdentifier, notice: str | None = None
) -> Iterator[tuple[str, gr.Blocks]]:
    """The same; yields the page itself as well."""
    page = app.build(identifier, notice)
    _, url, _ = app.launch(
        page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False
    )
    try:
        yield url, page
    finally:
        page.close(verbose=False)


def predict(client: Client, path: Path, *candidates) -> tuple[dict, dict]:
    return client.predict(handle_file(str(path)), *candidates, api_name="/predict")


def health(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/health", timeout=30) as response:
        return json.load(response)


def post(url: str, body: object) -> dict:
    """The answer to a body of JSON; one with the key "detail" or "error" for an HTTP error."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def call(url: str, body: dict, version: str = "") -> tuple[str, object]:
    """Event and data of the answer to ``POST /call/predict`` and the ``GET`` that follows."""
    event_id = post(f"{url}/gradio_api/call/{version}predict", body)["event_id"]
    answer = f"{url}/gradio_api/call/{version}predict/{event_id}"
    with urllib.request.urlopen(answer, timeout=60) as stream:
        event = "heartbeat"
        for line in stream:
            kind, _, value = line.decode().strip().partition(": ")
            if kind == "event":
                event = value
            elif kind == "data" and event != "heartbeat":
                return event, json.loads(value)
    raise AssertionError("The stream ended without an answer.")


def upload(url: str, path: Path) -> dict:
    """The file as the server knows it afterwards."""
    boundary = "b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"'
    body = f"{head}\r\n\r\n".encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{url}/gradio_api/upload",
        body,
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return {"path": json.load(response)[0], "meta": FILE_META}


def predict_index(url: str) -> int:
    with urllib.request.urlopen(f"{url}/config", timeout=30) as response:
        config = json.load(response)
    return next(d["id"] for d in config["dependencies"] if d["api_name"] == "predict")


def write_speech(path: Path, duration_s: float) -> Path:
    """The French example over and over."""
    speech, rate = soundfile.read(FRENCH, dtype="float32")
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for _ in range(round(duration_s * rate / len(speech))):
            file.write(speech)
    return path


def wait_until(is_true: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.1)
