"""Weights on disk and on the Hub: ``config.json`` and ``model.safetensors``, loaded strictly."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HFValidationError, HfHubHTTPError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from langid.model import LanguageCNN, ModelConfig
from langid.version import VERSION

EMBEDDED = Path(__file__).parent / "weights"
EMBEDDED_NAME = "embedded weights"
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


class WeightsError(ValueError):
    """Weights that cannot be had, or do not fit their configuration or this package."""


@dataclass(frozen=True)
class LoadedModel:
    model: LanguageCNN
    source: str  # "embedded weights", a folder or a Hub repository id
    revision: str | None  # the commit, for a Hub repository


def save_model(model: LanguageCNN, folder: str | os.PathLike) -> None:
    """Write both files; the weights as float16, which halves them and moves no answer."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"package_version": VERSION, **asdict(model.config)}
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    weights = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def load_model(source: str | os.PathLike | None = None, revision: str | None = None) -> LoadedModel:
    """Load a model from the package, a folder or the Hub.

    ``source`` defaults to ``LANGID_MODEL`` in the environment and then to the embedded weights,
    ``revision`` to ``LANGID_REVISION``. An existing folder wins over a repository id of that name.

    Raises
    ------
    WeightsError
        With a sentence that says what is missing or what differs.
    """
    if source is None:
        source = os.environ.get("LANGID_MODEL") or None
        revision = revision or os.environ.get("LANGID_REVISION") or None
    if source is None:
        return LoadedModel(read_model(EMBEDDED), EMBEDDED_NAME, None)
    folder = Path(source)
    if folder.is_dir():
        return LoadedModel(read_model(folder), str(source), None)
    folder, commit = _download(str(source), revision)
    return LoadedModel(read_model(folder), str(source), commit)


def _download(repo_id: str, revision: str | None) -> tuple[Path, str]:
    """Fetch both files of one commit of a Hub repository: their folder and the commit."""
    try:
        config = Path(hf_hub_download(repo_id, CONFIG_FILE, revision=revision))
        # The cache's folder of a snapshot is named after its commit: both files are of one.
        commit = config.parent.name
        hf_hub_download(repo_id, WEIGHTS_FILE, revision=commit)
    except HFValidationError as error:
        raise WeightsError(
            f"{repo_id!r} is neither a folder here nor a Hub repository id such as USER/NAME."
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"The weights {repo_id!r} could not be fetched from the Hub ({reason}); check the id, "
            "the revision and the connection, or leave LANGID_MODEL unset for the embedded ones."
        ) from error
    return config.parent, commit


def read_model(folder: Path) -> LanguageCNN:
    """Model of a folder with both files, in evaluation mode.

    Raises
    ------
    WeightsError
        If a file is missing or unreadable, a setting is unknown, or a tensor does not fit.
    """
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise WeightsError(f"{folder} holds no {name}: it is not a folder of langid weights.")
    model = LanguageCNN(_read_config(folder / CONFIG_FILE))
    try:
        weights = load_file(folder / WEIGHTS_FILE)
    except SafetensorError as error:
        raise WeightsError(f"{folder / WEIGHTS_FILE} is not a safetensors file.") from error
    _require_fit(model, weights, folder)
    model.load_state_dict(weights)
    return model.eval()


def _read_config(path: Path) -> ModelConfig:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is not valid JSON.") from error
    if not isinstance(raw, dict):
        raise WeightsError(f"{path} holds no settings: a JSON object was expected.")
    version = raw.pop("package_version", "unknown")
    known = {field.name for field in fields(ModelConfig)}
    if differing := sorted(known ^ set(raw)):
        raise WeightsError(
            f"{path} was written by langid {version} and does not fit langid {VERSION}: "
            f"settings missing or unknown: {', '.join(differing)}."
        )
    try:
        return ModelConfig(
            **{
                key: tuple(value) if isinstance(value, list) else value
                for key, value in raw.items()
            }
        )
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path} holds a setting that cannot be used: {error}") from error


def _require_fit(model: LanguageCNN, weights: dict[str, torch.Tensor], folder: Path) -> None:
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    differences = [
        f"{name}: expected {expected.get(name, 'none')}, found {found.get(name, 'none')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if differences:
        shown = "; ".join(differences[:3]) + ("; …" if len(differences) > 3 else "")
        raise WeightsError(
            f"The weights in {folder} do not fit their configuration in {len(differences)} "
            f"tensors ({shown})."
        )
