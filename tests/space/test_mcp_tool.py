"""The tool of the MCP server, through the real client of the protocol's own package."""

import asyncio
import base64
import json
import time
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import soundfile
from helpers.app import FRENCH, served_page, write_speech
from helpers.audio import two_tracks
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

import app
from langid.space.handlers import FAILED, GONE
from langid.space.recordings import NO_ADDRESS, UNREACHABLE

ROOT = Path(app.__file__).parent
SPANISH = ROOT / "examples" / "spanish.flac"
PATIENCE_S = 60  # a machine may be busy


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the server keeps recordings."""
    folder = tmp_path_factory.mktemp("recordings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def server(identifier, folder):
    with served_page(identifier) as (url, page):
        yield url.rstrip("/"), page


@asynccontextmanager
async def connected(url: str):
    """A session, and what the server says of itself."""
    async with (
        streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        yield session, await session.initialize()


def call(url: str, progress=None, tool: str = "identify_language", **arguments):
    async def run():
        async with connected(url) as (session, _):
            return await session.call_tool(tool, arguments, progress_callback=progress)

    return asyncio.run(run())


def data_uri(content: bytes, kind: str = "audio/flac") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def upload(url: str, path: Path) -> str:
    """Address of the file on the server, as the tool upload_file_to_gradio gives it."""
    answer = httpx.post(f"{url}/gradio_api/upload", files={"files": path.open("rb")})
    return f"{url}/gradio_api/file={answer.json()[0]}"


def n_jobs(url: str) -> int:
    with urllib.request.urlopen(f"{url}/health", timeout=PATIENCE_S) as response:
        return json.load(response)["queue"]["jobs"]


def wait_for_jobs(url: str, n: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while n_jobs(url) != n:
        assert time.monotonic() < deadline, f"there are {n_jobs(url)} jobs, not {n}"
        time.sleep(0.1)


def test_the_only_tool_is_described_down_to_each_argument(url, identifier):
    async def ask():
        async with connected(url) as (session, server):
            return server.capabilities, (await session.list_tools()).tools

    capabilities, tools = asyncio.run(ask())
    assert capabilities.tools and not capabilities.prompts and not capabilities.resources
    (tool,) = tools
    assert tool.name == "identify_language" and "English, French, German" in tool.description
    arguments = tool.inputSchema["properties"]
    assert list(arguments) == ["audio", "candidates", "audio_track"]
    assert tool.inputSchema["required"] == ["audio"]
    assert all(len(argument["description"]) > 30 for argument in arguments.values())
    for label in identifier.labels:
        assert f"{label} (" in arguments["candidates"]["description"]
    for name in ("language", "name", "confidence", "probabilities", "segments", "duration_s"):
        assert name in tool.outputSchema["required"]
    with urllib.request.urlopen(f"{url}/gradio_api/mcp/schema") as response:
        (told,) = json.load(response)
    assert (told["name"], told["description"]) == (tool.name, tool.description)
    assert told["inputSchema"] == tool.inputSchema


def test_a_data_uri_gives_what_the_package_says(url, identifier, folder):
    answer = call(url, audio=data_uri(FRENCH.read_bytes()))
    result, expected = answer.structuredContent, identifier.identify(FRENCH)
    assert not answer.isError
    assert (result["language"], result["name"]) == ("fr", "French")
    assert result["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
    assert result["probabilities"] == pytest.approx(expected.probabilities, abs=1e-4)
    assert result["duration_s"] == pytest.approx(expected.duration_s, abs=1e-3)
    assert [s["language"] for s in result["segments"]] == [s.language for s in expected.segments]
    assert result["languages"][0]["name"] == "French" and "windows" not in result
    (text,) = answer.content
    assert json.loads(text.text) == result
    assert not list(folder.rglob("*")), "the recording was left on the server"


def test_an_upload_is_named_by_its_address(url):
    answer = call(url, audio=upload(url, SPANISH))
    assert answer.structuredContent["language"] == "es"


def test_candidates_and_audio_track_are_those_of_predict(url, identifier):
    restricted = call(url, audio=data_uri(FRENCH.read_bytes()), candidates=["en", "Italian"])
    expected = identifier.identify(FRENCH, languages=["en", "it"])
    assert restricted.structuredContent["probabilities"] == pytest.approx(
        expected.probabilities, abs=1e-4
    )
    film = data_uri(two_tracks(), "video/x-matroska")
    durations = [
        call(url, audio=film, audio_track=track).structuredContent["duration_s"]
        for track in (None, 1, 2)
    ]
    assert durations == pytest.approx([1.5, 1.5, 2.0], abs=0.06)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"audio": data_uri(b"This is no sound at all.\n" * 20, "audio/wav")}, "is not audio"),
        ({"audio": data_uri(b"")}, "is empty"),
        ({"audio": "data:audio/wav"}, "data: URI cannot be read"),
        ({"audio": "data:audio/wav;base64,A"}, "data: URI cannot be read"),
        ({"audio": ""}, NO_ADDRESS),
        ({"audio": data_uri(FRENCH.read_bytes()), "candidates": ["klingon"]}, "cannot answer"),
        ({"audio": data_uri(FRENCH.read_bytes()), "candidates": []}, "No candidate is chosen"),
        ({"audio": data_uri(FRENCH.read_bytes()), "audio_track": 2}, "has one audio track"),
        ({"audio": data_uri(FRENCH.read_bytes()), "audio_track": "two"}, "audio_track"),
        ({}, "audio: Field required"),
        ({"audio": "https://nowhere.invalid/a.wav"}, UNREACHABLE),
        ({"audio": data_uri(FRENCH.read_bytes()), "tool": "predict"}, "There is no tool 'predict'"),
        ({"audio": data_uri(FRENCH.read_bytes()), "tool": "show"}, "There is no tool 'show'"),
    ],
)
def test_mistakes_are_errors_of_one_sentence(url, arguments, sentence):
    answer = call(url, **arguments)
    (text,) = answer.content
    assert answer.isError and sentence in text.text and answer.structuredContent is None
    assert "\n" not in text.text and "/tmp" not in text.text and "Traceback" not in text.text
    assert n_jobs(url) == 0


@pytest.mark.parametrize("given", [str, lambda path: {"path": path}, lambda path: [path]])
def test_no_file_of_the_server_is_read_by_its_path(url, tmp_path, given):
    hidden = tmp_path / "hidden.flac"
    hidden.write_bytes(FRENCH.read_bytes())
    meta = {"_type": "gradio.FileData"}
    for path in ("/etc/passwd", str(hidden)):
        audio = given(path)
        if isinstance(audio, dict):
            audio |= {"meta": meta}
        answer = call(url, audio=audio)
        assert answer.isError and "French" not in answer.content[0].text


@pytest.mark.parametrize("path", ["/etc/passwd", "{folder}/../hidden.flac", "%2Fetc%2Fpasswd"])
def test_nor_by_an_address_that_holds_its_path(url, folder, path):
    (folder.parent / "hidden.flac").write_bytes(FRENCH.read_bytes())
    path = path.format(folder=folder)
    for address in (f"file://{path}", f"{url}/gradio_api/file={path}", f"FILE://{path}"):
        answer = call(url, audio=address)
        assert answer.isError and answer.content[0].text in (NO_ADDRESS, UNREACHABLE)


def test_an_upload_that_was_deleted_says_load_it_again(url, folder, tmp_path):
    path = tmp_path / "gone.flac"
    soundfile.write(path, [0.0] * 16_000, 16_000)
    address = upload(url, path)
    next(folder.rglob("gone.flac")).unlink()
    assert call(url, audio=address).content[0].text == GONE


def test_what_fails_here_is_no_fault_of_the_recording(server, monkeypatch):
    url, page = server

    def fail(*_):
        raise OSError("/secret/path")

    monkeypatch.setattr(page.handlers.scheduler, "identify", fail)
    answer = call(url, audio=data_uri(FRENCH.read_bytes()))
    assert answer.isError and answer.content[0].text == FAILED


def test_progress_is_told_and_only_rises(url, tmp_path):
    fractions = []

    async def progress(fraction, total, _):
        fractions.append((fraction, total))

    address = upload(url, write_speech(tmp_path / "long.flac", 600))
    assert call(url, progress, audio=address).structuredContent["language"] == "fr"
    assert fractions == sorted(fractions) and fractions[-1] == (1.0, 1.0)


def test_work_stops_when_its_client_leaves(server, monkeypatch, tmp_path):
    url, page = server
    scheduler, steps = page.handlers.scheduler, []
    identify = scheduler.identify

    def watched(*arguments):
        for step in identify(*arguments):
            steps.append(step)
            yield step

    monkeypatch.setattr(scheduler, "identify", watched)
    address = upload(url, write_speech(tmp_path / "hour.flac", 3600))
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "identify_language", "arguments": {"audio": address}},
    }
    accepted = {"Accept": "application/json, text/event-stream"}
    with httpx.stream(
        "POST", f"{url}/gradio_api/mcp/", json=request, headers=accepted, timeout=PATIENCE_S
    ):
        wait_for_jobs(url, 1)
    wait_for_jobs(url, 0)
    assert not any(step.is_last for step in steps), "the work ended before its client left"
