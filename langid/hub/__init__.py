"""What goes wrong with the Hugging Face Hub, in words, and whether it is worth another try."""

from collections.abc import Mapping
from textwrap import shorten

from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers

HUB_TIMEOUT_S = 10  # for the first question: without a connection, say so soon
# What calls of huggingface_hub raise, beside HFValidationError (a ValueError) for a malformed id.
HUB_ERRORS = (HTTPError, OSError, ValueError, RuntimeError)
_REASONS = {
    RepositoryNotFoundError: "no such repository, or one that needs 'hf auth login'",
    RevisionNotFoundError: "the repository has no such revision",
    LocalEntryNotFoundError: "the Hub cannot be reached and the cache has no copy",
    OfflineModeIsEnabled: "HF_HUB_OFFLINE is set",
}


def hub_reason(error: Exception, reasons: Mapping[type[Exception], str] | None = None) -> str:
    """Why a call of ``huggingface_hub`` failed, in a few words on one line.

    ``reasons`` says what some errors mean to the caller.
    """
    error = _cause(error)
    for kind, reason in {**(reasons or {}), **_REASONS}.items():
        if isinstance(error, kind):
            return reason
    text = str(error)
    if isinstance(error, HfHubHTTPError):
        text = f"{error.response.status_code} {error.response.reason_phrase}"
        text += f": {error.server_message}" if error.server_message else ""
    return shorten(text, 200, placeholder="…").rstrip(".") or type(error).__name__


def is_passing(error: Exception) -> bool:
    """Whether a call of ``huggingface_hub`` failed in a way that may be over soon: a busy or
    failing server, or no connection to it; not a refusal, nor a fault on this side.
    """
    error = _cause(error)
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    if isinstance(error, OfflineModeIsEnabled):
        return False
    # The storage library, hf_xet, raises Python's own ConnectionError, TimeoutError, RuntimeError.
    return isinstance(error, (HTTPError, ConnectionError, TimeoutError, RuntimeError))


def retry_after_s(error: Exception) -> float:
    """How long the Hub asks to wait, 0 where it does not say."""
    error = _cause(error)
    if not isinstance(error, HfHubHTTPError):
        return 0.0
    limit = parse_ratelimit_headers(error.response.headers)
    if limit is not None and limit.remaining == 0:
        return limit.reset_in_seconds + 1.0  # it is given in whole seconds
    seconds = error.response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0.0  # a date is not worth reading


def _cause(error: Exception) -> Exception:
    """What is behind the library's "Error while uploading …", which it raises for anything."""
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return error.__cause__
    return error
