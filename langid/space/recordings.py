"""Recordings that a client names in a text, an address or a ``data:`` URI → a file."""

import logging
from pathlib import Path
from urllib.parse import unquote, urljoin
from urllib.request import urlopen

import httpx
import safehttpx
from anyio import fail_after
from gradio.utils import get_upload_folder, is_in_or_equal

from langid.errors import AudioError
from langid.space.handlers import GONE

MAX_BYTES = 200 * 10**6  # of a file at an address; as of an upload
MAX_REDIRECTS = 5
TIMEOUT_S = 10.0  # for each step of a download
MAX_DOWNLOAD_S = 120.0  # for all of it
UPLOADED = "/gradio_api/file="
NO_ADDRESS = (
    "A recording is given by its public http(s) address, as a data: URI, or by the address that "
    "an upload to this server gave; not by a path."
)
NO_BASE64 = (
    "The data: URI cannot be read: write data:audio/wav;base64, and then the file in base64."
)
UNREACHABLE = (
    "The recording could not be fetched from its address: give one that is public, or upload it."
)
TOO_LARGE = f"The file at this address has over {MAX_BYTES // 10**6} MB: give a shorter recording."

_log = logging.getLogger("langid.app")


async def fetch_recording(audio: str, folder: Path) -> Path:
    """The file that a text names. What is new is written into ``folder``.

    Raises
    ------
    AudioError
        If the text names nothing that a stranger may read, or it cannot be had.
    """
    if audio.startswith("data:"):
        return _decode(audio, folder / "recording")
    if not audio.startswith(("http://", "https://")):
        raise AudioError(NO_ADDRESS)
    _, is_uploaded, quoted = audio.partition(UPLOADED)
    if is_uploaded and is_in_or_equal(path := unquote(quoted), get_upload_folder()):
        if not Path(path).is_file():
            raise AudioError(GONE)
        return Path(path)
    return await download(audio, folder / "recording")


async def download(url: str, path: Path) -> Path:
    """Write what is at an address on a public host into a new file.

    Raises
    ------
    AudioError
        If it cannot be had, is larger than `MAX_BYTES` or is in a private network.
    """
    try:
        with fail_after(MAX_DOWNLOAD_S):
            return await _download(url, path)
    except AudioError:
        raise
    except (ValueError, OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        _log.info("Not fetched: %r", error)
        raise AudioError(UNREACHABLE) from error


async def _download(url: str, path: Path) -> Path:
    for _ in range(MAX_REDIRECTS + 1):
        # The host's address is checked, and used: it cannot be another one a moment later.
        address = await safehttpx.async_validate_url(httpx.URL(url).host)
        async with (
            httpx.AsyncClient(
                transport=safehttpx.AsyncSecureTransport(address), timeout=TIMEOUT_S
            ) as client,
            client.stream("GET", url) as response,
        ):
            if response.has_redirect_location:
                url = urljoin(url, response.headers["Location"])
                continue
            response.raise_for_status()
            with path.open("wb") as file:
                async for block in response.aiter_bytes():
                    file.write(block)
                    if file.tell() > MAX_BYTES:
                        raise AudioError(TOO_LARGE)
            return path
    raise AudioError(UNREACHABLE)


def _decode(uri: str, path: Path) -> Path:
    try:
        with urlopen(uri) as response:
            path.write_bytes(response.read())
    except ValueError as error:
        raise AudioError(NO_BASE64) from error
    return path
