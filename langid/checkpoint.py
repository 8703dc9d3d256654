"""Weights with their configuration: written, read strictly, fetched from the Hub.

A checkpoint is a folder with ``config.json`` and ``model.safetensors``.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
)
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from langid.config import ModelConfig
from langid.errors import WeightsError
from langid.hub import HUB_ERRORS, HUB_TIMEOUT_S, hub_reason
from langid.model import LanguageCNN
from langid.version import VERSION

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
EMBEDDED = Path(__file__).parent / "weights"
EMBEDDED_NAME = "embedded weights"
_HUB_REASONS = {
    RemoteEntryNotFoundError: f"the repository lacks {CONFIG_FILE} or {WEIGHTS_FILE}",
}
# Settings that weights of before do not name, and what they meant then.
_ADDED_SETTINGS = {"n_units": 0, "teacher_languages": []}


def write_weights(folder: Path, config: ModelConfig, tensors: Mapping[str, Tensor]) -> None:
    """Write both files; floats as float16, which halves the weights and moves no answer."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"package_version": VERSION, **asdict(config)}
    text = json.dumps(settings, indent=2, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    stored = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in tensors.items()
    }
    save_file(stored, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def fetch_weights(repo_id: str, revision: str | None = None) -> Path:
    """Download both files of one commit of a Hub repository: the cache's folder for that commit,
    which is named after it.

    Raises
    ------
    WeightsError
        If the id is no repository id, or the Hub has no such files or cannot be reached.
    """
    try:
        local = not _hub_answers(repo_id, revision)
        config = hf_hub_download(repo_id, CONFIG_FILE, revision=revision, local_files_only=local)
        folder = Path(config).parent
        hf_hub_download(repo_id, WEIGHTS_FILE, revision=folder.name, local_files_only=local)
    except HFValidationError as error:
        raise WeightsError(
            f"{repo_id!r} is neither a folder here nor a Hub repository id such as USER/NAME."
        ) from error
    except HUB_ERRORS as error:
        reason = hub_reason(error, _HUB_REASONS)
        raise WeightsError(
            f"The weights {repo_id!r} could not be fetched from the Hub ({reason}); check "
            "the id, the revision and the connection, or use the embedded weights."
        ) from error
    return folder


def _hub_answers(repo_id: str, revision: str | None) -> bool:
    """Ask for the repository once: a download alone would retry for half a minute and more."""
    try:
        HfApi().model_info(repo_id, revision=revision, timeout=HUB_TIMEOUT_S)
    except HfHubHTTPError as error:
        if error.response.status_code < 500 and error.response.status_code != 429:
            raise
        return False
    except (HTTPError, OfflineModeIsEnabled):
        return False
    return True


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
    WeightsError
        With a sentence that says what is missing or what differs.
    """
    if source is None:
        source = os.environ.get("LANGID_MODEL") or "embedded"
        revision = revision or os.environ.get("LANGID_REVISION") or None
    if source == "embedded":
        return LoadedModel(read_model(EMBEDDED), EMBEDDED_NAME, None)
    if Path(source).is_dir():
        return LoadedModel(read_model(Path(source)), str(source), None)
    folder = fetch_weights(str(source), revision)
    return LoadedModel(read_model(folder), str(source), folder.name)


def read_model(folder: Path) -> LanguageCNN:
    """The model of a folder with both files, in evaluation mode.

    Raises
    ------
    WeightsError
        If a file is missing or unreadable, or does not fit the other.
    """
    model = LanguageCNN(read_config(folder))
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict(read_tensors(folder, expected))
    return model.eval()


def read_config(folder: Path) -> ModelConfig:
    """Settings of a folder of weights.

    Raises
    ------
    WeightsError
        If they are missing, unreadable, or not the settings this version knows.
    """
    path = _require_file(folder, CONFIG_FILE)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is not valid JSON.") from error
    if not isinstance(raw, dict):
        raise WeightsError(f"{path} holds no settings: a JSON object was expected.")
    version = raw.pop("package_version", "unknown")
    raw = {**_ADDED_SETTINGS, **raw}
    known = {field.name for field in fields(ModelConfig)}
    if differing := sorted(known ^ set(raw)):
        raise WeightsError(
            f"{path} was written by langid {version} and does not fit langid {VERSION}: "
            f"settings missing or unknown: {', '.join(differing)}."
        )
    return ModelConfig(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    )


def read_tensors(folder: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors of a folder of weights, exactly those of ``expected`` (name → shape).

    Raises
    ------
    WeightsError
        If the file is missing or no safetensors file; otherwise naming the tensors that differ.
    """
    path = _require_file(folder, WEIGHTS_FILE)
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file.") from error
    wanted = {name: tuple(shape) for name, shape in expected.items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    differences = [
        f"{name}: expected {wanted.get(name, 'none')}, found {found.get(name, 'none')}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    if differences:
        shown = "; ".join(differences[:3]) + ("; …" if len(differences) > 3 else "")
        raise WeightsError(
            f"{path} does not fit its configuration in {len(differences)} tensors: {shown}."
        )
    return tensors


def _require_file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise WeightsError(f"{folder} holds no {name}: it is not a folder of langid weights.")
    return path
