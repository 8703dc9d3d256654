"""What Gradio remembers of each session, kept no longer than somebody can come back to it.

A session is about 160 kB, a description of the whole page, and the last values of its outputs. A
client without a session of its own, as curl, has a new one in every call, and Gradio forgets the
oldest only beyond a number: a thousand calls would cost what a thousand open pages do, and push
those out.
"""

from collections.abc import Awaitable, Callable

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from langid.page.clients import event_of


class SessionPage(gr.Blocks):
    """Blocks that forget the session of a single call with its answer, and closed empty ones."""

    async def process_api(
        self,
        block_fn: BlockFunction | int,
        inputs: list,
        state: SessionState | None = None,
        *args,
        session_hash: str | None = None,
        event_id: str | None = None,
        **options,
    ) -> dict:
        output = {}
        try:
            output = await super().process_api(
                block_fn,
                inputs,
                state,
                *args,
                session_hash=session_hash,
                event_id=event_id,
                **options,
            )
            return output
        finally:
            if session_hash is not None and not output.get("is_generating"):
                if session_hash == event_id:  # Gradio's choice where the client gave none
                    self._forget(session_hash)
                elif state and _is_unload(block_fn):
                    state.is_closed = True  # this one may have been made anew to run the event
                    self._forget_closed()
                self._forget_unread()

    def forget_call(self, event: str) -> None:
        """Forget a call whose answer was read, or whose client has left."""
        self._forget(event)
        self._queue.pending_messages_per_session.pop(event, None)
        self._queue.pending_event_ids_session.pop(event, None)

    def _forget(self, session: str) -> None:
        self.state_holder.session_data.pop(session, None)
        self.state_holder.time_last_used.pop(session, None)

    def _forget_closed(self) -> None:
        """Forget closed sessions, except those whose `gr.State` a visitor may come back to.

        Gradio deletes these values after an hour.
        """
        for session, state in list(self.state_holder.session_data.items()):
            if state.is_closed and all(value is None for value in state.state_data.values()):
                self._forget(session)

    def _forget_unread(self) -> None:
        """Forget the calls that nobody asked about; Gradio keeps the messages of 2,000 sessions."""
        messages = self._queue.pending_messages_per_session
        events = self._queue.pending_event_ids_session
        if len(events) > 2 * len(messages):
            for session in events.keys() - messages.keys():
                del events[session]


class CallMiddleware:
    """ASGI middleware that tells the page when the stream with a call's answer has ended."""

    def __init__(self, app: Callable[..., Awaitable[None]], page: SessionPage) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if event := event_of(scope):
                self._page.forget_call(event)


def _is_unload(block_fn: BlockFunction | int) -> bool:
    return any(event == "unload" for _, event in getattr(block_fn, "targets", ()))
