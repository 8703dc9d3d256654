"""Recordings at addresses of strangers: bounded, and of public hosts only."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import safehttpx
from gradio_client import Client
from gradio_client.exceptions import AppError
from helpers.app import served
from helpers.local_server import LocalServer

from langid import LanguageIdentifier
from langid.errors import AudioError
from langid.space import recordings
from langid.space.recordings import TOO_LARGE, UNREACHABLE, download

CONTENT = bytes(range(256)) * 40


has_ended = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        self.send_response(
            {"missing": 404, "clip": 200, "endless": 200, "slow": 200}.get(name, 302)
        )
        if name == "clip":
            self.send_header("Content-Length", str(len(CONTENT)))
        elif name == "moved":
            self.send_header("Location", "/clip")
        elif name == "circle":
            self.send_header("Location", "/circle")
        elif name == "inwards":
            self.send_header("Location", f"http://localhost:{self.server.server_port}/clip")
        self.end_headers()
        if name == "slow":
            self.wfile.write(CONTENT)
            has_ended.wait(60)
        while name in ("clip", "endless"):
            self.wfile.write(CONTENT)
            if name == "clip":
                break

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A local server that counts as public by its number, though not by its name."""
    judge = safehttpx.async_validate_url

    async def validate(host: str) -> str:
        return host if host == "127.0.0.1" else await judge(host)

    monkeypatch.setattr(safehttpx, "async_validate_url", validate)
    with LocalServer(Handler) as server:
        yield server


def fetched(url: str, tmp_path: Path) -> bytes:
    return asyncio.run(download(url, tmp_path / "recording")).read_bytes()


@pytest.mark.parametrize("name", ["clip", "moved"])
def test_a_file_is_fetched_from_where_it_is_now(server, tmp_path, name):
    assert fetched(f"{server.url}/{name}", tmp_path) == CONTENT


@pytest.mark.parametrize("name", ["missing", "circle", "inwards"])
def test_what_cannot_be_had_is_a_sentence(server, tmp_path, name):
    with pytest.raises(AudioError) as error:
        fetched(f"{server.url}/{name}", tmp_path)
    assert str(error.value) == UNREACHABLE


def test_a_file_without_end_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_BYTES", 1_000_000)
    with pytest.raises(AudioError) as error:
        fetched(f"{server.url}/endless", tmp_path)
    assert str(error.value) == TOO_LARGE
    assert (tmp_path / "recording").stat().st_size < 2_000_000


def test_a_file_that_never_arrives_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_DOWNLOAD_S", 1.0)
    try:
        with pytest.raises(AudioError) as error:
            fetched(f"{server.url}/slow", tmp_path)
        assert str(error.value) == UNREACHABLE and not has_ended.is_set()
    finally:
        has_ended.set()


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "", "a b"])
def test_no_host_of_a_private_network_is_asked(tmp_path, monkeypatch, host):
    with LocalServer(Handler) as server, pytest.raises(AudioError) as error:
        fetched(f"http://{host}:{server.server_port}/clip", tmp_path)
    assert str(error.value) == UNREACHABLE and server.n_connections == 0


def test_predict_fetches_no_file_without_end_either(server, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_BYTES", 1_000_000)
    with served(LanguageIdentifier.from_pretrained("embedded")) as url:
        client = Client(url, verbose=False, analytics_enabled=False)
        audio = {"path": f"{server.url}/endless", "meta": {"_type": "gradio.FileData"}}
        with pytest.raises(AppError) as error:
            client.predict(audio, api_name="/predict")
    assert error.value.message == TOO_LARGE
