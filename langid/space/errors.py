"""What a client does wrong before its call reaches a handler: a sentence for every way."""

import logging
import tempfile
from pathlib import Path

import gradio as gr
from gradio.route_utils import FnIndexInferError
from gradio.utils import get_upload_folder
from starlette.responses import JSONResponse

from langid.errors import AudioError
from langid.page.disk import DISK_FULL, is_disk_full
from langid.space.handlers import GONE
from langid.space.recordings import fetch_recording
from langid.space.sessions import SessionPage

UNUSABLE = (
    "The recording could not be fetched: upload the file, or give a public http(s) address of it "
    'as {"path": "https://…", "meta": {"_type": "gradio.FileData"}}.'
)
UNKNOWN_CALL = (
    "There is no such endpoint or parameter: call /predict with audio and, if you like, candidates."
)
# What Gradio makes of such calls.
MISTAKES = (TypeError, LookupError, ValueError, AttributeError, FnIndexInferError)

_log = logging.getLogger("langid.app")


class Page(SessionPage):
    """Blocks whose endpoint takes omitted values, and refuses wrong ones with a sentence."""

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        missing = [block.value for block in block_fn.inputs[len(inputs) :]]
        try:
            inputs = [await _fetched(value) for value in inputs]
            return await super().preprocess_data(
                block_fn, [*inputs, *missing], state, explicit_call
            )
        except gr.Error:
            raise
        except AudioError as error:
            sentence = DISK_FULL if is_disk_full(error.__cause__) else str(error)
            raise gr.Error(sentence, print_exception=False) from error
        except FileNotFoundError as error:
            raise gr.Error(GONE, print_exception=False) from error
        except Exception as error:
            _log.info("Input refused: %s", error)
            is_full = is_disk_full(error) or is_disk_full(error.__cause__)
            sentence = DISK_FULL if is_full else UNUSABLE
            raise gr.Error(sentence, print_exception=False) from error


async def _fetched(value: object) -> object:
    """Gradio itself would fetch a file at an address whatever its size, and into memory."""
    address = value.get("path") if isinstance(value, dict) else None
    if not isinstance(address, str) or not address.startswith(("http://", "https://")):
        return value
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    path = await fetch_recording(address, Path(tempfile.mkdtemp(dir=folder)))
    return {**value, "path": str(path)}


async def refuse(_request: object, error: Exception) -> JSONResponse:
    """A call that Gradio stumbles over: a sentence instead of "Internal Server Error"."""
    _log.info("Call refused: %r", error)
    return JSONResponse({"error": UNKNOWN_CALL}, status_code=400)
