"""What the events of the page and its endpoint do, for one model."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
from gradio.context import LocalContext
from starlette.responses import JSONResponse

from langid.errors import AudioError, IdentificationCancelled
from langid.identification import Identification
from langid.identifier import LanguageIdentifier
from langid.languages import choose_labels, language_name
from langid.page.answer import answer_html, headline, problem_html, progress_html
from langid.page.clients import Listeners, Visitors
from langid.page.jobs import BusyError, Scheduler, Step
from langid.page.texts import ENGLISH, texts_in
from langid.space.live import Live
from langid.version import VERSION

NO_AUDIO = "There is no recording yet: record one or choose a file, and wait until it is loaded."
GONE = ENGLISH("work.gone")
FAILED = ENGLISH("work.failed")
NOBODY = "Nobody waited for the answer, so the recording was not identified: ask again."

_log = logging.getLogger("langid.app")

Shown = tuple[int, Identification, Step]  # a ticket, and what was found for it


class Handlers:
    """What the events of the page and its endpoint do, for one model."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self.identifier = identifier
        self.scheduler = Scheduler(identifier)
        self.listeners = Listeners()
        self.visitors = Visitors()
        self.live = Live(identifier)
        self.start_s = time.monotonic()

    def show(
        self,
        audio: str | None,
        ticket: int,
        candidates: list[str],
        request: gr.Request,
        language: str = "en",
    ) -> Iterator[tuple[dict, Shown | None]]:
        """Values of the answer, in the page's language, and what `restrict` needs of it."""
        session = request.session_hash or ""
        self.visitors.arrive(session, ticket)
        if audio is None:
            return
        steps = self.steps(audio, None, lambda: not self.visitors.want(session, ticket))
        step, problem = None, None
        try:
            for step in steps:
                if not step.is_last:
                    yield _progress(ticket, step, language), gr.skip()
        except gr.Error as error:
            problem = error.message
        except IdentificationCancelled:
            if not (step and step.answer):
                problem = ENGLISH("work.cancelled")
        if self.visitors.has_newer(session, ticket):
            return  # the answer, and what is kept of it, are those of another recording by now
        if problem is None:
            shown = (ticket, step.answer, step)
            yield self.restrict(shown, candidates, language), shown
        else:
            yield _problem(ticket, problem, language), None

    def restrict(self, shown: Shown | None, candidates: list[str], language: str = "en") -> dict:
        """The view of an answer among the candidates, by arithmetic alone."""
        if shown is None:
            return gr.skip()
        ticket, whole, step = shown
        try:
            kept = choose_labels(candidates, self.identifier.labels)
        except ValueError as error:
            return _problem(ticket, str(error), language)
        answer, texts = whole.restricted(kept) if kept else whole, texts_in(language)
        html = answer_html(answer, step, whole if kept else None, texts)
        return view(ticket, "done", html, headline(answer, texts))

    def cancel(self, ticket: int, request: gr.Request) -> None:
        """End the work on a recording; what is known of it stays on the page."""
        self.visitors.cancel(request.session_hash or "", ticket)

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page."""
        self.visitors.leave(request.session_hash or "")

    def predict(
        self,
        audio: str | None,
        candidates: list[str] | None = None,
        audio_track: int | None = None,
    ) -> tuple[dict[str, float], dict]:
        """Say which language is spoken in a recording: any audio or video file, from 0.3 s
        to four hours. `candidates` restricts the answer to some labels, given as codes or
        English names, for example ["en", "fr"]; by default all are possible. `audio_track`
        chooses among several in a file, from 1 on; by default it is the one that a player takes.
        The first
        output holds the probability of each label by its English name, most probable first.
        The second is the whole result: `language` (a code, "other" or "none"), `confidence`,
        `probabilities` by code, the same for each of the overlapping `windows` of 4 s and for
        `passages` of up to 16 s, `segments` of one language, `duration_s`, `active_s` (seconds
        louder than its silence), `warnings`, and `languages`: those that hold stretches of their
        own, longest first, each with `language`, its `share` of the speech and its `seconds`.
        """
        if audio is None:
            raise gr.Error(NO_AUDIO, print_exception=False)
        try:
            kept = choose_labels(candidates, self.identifier.labels)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if audio_track is not None and type(audio_track) is not int:
            sentence = f"{audio_track!r} is no audio track: give its number, 1 for the first."
            raise gr.Error(sentence, print_exception=False)
        try:
            *_, step = self.steps(audio, kept, lambda: False, audio_track)
        except IdentificationCancelled as error:
            raise gr.Error(NOBODY, print_exception=False) from error
        probabilities = step.answer.probabilities.items()
        return {language_name(k): share for k, share in probabilities}, step.answer.to_dict()

    async def health(self, _request: object) -> JSONResponse:
        """``/health``: what is served, since when, and how much there is to do."""
        return JSONResponse(
            {
                "status": "ok",
                "version": VERSION,
                "weights": self.identifier.source,
                "revision": self.identifier.revision,
                "uptime_s": round(time.monotonic() - self.start_s, 1),
                "queue": self.scheduler.counts() | self.live.counts(),
            }
        )

    def steps(
        self,
        audio: str,
        kept: tuple[str, ...] | None,
        should_stop: Callable[[], bool],
        audio_track: int | None = None,
        is_batch: bool = False,
    ) -> Iterator[Step]:
        """Steps of an identification that somebody listens to; its errors become `gr.Error`."""
        event = LocalContext.event_id.get(None)  # None in a call without Gradio's queue
        keys = {event, getattr(LocalContext.request.get(None), "session_hash", None)} - {None}
        if event and not self.listeners.wait_for(*keys):
            raise IdentificationCancelled(NOBODY)
        try:
            yield from self.scheduler.identify(
                audio,
                kept,
                lambda: should_stop() or (event and not self.listeners.any_of(*keys)),
                audio_track,
                is_batch,
            )
        except (AudioError, BusyError) as error:
            sentence = error.args[0] if Path(audio).exists() else GONE  # may be a `Message`
            raise gr.Error(sentence, print_exception=False) from error
        except IdentificationCancelled:
            raise
        except Exception as error:
            _log.exception("The identification failed")
            raise gr.Error(FAILED, print_exception=False) from error
        finally:
            self.listeners.forget(event)


def _progress(ticket: int, step: Step, language: str) -> dict:
    texts = texts_in(language)
    answer = answer_html(step.answer, step, texts=texts) if step.answer else ""
    return view(ticket, "working", progress_html(step, texts) + answer, "")


def _problem(ticket: int, sentence: str, language: str) -> dict:
    sentence, language = texts_in(language).translate(sentence)
    return view(ticket, "error", problem_html(sentence, language), sentence)


def view(ticket: int, state: str, html: str, words: str) -> dict:
    """Value of the answer's element: page.js drops it unless the ticket is the player's."""
    return {"ticket": ticket, "state": state, "html": html, "words": words}
