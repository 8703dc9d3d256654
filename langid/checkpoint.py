"""Weights with their configuration: written, read strictly, fetched from the Hub.

A checkpoint is a folder with ``config.json`` and ``model.safetensors``.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from textwrap import shorten

import torch
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
)
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from langid.config import ModelConfig
from langid.errors import WeightsError
from langid.files import put_in_place
from langid.hub import HUB_ERRORS, HUB_TIMEOUT_S, hub_reason
from langid.model import LanguageCNN
from langid.version import VERSION

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
EMBEDDED = Path(__file__).parent / "weights"
EMBEDDED_NAME = "embedded weights"
# Settings that files written before there were these do not have, and what that means.
_ADDED_SETTINGS = {"training": [], "n_units": 0, "teacher_languages": []}
# In the header of the tensors: the digest of the settings that they were written with.
_CONFIG_DIGEST = "config_sha256"
_HUB_REASONS = {
    RemoteEntryNotFoundError: f"the repository lacks {CONFIG_FILE} or {WEIGHTS_FILE}",
}


def write_weights(
    folder: Path,
    config: ModelConfig,
    tensors: Mapping[str, Tensor],
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write both files; floats as float16, which halves the weights and moves no answer.

    Both are complete on the disk before either replaces an older one, and the tensors name their
    settings by digest, so that files of two writings are not taken for one. ``notes`` go into the
    header of the tensors: `read_notes` gives them back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"package_version": VERSION, **asdict(config)}
    text = json.dumps(settings, indent=2, ensure_ascii=False)
    stored = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in tensors.items()
    }
    parts = {folder / name: folder / f"{name}.part" for name in (CONFIG_FILE, WEIGHTS_FILE)}
    parts[folder / CONFIG_FILE].write_text(text + "\n", encoding="utf-8")
    metadata = {"format": "pt", **(notes or {}), _CONFIG_DIGEST: _digest(json.loads(text))}
    save_file(stored, parts[folder / WEIGHTS_FILE], metadata=metadata)
    for path, part in parts.items():
        put_in_place(part, path)


def _digest(settings: dict) -> str:
    """Of the settings themselves, however their file is formatted."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def fetch_weights(repo_id: str, revision: str | None = None, also: Sequence[str] = ()) -> Path:
    """Download both files of one commit of a Hub repository, and those of ``also`` that it has:
    the cache's folder for that commit, which is named after it.

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
        missing = LocalEntryNotFoundError if local else RemoteEntryNotFoundError
        for name in also:
            with suppress(missing):
                hf_hub_download(repo_id, name, revision=folder.name, local_files_only=local)
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
        If a file is missing, unreadable or damaged, or does not fit the other.
    """
    settings = _read_settings(folder)
    model = LanguageCNN(_parse_config(folder, settings))
    expected = {name: (tensor.dtype, tensor.shape) for name, tensor in model.state_dict().items()}
    tensors, digest = _read_tensors(folder)
    _check_tensors(folder, tensors, expected)
    if digest not in (None, _digest(settings)):
        raise WeightsError(
            f"{folder}: {WEIGHTS_FILE} was not written with this {CONFIG_FILE}: copy both files "
            "of one run again."
        )
    model.load_state_dict(tensors)
    return model.eval()


def read_config(folder: Path) -> ModelConfig:
    """Settings of a folder of weights.

    Raises
    ------
    WeightsError
        If they are missing or unreadable, are not the settings this version knows, or hold what a
        setting cannot be.
    """
    return _parse_config(folder, _read_settings(folder))


def _read_settings(folder: Path) -> dict:
    """The object in ``config.json``, as it stands there."""
    path = _require_file(folder, CONFIG_FILE)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not valid JSON.") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error
    if not isinstance(settings, dict):
        raise WeightsError(f"{path} holds no settings: a JSON object was expected.")
    return settings


def _parse_config(folder: Path, settings: dict) -> ModelConfig:
    path = folder / CONFIG_FILE
    settings = {**_ADDED_SETTINGS, **settings}
    version = settings.pop("package_version", "unknown")
    known = {field.name for field in fields(ModelConfig)}
    if differing := sorted(known ^ set(settings)):
        raise WeightsError(
            f"{path} was written by langid {version} and does not fit langid {VERSION}: "
            f"settings missing or unknown: {', '.join(differing)}."
        )
    return _validated(settings, str(path))


def check_config(config: ModelConfig) -> None:
    """Refuse what `read_config` would refuse once it is written.

    Raises
    ------
    WeightsError
        Naming the settings.
    """
    _validated(asdict(config), "What was asked for")


def _validated(settings: dict, name: str) -> ModelConfig:
    try:
        # As JSON, where a list may be a tuple and a whole number a float.
        return TypeAdapter(ModelConfig).validate_json(json.dumps(settings))
    except ValidationError as error:
        problems = "; ".join(_in_words(problem) for problem in error.errors()[:3])
        raise WeightsError(f"{name} cannot be settings of langid: {problems}.") from error


def _in_words(problem: dict) -> str:
    """``"n_mels is '64': input should be a valid integer"``."""
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = ".".join(map(str, problem["loc"]))
    return f"{name} is {shorten(repr(problem['input']), 40)}: {message[0].lower()}{message[1:]}"


def read_notes(folder: Path) -> dict[str, str]:
    """What stands in the header of a folder's tensors.

    Raises
    ------
    WeightsError
        If they are missing or unreadable.
    """
    with _open_tensors(folder) as file:
        return file.metadata() or {}


def _read_tensors(folder: Path) -> tuple[dict[str, Tensor], str | None]:
    """All tensors, and the digest of the settings they were written with (None in older files)."""
    with _open_tensors(folder) as file:
        digest = (file.metadata() or {}).get(_CONFIG_DIGEST)
        return {name: file.get_tensor(name) for name in file.keys()}, digest  # noqa: SIM118


@contextmanager
def _open_tensors(folder: Path) -> Iterator[safe_open]:
    path = _require_file(folder, WEIGHTS_FILE)
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file.") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error


def _check_tensors(
    folder: Path,
    tensors: Mapping[str, Tensor],
    expected: Mapping[str, tuple[torch.dtype, torch.Size]],
) -> None:
    """Exactly the ``expected`` tensors (name → type and shape), of finite numbers."""
    path = folder / WEIGHTS_FILE
    wanted = {name: tuple(shape) for name, (_, shape) in expected.items()}
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
    damaged = sorted(
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() != expected[name][0].is_floating_point
        or not tensor.isfinite().all()
    )
    if damaged:
        raise WeightsError(
            f"{path} holds values that are no numbers of the model, in {', '.join(damaged[:3])}."
        )


def _require_file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise WeightsError(f"{folder} holds no {name}: it is not a folder of langid weights.")
    return path
