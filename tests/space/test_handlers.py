"""What the page's events and /predict do, without a server."""

import time
from types import SimpleNamespace

import gradio as gr
import pytest
from helpers.app import FRENCH, write_speech

import app


def test_the_handlers_answer_without_a_server(identifier, tmp_path):
    handlers = app.Handlers(identifier)
    visitor = SimpleNamespace(session_hash="anna")
    bars, result = handlers.predict(str(FRENCH), ["French", "en"])
    assert result["language"] == "fr" and bars["English"] + bars["French"] == pytest.approx(1)
    with pytest.raises(gr.Error, match="There is no recording yet"):
        handlers.predict(None)

    *_, (view, shown) = handlers.show(str(FRENCH), 1, list(identifier.labels), visitor)
    assert (view["ticket"], view["state"]) == (1, "done")
    assert view["words"].startswith("French, ") and "among all" not in view["html"]
    few = handlers.restrict(shown, ["en", "it"])
    assert few["ticket"] == 1 and "Among all answers: French, " in few["html"]
    assert handlers.restrict(shown, [])["state"] == "error"
    assert handlers.scheduler.n_jobs == 0

    path = tmp_path / "<b>*notes*.wav"
    path.write_text("This is no sound at all.\n" * 20)
    *_, (view, shown) = handlers.show(str(path), 2, list(identifier.labels), visitor)
    assert view["state"] == "error" and "&lt;b&gt;*notes*.wav" in view["html"] and shown is None


def test_a_newer_recording_or_cancel_ends_the_work_on_the_page(identifier, tmp_path):
    handlers = app.Handlers(identifier)
    visitor = SimpleNamespace(session_hash="anna")
    path = str(write_speech(tmp_path / "long.flac", 1800))
    labels = list(identifier.labels)
    for ticket, end in (
        (7, lambda: handlers.visitors.arrive("anna", 8)),
        (9, lambda: next(handlers.show(None, 10, labels, visitor), None)),  # Clear
    ):
        views = handlers.show(path, ticket, labels, visitor)
        assert next(views)[0]["state"] == "working"
        end()
        start_s = time.monotonic()
        list(views)
        assert time.monotonic() - start_s < 3 and handlers.scheduler.n_jobs == 0
    views = handlers.show(path, 11, labels, visitor)
    first = next(views)[0]
    assert "%" in first["html"] and "left" in first["html"] and "French" in first["html"]
    handlers.cancel(11, visitor)
    *_, (view, shown) = views
    assert view["state"] == "done" and "French" in view["html"]
    assert 0 < shown[1].duration_s < 1700
