"""What the server remembers of sessions, counted on a real one."""

import json
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from gradio.utils import LRUCache
from gradio_client import Client, handle_file
from helpers.app import post, predict_index, served_page, wait_until

import app
from langid import LanguageIdentifier

PATIENCE_S = 120
FRENCH = Path(app.__file__).parent / "examples" / "french.flac"
MAX_SESSIONS = 3


@pytest.fixture(scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "MAX_SESSIONS", MAX_SESSIONS)
        with served_page(LanguageIdentifier.from_pretrained("embedded")) as (url, page):
            yield url.rstrip("/") + "/gradio_api", page


@pytest.fixture
def server(running):
    running[1].state_holder.session_data.clear()
    return running


def ask(address: str, body: dict) -> str:
    """The event of a call."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        return json.load(response)["event_id"]


def upload(url: str) -> dict:
    with httpx.Client(timeout=PATIENCE_S) as http:
        path = http.post(f"{url}/upload", files={"files": FRENCH.read_bytes()}).json()[0]
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def call(url: str, audio: dict | None) -> str:
    """What the stream of a single call says."""
    event = ask(f"{url}/call/predict", {"data": [audio]})
    with urllib.request.urlopen(f"{url}/call/predict/{event}", timeout=PATIENCE_S) as stream:
        return stream.read().decode()


@contextmanager
def heartbeat(url: str, session: str):
    """As long as a page is open, the server counts on its session."""
    with urllib.request.urlopen(f"{url}/heartbeat/{session}", timeout=PATIENCE_S) as stream:
        stream.readline()
        yield


def show(url: str, page, session: str) -> None:
    """Let the page of a session show an answer, which it keeps for its candidates."""
    (fn,) = [fn for fn in page.fns.values() if fn.fn == page.handlers.show]
    data = [upload(url), 1, list(page.handlers.identifier.labels), "en"]
    ask(f"{url}/queue/join", {"data": data, "fn_index": fn._id, "session_hash": session})
    address = f"{url}/queue/data?session_hash={session}"
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as stream:
        assert '"process_completed"' in stream.read().decode()


def kept(page) -> list[str]:
    """Sessions that hold the answer of a page."""
    return [
        session
        for session, state in page.state_holder.session_data.items()
        if any(value is not None for value in state.state_data.values())
    ]


def test_a_single_call_leaves_nothing_behind(server):
    url, page = server
    queue = page._queue
    audio = upload(url)
    assert all('"language": "fr"' in call(url, audio) for _ in range(2))
    assert all("no recording yet" in call(url, None) for _ in range(4))
    wait_until(lambda: not queue.pending_event_ids_session)  # the stream is read a moment earlier
    assert not queue.pending_messages_per_session
    assert not page.state_holder.session_data and not page.state_holder.time_last_used


def test_calls_that_nobody_asks_about_are_bounded(server, monkeypatch):
    url, page = server
    few = LRUCache(2)  # Gradio's has 2,000
    monkeypatch.setattr(page._queue, "pending_messages_per_session", few)
    for _ in range(12):
        event = ask(f"{url}/call/predict", {"data": [None]})
        wait_until(lambda event=event: event not in page._queue.event_ids_to_events)
    assert len(page._queue.pending_event_ids_session) <= 4
    assert not page.state_holder.session_data


def test_calls_do_not_push_out_an_open_page(server):
    url, page = server
    with heartbeat(url, "open"):
        show(url, page, "open")
        for _ in range(2 * MAX_SESSIONS):
            call(url, None)
        assert kept(page) == ["open"]


def test_a_closed_session_is_kept_only_for_what_it_holds(server):
    url, page = server
    sessions = page.state_holder.session_data
    with heartbeat(url, "page"):
        show(url, page, "page")
    wait_until(lambda: sessions["page"].is_closed)
    address = url.removesuffix("/gradio_api")
    with closing(Client(address, verbose=False, analytics_enabled=False)) as client:
        client.predict(handle_file(str(FRENCH)), api_name="/predict")
        assert set(sessions) == {"page", client.session_hash}
    wait_until(lambda: len(sessions) == 1)
    assert kept(page) == ["page"]  # a phone that comes back has its answer
    sessions["page"].state_data.clear()  # as Gradio does after an hour
    with heartbeat(url, "next"):
        pass
    wait_until(lambda: not sessions)


def test_a_bounded_number_of_sessions_is_remembered(identifier, monkeypatch):
    monkeypatch.setattr(app, "MAX_SESSIONS", 2)
    with served_page(identifier) as (url, page):
        url = url.rstrip("/")
        body = {"data": [None], "fn_index": predict_index(url)}
        for i in range(6):
            asked = body | {"session_hash": f"visitor {i}"}
            assert "event_id" in post(f"{url}/gradio_api/queue/join", asked)
        wait_until(lambda: not page._queue.event_ids_to_events, 60)
        assert 1 <= len(page.state_holder.session_data) <= 3
