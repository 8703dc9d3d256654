"""The page's server with the embedded weights, and a client of it."""

import pytest
from gradio_client import Client
from helpers.app import served_page

from langid import LanguageIdentifier


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.fixture(scope="module")
def server(identifier):
    with served_page(identifier) as (url, page):
        yield url.rstrip("/"), page


@pytest.fixture(scope="module")
def url(server) -> str:
    return server[0]


@pytest.fixture(scope="module")
def client(url) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)
