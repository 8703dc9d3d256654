"""What the page's events and /predict do, without a server."""

import time
from types import SimpleNamespace

import gradio as gr
import pytest
from helpers.app import FRENCH, write_speech
from helpers.identifier import LABELS, identification

import app
from langid.errors import AudioError, IdentificationCancelled
from langid.page import jobs
from langid.space.handlers import Handlers


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


class StepwiseIdentifier:
    """Answers once for each word of a recording's name, and fails at "broken"."""

    labels = LABELS

    def identify_incrementally(self, audio, should_stop, **_):
        for word in audio.split():
            if word == "broken":
                raise AudioError("It is broken.")
            if should_stop():
                raise IdentificationCancelled("stopped")
            yield identification((0.7, 0.1, 0.1, 0.1))


@pytest.mark.parametrize("audio", ["a", "a b", "a broken", "long a"])
def test_a_recording_that_a_newer_one_overtook_leaves_its_answer_alone(monkeypatch, audio):
    """It is complete, ends at its next check, fails, or still waits for its turn."""
    monkeypatch.setattr(jobs, "POLL_S", 0.01)
    monkeypatch.setattr(
        jobs, "announced_duration_s", lambda audio, estimate: 200.0 * ("long" in audio)
    )
    handlers, anna = Handlers(StepwiseIdentifier()), SimpleNamespace(session_hash="anna")
    others = handlers.show("long a", 1, LABELS, SimpleNamespace(session_hash="ben"))
    next(others)  # nobody else's long recording has its turn
    old = handlers.show(audio, 1, LABELS, anna)
    assert next(old)[0]["ticket"] == 1
    *_, (view, shown) = handlers.show("c", 2, LABELS, anna)
    assert (view["ticket"], view["state"], shown[0]) == (2, "done", 2)
    assert list(old) == []
    others.close()
    assert handlers.scheduler.n_jobs == 0


def test_requests_that_overtake_each_other_leave_the_newest_answer(monkeypatch):
    monkeypatch.setattr(jobs, "announced_duration_s", lambda audio, estimate: None)
    handlers, anna = Handlers(StepwiseIdentifier()), SimpleNamespace(session_hash="anna")
    *_, (view, _) = handlers.show("b", 2, LABELS, anna)
    assert (view["ticket"], view["state"]) == (2, "done")
    assert list(handlers.show("a", 1, LABELS, anna)) == []
