"""HTML that stands in the page before everything of Gradio, whose own ``head`` comes in later."""

import re
from collections.abc import Awaitable, Callable

# Of Gradio's page; a browser looks for it in the first 1,024 bytes only.
CHARSET = b'<meta charset="utf-8" />'
# Gradio's preview of a link, twice, of "Gradio", its picture and its address: of two tags of a kind
# some programs take the first and some the last, so ours must be the only ones.
PREVIEW = re.compile(rb'<meta\s+(?:property="og|name="twitter):[^>]*>')


class HeadMiddleware:
    """ASGI middleware that puts ``html`` at the beginning of the head of the page at ``/``, and
    takes Gradio's preview out.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], html: str) -> None:
        self._app = app
        self._html = html.encode()

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path not in ("", "/"):
            await self._app(scope, receive, send)
            return
        start: dict = {}
        body = b""

        async def collect(message: dict) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = PREVIEW.sub(b"", body).replace(CHARSET, CHARSET + self._html, 1)
            headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
            await send(start | {"headers": headers})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, collect)
