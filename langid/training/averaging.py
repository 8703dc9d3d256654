"""The mean of several finished networks, and the statistics that it needs anew.

The mean of networks that were trained from one another answers recordings of strangers better than
any of them: what one of them learnt by heart the others do not have (Wortsman et al. 2022,
arXiv:2203.05482 and arXiv:2109.01903). Its activations are nobody's, so the means and variances of
batch normalisation are taken again from training batches (Izmailov et al. 2018, arXiv:1803.05407).
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from langid.checkpoint import EMBEDDED, load_model
from langid.config import ModelConfig
from langid.errors import DataError
from langid.model import LanguageCNN
from langid.training.batches import Batch
from langid.training.initial import TAUGHT_HEADS, build_model

N_STATISTICS_BATCHES = 40
# What must not differ, beside the settings of log-mel.
ALIKE = ("labels", "width", "stem_channels", "embedding_size", "n_head_blocks", "phones")


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
        model, _, share = part.rpartition("=")
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


def first_folder(text: str) -> Path:
    """The folder of the first model of ``--init``; no folder where it comes from the Hub."""
    first = parse_initial(text)[0][0]
    return EMBEDDED if first == "embedded" else Path(first)


def load_initial(text: str) -> LanguageCNN:
    """The network that ``--init`` names: a model, or the mean of several (see `parse_initial`).

    Raises
    ------
    DataError
        See `parse_initial` and `mean_of`.
    langid.errors.WeightsError
        If a model cannot be had.
    """
    named = parse_initial(text)
    return mean_of([(load_model(name).model, share) for name, share in named])


def mean_of(networks: list[tuple[LanguageCNN, float]]) -> LanguageCNN:
    """Networks and shares that sum to 1 → the network of their mean weights, on the CPU.

    The first says how deep it is and which labels and units it has; shallower ones are grown as
    `build_model` does, and a teacher's heads are averaged over those that have the same. The
    statistics of batch normalisation are a mean as well, for `estimate_statistics` to replace.

    Raises
    ------
    DataError
        If their widths, log-mel, labels or phones differ, or another one is deeper than the first.
    """
    first = networks[0][0]
    if len(networks) == 1:
        return first
    for network, _ in networks:
        _check_alike(first.config, network.config)
    grown = [
        (build_model(first.config, network).state_dict(), share) for network, share in networks
    ]
    untaught = [
        (state, share if _same_teacher(network, first) else 0.0)
        for (state, share), (network, _) in zip(grown, networks, strict=True)
    ]
    mean = {
        name: _weighted(untaught if name.split(".")[0] in TAUGHT_HEADS else grown, name)
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
            "that were trained from one another, the deepest first."
        )


def _same_teacher(network: LanguageCNN, first: LanguageCNN) -> bool:
    """Whether its heads for a teacher mean what those of ``first`` do."""
    own, wanted = network.config, first.config
    return (own.n_units, own.teacher_languages) == (wanted.n_units, wanted.teacher_languages)


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
