"""The mean of several finished networks, and the statistics that it needs anew.

The mean of networks that were trained from one another answers recordings of strangers better than
any of them: what one of them learnt by heart the others do not have (Wortsman et al. 2022,
arXiv:2203.05482 and arXiv:2109.01903). Its activations are nobody's, so the means and variances of
batch normalisation are taken again from training batches (Izmailov et al. 2018, arXiv:1803.05407).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from langid.checkpoint import EMBEDDED, fetch_weights, read_model
from langid.config import ModelConfig
from langid.errors import DataError
from langid.evaluation.report import METRICS_FILE
from langid.model import LanguageCNN
from langid.training.batches import Batch
from langid.training.initial import TAUGHT_HEADS, build_model
from langid.training.units import UNITS_FILE, Units

N_STATISTICS_BATCHES = 160  # of 40, which they are decides half a point of accuracy
# What must not differ, beside the settings of log-mel.
ALIKE = (
    *("labels", "width", "stem_channels", "embedding_size", "n_head_blocks", "phones"),
    "dynamic_range_db",
)


class Parent(NamedTuple):
    """One of the networks of a mean."""

    network: LanguageCNN
    share: float
    units: str | None  # digest of what its head of units names, None where that is not known

    def like(self, first: "Parent") -> bool:
        """Whether its heads for a teacher mean what those of ``first`` do."""
        own, wanted = self.network.config, first.network.config
        same = self.units is not None and self.units == first.units
        return self is first or (same and own.teacher_languages == wanted.teacher_languages)


def parse_initial(text: str) -> list[tuple[str, float]]:
    """``"runs/a=0.7,embedded=0.3"`` → models and their shares, which sum to 1; a model alone has
    all.

    Raises
    ------
    DataError
        If a share is no positive number.
    """
    if "=" not in text or Path(text).exists():
        return [(text, 1.0)]
    found = []
    for part in text.split(","):
        model, _, share = part.strip().rpartition("=")
        try:
            found.append((model, float(share)))
        except ValueError:
            found.append(("", 0.0))
        if not model or not 0 < found[-1][1] < float("inf"):
            raise DataError(
                f"--init {text} is neither a model nor a mean of models: write "
                "MODEL=SHARE,MODEL=SHARE with positive shares, such as runs/first=0.7,embedded=0.3."
            )
    total = sum(share for _, share in found)
    return [(model, share / total) for model, share in found]


def is_mean(text: str | None) -> bool:
    """Whether ``--init`` names several models."""
    return text is not None and len(parse_initial(text)) > 1


class InitialModel(NamedTuple):
    """A model of ``--init``: its name as written there, its share, and where it is."""

    name: str
    share: float
    folder: Path


def find_models(text: str | None) -> list[InitialModel]:
    """The models of ``--init`` (see `parse_initial`), none for None; those on the Hub are fetched,
    once, so that weights, units and figures are of one commit.

    Raises
    ------
    DataError
        See `parse_initial`.
    langid.errors.WeightsError
        If a model cannot be had from the Hub.
    """
    named = parse_initial(text) if text else []
    return [InitialModel(name, share, _find(name)) for name, share in named]


def _find(model: str) -> Path:
    if model == "embedded":
        return EMBEDDED
    if Path(model).is_dir():
        return Path(model)
    return fetch_weights(model, also=(UNITS_FILE, METRICS_FILE))


def load_initial(models: Sequence[InitialModel]) -> LanguageCNN:
    """The network of a model, or the mean of several.

    Raises
    ------
    DataError
        See `mean_of`.
    langid.errors.WeightsError
        If a model's weights cannot be read.
    """
    parents = []
    for _, share, folder in models:
        file = folder / UNITS_FILE
        units = Units.load(file).digest if file.is_file() else None
        parents.append(Parent(read_model(folder), share, units))
    return mean_of(parents)


def mean_of(parents: list[Parent]) -> LanguageCNN:
    """The network of the mean weights of ``parents``, whose shares sum to 1, on the CPU.

    The first says how deep it is and which labels and units it has; shallower ones are grown as
    `build_model` does, and a teacher's heads are averaged over those that have the same. The
    statistics of batch normalisation are a mean as well, for `estimate_statistics` to replace.

    Raises
    ------
    DataError
        If their widths, log-mel, labels or phones differ, or another one is deeper than the first.
    """
    first = parents[0].network
    if len(parents) == 1:
        return first
    for parent in parents:
        _check_alike(first.config, parent.network.config)
    grown = [(build_model(first.config, own.network).state_dict(), own.share) for own in parents]
    taught = [own for own, parent in zip(grown, parents, strict=True) if parent.like(parents[0])]
    mean = {
        name: _weighted(taught if name.split(".")[0] in TAUGHT_HEADS else grown, name)
        for name in first.state_dict()
    }
    result = LanguageCNN(first.config)
    result.load_state_dict(mean)
    return result.eval()


def _check_alike(wanted: ModelConfig, given: ModelConfig) -> None:
    differing = [name for name in ALIKE if getattr(given, name) != getattr(wanted, name)]
    differing += ["log-mel"] if given.mel_settings != wanted.mel_settings else []
    differing += ["depth"] if given.n_encoder_blocks > wanted.n_encoder_blocks else []
    if differing:
        raise DataError(
            f"--init cannot average networks that differ in {', '.join(differing)}: name those "
            f"that were trained from one another{', the deepest first' * ('depth' in differing)}."
        )


def _weighted(states: list[tuple[dict[str, Tensor], float]], name: str) -> Tensor:
    """The mean of a tensor over networks; of integers, the first's."""
    first = states[0][0][name]
    if not first.is_floating_point():
        return first
    return sum(share * state[name] for state, share in states) / sum(share for _, share in states)


@torch.inference_mode()
def estimate_statistics(network: LanguageCNN, batches: Iterable[Batch]) -> None:
    """Replace the means and variances of all batch normalisations by those over ``batches``,
    without dropout."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    device = next(network.parameters()).device
    for batch in batches:
        network.forward_heads(batch.log_mel.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
