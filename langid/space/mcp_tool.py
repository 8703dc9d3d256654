"""The tool ``identify_language`` of the Space's MCP server (Model Context Protocol).

Gradio mounts the server and speaks the protocol (``mcp_server=True``). What it would make of
``/predict`` does not suit language models: the result is the ``repr`` of everything, every window
included; work goes on when its client has left; and it reads files of this machine to send them
to itself. So the tool is described and called here.
"""

import contextlib
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import gradio as gr
from anyio import CapacityLimiter, from_thread, to_thread
from gradio.utils import get_upload_folder
from mcp import types
from mcp.server import Server
from pydantic import ValidationError
from starlette.responses import JSONResponse

from langid.errors import AudioError
from langid.identification import Identification
from langid.languages import choose_labels
from langid.page.jobs import BusyError, Scheduler, Step
from langid.space.handlers import FAILED
from langid.space.mcp_schema import NAME, Arguments, Result, describe_tool
from langid.space.recordings import fetch_recording

SCHEMA_PATH = "/gradio_api/mcp/schema"  # where the Hub reads what tools a Space has

_log = logging.getLogger("langid.app")

Report = Callable[[Step], Awaitable[None]]


class LanguageTool:
    """The tool for one model."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.labels = scheduler.identifier.labels
        self.tool = describe_tool(self.labels)
        self._scheduler = scheduler

    def lifespan(self, page: gr.Blocks) -> Callable[..., contextlib.AbstractAsyncContextManager]:
        """For the server's start, when Gradio has made its MCP server and nobody calls it yet."""

        @contextlib.asynccontextmanager
        async def lifespan(_app: object) -> AsyncIterator[None]:
            if page.mcp_server_obj:
                self._offer(page.mcp_server_obj.mcp_server)
            else:
                _log.warning("No MCP server: %s", page.mcp_error)
            yield

        return lifespan

    async def schema(self, _request: object) -> JSONResponse:
        """`SCHEMA_PATH`: the same description, in the form that Gradio gives it there."""
        told = self.tool.model_dump(include={"name", "description", "inputSchema"})
        meta = {"file_data_present": True, "mcp_type": "tool", "endpoint_name": "predict"}
        return JSONResponse([{**told, "meta": meta}])

    async def call(self, arguments: dict, report: Report) -> dict:
        """The result as plain JSON types; ``report`` gets every step.

        Raises
        ------
        ValueError, BusyError, RuntimeError
            With a sentence for the client.
        """
        try:
            given = Arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"Wrong arguments, {where}: {first['msg']}.") from error
        kept = choose_labels(given.candidates, self.labels)
        base = Path(get_upload_folder())
        try:
            base.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=base) as folder:
                path = await fetch_recording(given.audio, Path(folder))
                answer = await self._identify(str(path), kept, given.audio_track, report)
        except (AudioError, BusyError):
            raise
        except Exception as error:
            _log.exception("A call of the tool failed")
            raise RuntimeError(FAILED) from error
        return Result.model_validate(answer.to_dict()).model_dump()

    async def _identify(
        self, path: str, kept: tuple[str, ...] | None, audio_track: int | None, report: Report
    ) -> Identification:
        """Identify in a thread, which stops when this task is cancelled: the client has left."""
        has_left = threading.Event()

        def work() -> Identification:
            for step in self._scheduler.identify(path, kept, has_left.is_set, audio_track):
                if not has_left.is_set():
                    from_thread.run(report, step)
            return step.answer

        limiter = CapacityLimiter(1)  # of its own: the scheduler bounds how many there are
        try:
            return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter)
        finally:
            has_left.set()

    def _offer(self, server: Server) -> None:
        """Put this tool in the place of everything that Gradio made of the page."""
        for request in (
            types.ListPromptsRequest,
            types.GetPromptRequest,
            types.ListResourcesRequest,
            types.ListResourceTemplatesRequest,
            types.ReadResourceRequest,
        ):
            server.request_handlers.pop(request, None)

        @server.list_tools()
        async def list_tools() -> list[types.Tool]:
            return [self.tool]

        @server.call_tool(validate_input=False)  # `call` does, in better words
        async def call_tool(name: str, arguments: dict) -> dict:
            if name != NAME:
                raise ValueError(f"There is no tool {name!r}: call {NAME}.")
            context = server.request_context
            token = context.meta and context.meta.progressToken

            async def report(step: Step) -> None:
                if token is not None and step.fraction is not None:
                    await context.session.send_progress_notification(
                        token, step.fraction, 1.0, related_request_id=str(context.request_id)
                    )

            return await self.call(arguments, report)
