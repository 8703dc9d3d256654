"""Who listens to an answer, and what a visitor wants now."""

import asyncio
import threading

import pytest

from langid.page import clients
from langid.page.clients import ListenerMiddleware, Listeners, Visitors


@pytest.mark.parametrize(
    ("method", "path", "query", "key"),
    [
        ("GET", "/gradio_api/queue/data", b"session_hash=abc", "abc"),
        ("GET", "/root/gradio_api/call/predict/e1f2", b"", "e1f2"),
        ("GET", "/gradio_api/call/v2/predict/e1f2/", b"", "e1f2"),
        ("POST", "/gradio_api/call/predict", b"", None),
        ("GET", "/gradio_api/queue/data", b"", None),
        ("GET", "/", b"session_hash=abc", None),
    ],
)
def test_open_streams_are_listeners_until_they_end(method, path, query, key):
    listeners, seen = Listeners(), []

    async def server(scope, receive, send):
        seen.append(dict(listeners._counts))
        raise ConnectionResetError

    scope = {"type": "http", "method": method, "path": path, "query_string": query}
    with pytest.raises(ConnectionResetError):
        asyncio.run(ListenerMiddleware(server, listeners)(scope, None, None))
    assert seen == [{key: 1} if key else {}]
    assert not listeners.any_of(key or "abc")


def test_a_listener_may_come_a_little_later(monkeypatch):
    listeners = Listeners()
    monkeypatch.setattr(clients, "GRACE_S", 0.01)
    assert not listeners.wait_for("a", "b")
    monkeypatch.setattr(clients, "GRACE_S", 10)
    come, go = threading.Event(), threading.Event()

    def client():
        with listeners.listening("b"):
            come.set()
            go.wait(10)

    thread = threading.Timer(0.05, client)
    thread.start()
    assert listeners.wait_for("a", "b")
    go.set()
    thread.join()
    assert not listeners.any_of("a", "b")


@pytest.mark.parametrize(
    ("body", "is_wanted"),
    [(b'{"event_id": "e1"}', False), (b'{"event_id": "e2"}', True), (b"[1", True), (b"[1]", True)],
)
def test_a_cancelled_event_is_wanted_by_nobody(body, is_wanted):
    listeners, received = Listeners(), []

    async def server(scope, receive, send):
        received.append((await receive())["body"])

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/cancel", "query_string": b""}
    with listeners.listening("anna"):
        asyncio.run(ListenerMiddleware(server, listeners)(scope, receive, None))
        assert listeners.any_of("anna", "e1") == is_wanted
        listeners.forget("e1")
        assert listeners.any_of("anna", "e1")
    assert received == [body]


def test_two_streams_of_one_session_are_one_listener_until_both_end():
    listeners = Listeners()
    with listeners.listening("a"):
        with listeners.listening("a"):
            pass
        assert listeners.any_of("a")
    assert not listeners.any_of("a")


def test_the_newest_recording_of_each_visitor_is_wanted():
    visitors = Visitors()
    visitors.arrive("anna", 1)
    visitors.arrive("ben", 1)
    assert visitors.want("anna", 1)
    visitors.arrive("anna", 3)
    visitors.arrive("anna", 2)  # overtaken on its way
    assert visitors.want("anna", 3) and not visitors.want("anna", 2)
    assert visitors.has_newer("anna", 2) and not visitors.has_newer("anna", 3)
    assert visitors.want("ben", 1)
    visitors.cancel("anna", 3)
    assert not visitors.want("anna", 3)
    visitors.arrive("anna", 4)
    assert visitors.want("anna", 4)
    visitors.leave("anna")
    assert not visitors.want("anna", 4) and not visitors.has_newer("anna", 4)
