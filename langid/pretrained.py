"""Which weights are meant: the embedded ones, a folder, or a repository on the Hub."""

import os
from dataclasses import dataclass
from pathlib import Path

from langid.model import LanguageCNN
from langid.weights_io import fetch_weights

EMBEDDED = Path(__file__).parent / "weights"
EMBEDDED_NAME = "embedded weights"


@dataclass(frozen=True)
class LoadedModel:
    model: LanguageCNN
    source: str  # "embedded weights", a folder, or a Hub repository id
    revision: str | None  # the commit, for a Hub repository


def load_model(source: str | os.PathLike | None = None, revision: str | None = None) -> LoadedModel:
    """Load a model.

    ``source`` is a folder, a Hub repository id or ``"embedded"``; it defaults to ``LANGID_MODEL``
    in the environment and then to the embedded weights, ``revision`` to ``LANGID_REVISION``. An
    existing folder wins over a repository id of the same name.

    Raises
    ------
    langid.weights_io.WeightsError
        With a sentence that says what is missing or what differs.
    """
    if source is None:
        source = os.environ.get("LANGID_MODEL") or "embedded"
        revision = revision or os.environ.get("LANGID_REVISION") or None
    if source == "embedded":
        return LoadedModel(LanguageCNN.load(EMBEDDED), EMBEDDED_NAME, None)
    if Path(source).is_dir():
        return LoadedModel(LanguageCNN.load(Path(source)), str(source), None)
    folder = fetch_weights(str(source), revision)
    return LoadedModel(LanguageCNN.load(folder), str(source), folder.name)
