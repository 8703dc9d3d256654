"""What a batch is worth: language, phones, and what a teacher said of it."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from langid.model import Heads
from langid.training.batches import Batch
from langid.training.clips import NO_LABEL
from langid.training.units import NO_UNIT

LABEL_SMOOTHING = 0.05
# Whole utterances are easier than windows and fewer voices: their languages count half.
UTTERANCE_LANGUAGE_WEIGHT = 0.5
POSTERIOR_TEMPERATURE = 2.0


@dataclass(frozen=True)
class LossWeights:
    """Of each loss beside the language's own."""

    phones: float
    units: float
    posteriors: float


@dataclass(frozen=True)
class Losses:
    """Scalars; None where a batch has nothing of the kind."""

    total: Tensor
    language: Tensor
    accuracy: Tensor
    phones: Tensor | None
    units: Tensor | None
    posteriors: Tensor | None


def losses(heads: Heads, batch: Batch, weights: LossWeights) -> Losses:
    """All losses of a batch and their weighted sum."""
    logits = heads.language.float()
    n_labelled = (batch.labels != NO_LABEL).sum().clamp_min(1)
    language = _language_loss(logits, batch.labels, batch.soft) / n_labelled
    accuracy = (logits.argmax(dim=1) == batch.labels).sum() / n_labelled
    phones = None if batch.phones is None else _ctc(heads.phones, batch.phones)
    units = posteriors = None
    if batch.units is not None and heads.units is not None:
        units = unit_loss(heads.units, batch.units)
    if batch.posteriors is not None and heads.teacher_languages is not None:
        posteriors = posterior_loss(heads.teacher_languages, batch.posteriors)

    total = language if posteriors is None else language + weights.posteriors * posteriors
    if phones is not None:
        total = UTTERANCE_LANGUAGE_WEIGHT * total + weights.phones * phones
    if units is not None:
        total = total + weights.units * units
    return Losses(total, language, accuracy, phones, units, posteriors)


def _language_loss(logits: Tensor, labels: Tensor, soft: Tensor | None) -> Tensor:
    """Summed cross-entropy with the soft targets, or with the label where these are NaN."""
    if soft is not None:
        given = ~soft[:, 0].isnan()
        of_soft = F.cross_entropy(
            logits[given], soft[given], reduction="sum", label_smoothing=LABEL_SMOOTHING
        )
        return of_soft + _language_loss(logits[~given], labels[~given], None)
    return F.cross_entropy(
        logits,
        labels,
        ignore_index=NO_LABEL,
        reduction="sum",
        label_smoothing=LABEL_SMOOTHING,
    )


def unit_loss(logits: Tensor, units: Tensor) -> Tensor:
    """Cross-entropy per frame: logits (batch, n_units, n), units (batch, n) with -1 for none."""
    n_labelled = (units != NO_UNIT).sum()
    summed = F.cross_entropy(logits.float(), units, ignore_index=NO_UNIT, reduction="sum")
    return summed / n_labelled.clamp_min(1)


def posterior_loss(logits: Tensor, log_posteriors: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the teacher's languages, both at `POSTERIOR_TEMPERATURE`
    (Hinton et al. 2015, arXiv:1503.02531), times its square so that the gradient keeps its size.

    ``logits`` and ``log_posteriors`` (batch, n_languages); rows of NaN do not count.
    """
    spoken = ~log_posteriors[:, :1].isnan()
    taught = torch.where(spoken, log_posteriors, 0.0) / POSTERIOR_TEMPERATURE
    target = taught.softmax(dim=1)
    student = (logits.float() / POSTERIOR_TEMPERATURE).log_softmax(dim=1)
    divergence = (target * (target.log() - student)).sum(dim=1) * spoken[:, 0]
    return POSTERIOR_TEMPERATURE**2 * divergence.sum() / spoken.sum().clamp_min(1)


def _ctc(logits: Tensor, phones: list[Tensor]) -> Tensor:
    """Connectionist temporal classification of logits (batch, 1 + n_phones, n)."""
    lengths = torch.tensor([len(target) for target in phones])
    return F.ctc_loss(
        logits.float().permute(2, 0, 1).log_softmax(dim=2),
        torch.cat(phones),
        torch.full_like(lengths, logits.shape[2]),
        lengths,
        blank=0,
        zero_infinity=True,
    )
