"""A server on this machine, for the time of a test."""

import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Self


class LocalServer(ThreadingHTTPServer):
    """Serves at ``url`` while used as a context manager.

    ``n_connections`` counts those that clients opened; handlers take ``lock`` for what they share.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self._connections: list[socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go down: refuse new connections and cut the open ones."""
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    @property
    def n_connections(self) -> int:
        return len(self._connections)

    def process_request(self, request: socket, client_address: object) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request: socket, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that hangs up is no error
            super().handle_error(request, client_address)
