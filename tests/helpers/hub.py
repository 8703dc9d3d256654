"""A local Hub, and this process's clients of it: huggingface_hub and datasets."""

from collections.abc import Iterator
from contextlib import contextmanager

import datasets
from huggingface_hub import close_session, constants

from helpers.hub_server import TOKEN, HubServer


@contextmanager
def local_hub(tmp_path, monkeypatch) -> Iterator[HubServer]:
    """A Hub to which this process's clients are logged in, everything cached in ``tmp_path``."""
    for name in ("LANGID_MODEL", "LANGID_REVISION", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    # The clients read their environment once, at import.
    home, new_home = constants.HF_HOME, str(tmp_path / "hf")
    for name, value in list(vars(constants).items()):
        if isinstance(value, str) and value.startswith(home):
            monkeypatch.setattr(constants, name, value.replace(home, new_home, 1))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", f"{new_home}/hub")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", f"{new_home}/datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    with HubServer() as server:
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.url)
        close_session()
        yield server
    close_session()
