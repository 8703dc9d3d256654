"""A small local VoxForge: Apache's index pages over archives given as bytes, and faults on request.

No fault depends on a clock: what is slow waits for an event.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR
from urllib.parse import quote, unquote, urlsplit

from helpers.local_server import LocalServer

RATE = "16kHz_16bit"
BASE = "/downloads"
_PIECE_BYTES = 4096


def archive_path(language: str, name: str, rate: str = RATE) -> str:
    """Where an archive stands: ``"/downloads/de/Trunk/Audio/Main/16kHz_16bit/…"``."""
    return f"{BASE}/{language}/Trunk/Audio/Main/{rate}/{name}"


@dataclass
class Fault:
    """What goes wrong with one path, for the next ``times`` requests (forever by default)."""

    times: float = float("inf")
    status: int | None = None  # answered instead of the file
    retry_after: str | None = None
    cut_after: int | None = None  # bytes of the body, then the connection is cut
    is_mute: bool = False  # no answer at all until the server stops
    stall_after: int | None = None  # bytes of the body, then nothing until the server stops
    content_length: int | None = None  # stated instead of the true one
    no_length: bool = False  # none stated: the body ends with the connection
    no_ranges: bool = False  # Range is ignored
    content_range: str | None = None  # stated instead of the true one
    headers: Mapping[str, str] | None = None  # added
    body: bytes | None = None  # sent instead of the file


class VoxForgeServer(LocalServer):
    """Serves ``tree`` (path → content), VoxForge's own folder at ``base_url``.

    Folders answer with an index page: ``style`` is "table", "pre" or "list", as Apache is
    configured. ``requests`` records (path, Range header or None), ``on_stall`` is called when a
    stalled answer has sent its part.
    """

    def __init__(self, tree: Mapping[str, bytes], style: str = "table") -> None:
        super().__init__(_Handler)
        self.base_url = self.url + BASE
        self.tree = dict(tree)
        self.style = style
        self.requests: list[tuple[str, str | None]] = []
        self.user_agents: set[str | None] = set()
        self.stopping = threading.Event()
        self.on_stall: Callable[[], object] = lambda: None
        self._faults: defaultdict[str, list[Fault]] = defaultdict(list)

    def stop(self) -> None:
        self.stopping.set()
        super().stop()

    def fault(self, path: str, **what) -> None:
        """Let requests for a path fail as ``Fault`` says; several take effect one by one."""
        self._faults[path].append(Fault(**what))

    def n_requests(self, path: str) -> int:
        return sum(requested == path for requested, _ in self.requests)

    def take_fault(self, path: str) -> Fault:
        with self.lock:
            for fault in self._faults[path]:
                if fault.times > 0:
                    fault.times -= 1
                    return fault
        return Fault()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: VoxForgeServer

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        server = self.server
        path = unquote(urlsplit(self.path).path)
        with server.lock:
            server.requests.append((path, self.headers.get("Range")))
            server.user_agents.add(self.headers.get("User-Agent"))
        fault = server.take_fault(path)
        if fault.is_mute:
            server.on_stall()
            server.stopping.wait()
            self.close_connection = True
        elif fault.status is not None:
            self._send(fault.status, fault.body or b"<html>refused</html>", fault, kind="text/html")
        elif path in server.tree:
            self._send_file(server.tree[path], fault)
        elif path.endswith("/") and any(name.startswith(path) for name in server.tree):
            page = fault.body or index_page(path, server.tree, server.style).encode()
            self._send(200, page, fault, kind="text/html;charset=UTF-8")
        else:
            self._send(
                404, b"<html>404 Not Found</html>", fault, kind="text/html;charset=iso-8859-1"
            )

    def _send_file(self, data: bytes, fault: Fault) -> None:
        data = data if fault.body is None else fault.body
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or fault.no_ranges:
            self._send(200, data, fault)
        elif int(asked[1]) >= len(data):
            self._send(416, b"", fault, content_range=f"bytes */{len(data)}")
        else:
            start = int(asked[1])
            content_range = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(206, data[start:], fault, content_range=content_range)

    def _send(
        self,
        status: int,
        body: bytes,
        fault: Fault,
        kind: str = "application/x-gzip",
        content_range: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if fault.no_length:
            self.send_header("Connection", "close")
        else:
            length = len(body) if fault.content_length is None else fault.content_length
            self.send_header("Content-Length", str(length))
        if content_range and fault.content_range != "":
            self.send_header("Content-Range", fault.content_range or content_range)
        if fault.retry_after is not None:
            self.send_header("Retry-After", fault.retry_after)
        for name, value in (fault.headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        limits = (fault.cut_after, fault.stall_after, len(body))
        limit = min(limit for limit in limits if limit is not None)
        for start in range(0, limit, _PIECE_BYTES):
            self.wfile.write(body[start : min(start + _PIECE_BYTES, limit)])
        if fault.stall_after is not None:
            self.wfile.flush()
            self.server.on_stall()
            self.server.stopping.wait()
        is_incomplete = fault.cut_after is not None or fault.stall_after is not None
        if is_incomplete or fault.no_length or fault.content_length is not None:
            self.close_connection = True
            self.wfile.flush()
            with suppress(OSError):
                self.connection.shutdown(SHUT_RDWR)


def index_page(path: str, tree: Mapping[str, bytes], style: str) -> str:
    """What Apache's mod_autoindex makes of a folder."""
    below = sorted(name.removeprefix(path) for name in tree if name.startswith(path))
    names = list(dict.fromkeys(name.split("/")[0] + "/" * ("/" in name) for name in below))
    entries = [
        (name, "-" if name.endswith("/") else apache_size(len(tree[path + name]))) for name in names
    ]
    parent = quote(path.rstrip("/").rpartition("/")[0] + "/")
    body = {"table": _table, "pre": _preformatted, "list": _list}[style](entries, parent)
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n'
        f"  <title>Index of {path[:-1]}</title>\n </head>\n <body>\n<h1>Index of {path[:-1]}</h1>\n"
        f'{body}<address>Apache/2.4.41 (Ubuntu) Server at <a href="http://www.voxforge.org/x.tgz">'
        "voxforge</a> Port 80</address>\n</body></html>\n"
    )


def apache_size(n_bytes: int) -> str:
    """As apr_strfsize writes it: three digits, then K, M or G."""
    if n_bytes < 973:
        return str(n_bytes)
    unit, size = next(
        (unit, n_bytes / 2 ** (10 * power))
        for power, unit in enumerate("KMGT", start=1)
        if n_bytes / 2 ** (10 * power) < 973
    )
    return f"{size:.1f}{unit}" if size < 9.95 else f"{size:.0f}{unit}"


def _table(entries: list[tuple[str, str]], parent: str) -> str:
    rows = [
        '   <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th>'
        '<th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th>'
        '<th><a href="?C=S;O=A">Size</a></th><th><a href="?C=D;O=A">Description</a></th></tr>\n'
        '   <tr><th colspan="5"><hr></th></tr>\n'
        '<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td>'
        f'<td><a href="{parent}">Parent Directory</a></td><td>&nbsp;</td>'
        '<td align="right">  - </td><td>&nbsp;</td></tr>\n'
    ]
    rows += [
        '<tr><td valign="top"><img src="/icons/compressed.gif" alt="[   ]"></td>'
        f'<td><a href="{quote(name)}">{name[:20]}..&gt;</a></td>'
        '<td align="right">2010-07-10 18:04  </td>'
        f'<td align="right">{size:>4}</td><td>&nbsp;</td></tr>\n'
        for name, size in entries
    ]
    return f'  <table>\n{"".join(rows)}   <tr><th colspan="5"><hr></th></tr>\n</table>\n'


def _preformatted(entries: list[tuple[str, str]], parent: str) -> str:
    head = (
        '<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a>            '
        '<a href="?C=M;O=A">Last modified</a>      <a href="?C=S;O=A">Size</a>  '
        '<a href="?C=D;O=A">Description</a><hr><img src="/icons/back.gif" alt="[DIR]"> '
        f'<a href="{parent}">Parent Directory</a>                             -   \n'
    )
    rows = [
        f'<img src="/icons/compressed.gif" alt="[   ]"> <a href="{quote(name)}">{name}</a>  '
        f"10-Jul-2010 18:04  {size:>4}  GZIP compressed docume&gt;\n"
        for name, size in entries
    ]
    return f"{head}{''.join(rows)}<hr></pre>\n"


def _list(entries: list[tuple[str, str]], parent: str) -> str:
    names = "".join(f'<li><a href="{quote(name)}"> {name}</a></li>\n' for name, _ in entries)
    return f'<ul><li><a href="{parent}"> Parent Directory</a></li>\n{names}</ul>\n'
