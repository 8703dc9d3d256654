"""The real server of the page, for the tests of clients and browsers."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

import app
from langid import LanguageIdentifier


@contextmanager
def served(identifier: LanguageIdentifier, notice: str | None = None) -> Iterator[str]:
    """Serve the page on a free port of this machine; yields its address."""
    with served_page(identifier, notice) as (url, _):
        yield url


@contextmanager
def served_page(
    identifier: LanguageIdentifier, notice: str | None = None
) -> Iterator[tuple[str, gr.Blocks]]:
    """The same; yields the page itself as well."""
    page = app.build(identifier, notice)
    _, url, _ = app.launch(
        page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False
    )
    try:
        yield url, page
    finally:
        page.close(verbose=False)
