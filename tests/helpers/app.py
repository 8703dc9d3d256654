"""The real server of the page, for the tests of clients and browsers."""

from collections.abc import Iterator
from contextlib import contextmanager

import app
from langid import LanguageIdentifier


@contextmanager
def served(identifier: LanguageIdentifier, notice: str | None = None) -> Iterator[str]:
    """Serve the page on a free port of this machine; yields its address."""
    page = app.build(identifier, notice)
    _, url, _ = app.launch(
        page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False
    )
    try:
        yield url
    finally:
        page.close(verbose=False)
