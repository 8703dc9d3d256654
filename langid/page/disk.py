"""What visitors send and the disk has no room for is refused with a sentence, before it is full."""

import errno
import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import ClientDisconnect

from langid.page.texts import ENGLISH

UPLOAD_PATH = "/upload"
DISK_FULL = ENGLISH("work.disk_full")
INSUFFICIENT_STORAGE = 507  # RFC 4918, section 11.5

_log = logging.getLogger(__name__)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether the disk, or its user's quota, had no room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class UploadMiddleware:
    """ASGI middleware that refuses uploads which are larger than what is free for ``folder``, and
    says so as well where the disk fills up meanwhile. A sender who leaves is no error.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], folder: Path) -> None:
        self._app = app
        self._folder = folder

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["method"] == "POST" and scope["path"].endswith(UPLOAD_PATH)
        if is_upload and _content_length(scope) > self._n_free():
            await _refuse(receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            _log.info("A client left while it sent a file.")
        except OSError as error:
            if not is_disk_full(error):
                raise
            _log.warning("The disk is full: %s", error)
            await _refuse(receive, send)

    def _n_free(self) -> int:
        """Bytes; the folder is made by the first upload."""
        folder = self._folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free


def _content_length(scope: dict) -> int:
    """0 where the client does not say."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(receive: Callable, send: Callable) -> None:
    while (await receive()).get("more_body"):  # clients hear nothing before they have sent all
        pass
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    status = INSUFFICIENT_STORAGE
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": DISK_FULL.encode()})
