"""``python app.py`` as a Space runs it: a process of its own, for the tests of faults."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from gradio_client import Client, handle_file

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 400.0  # on a busy machine the imports alone take two minutes
STOP_TIMEOUT_S = 60.0


class AppProcess:
    """Serves at ``url`` while used as a context manager; its log and temporary files stand in
    ``folder``. ``settings`` are added to the environment.
    """

    def __init__(self, folder: Path, root: Path = ROOT, **settings: str) -> None:
        self.folder, self.log, self._root = folder, folder / "log.txt", root
        self.url = ""
        ours = ("GRADIO_", "LANGID_", "HF_")
        outer = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        self._environment = outer | {
            "HF_HOME": str(folder / "hf"),
            "TMPDIR": str(folder),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }

    def __enter__(self) -> Self:
        self.launch()
        deadline_s = time.monotonic() + START_TIMEOUT_S
        try:
            while not self._answers():
                assert self.process.poll() is None, f"app.py ended by itself:\n{self.text}"
                assert time.monotonic() < deadline_s, f"app.py does not serve:\n{self.text}"
                time.sleep(0.3)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> None:
        """Start it, on another port each time, and do not wait."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=self._root,
                env=self._environment | {"GRADIO_SERVER_PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    def wait(self) -> int:
        """Its exit status, if it ends by itself."""
        try:
            return self.process.wait(START_TIMEOUT_S)
        finally:
            self.process.kill()

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(STOP_TIMEOUT_S)

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def sent(self) -> list[Path]:
        """Files of visitors, whole or not."""
        found = self.folder.rglob("langid-page/**/*")
        return [path for path in found if path.is_file() and path.name != ".lock"]

    def _answers(self) -> bool:
        try:
            self.get("/health")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=60) as response:
            return response.read().decode()

    def client(self) -> Client:
        return Client(self.url, verbose=False, analytics_enabled=False)

    def identify(self, path: Path) -> str:
        """The language that a client is told."""
        return self.client().predict(handle_file(path), api_name="/predict")[1]["language"]

    def upload(self, content: bytes, in_chunks: bool = False) -> tuple[int, str]:
        """Status and body of the answer to a file that is sent, in chunks without its length."""
        head, body = multipart(content)
        data = iter([body]) if in_chunks else body
        request = urllib.request.Request(f"{self.url}/gradio_api/upload", data, dict(head))
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def upload_half(self, content: bytes) -> None:
        """Begin to send a file, and hang up in the middle of it."""
        head, body = multipart(content)
        host, port = re.fullmatch(r"http://(.+):(\d+)", self.url).groups()
        lines = "".join(f"{name}: {value}\r\n" for name, value in head)
        request = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\n{lines}"
        request += f"Content-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request.encode() + body[: len(body) // 2])


def multipart(content: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of a form with one file."""
    disposition = 'Content-Disposition: form-data; name="files"; filename="speech.wav"'
    body = f"--b0undary\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n--b0undary--\r\n"
    return [("Content-Type", "multipart/form-data; boundary=b0undary")], body
