"""Losses on arrays whose values can be worked out by hand."""

import math

import pytest
import torch

from langid.model import Heads
from langid.training.batches import Batch
from langid.training.clips import NO_LABEL
from langid.training.losses import LossWeights, losses, posterior_loss, unit_loss


def test_frames_without_a_unit_do_not_count():
    logits = torch.zeros(1, 4, 3)
    logits[0, 2, 0] = math.log(3)  # 3 / 6 for unit 2 in the first frame, 1 / 4 in the others
    units = torch.tensor([[2, 0, -1]])
    assert unit_loss(logits, units).item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert unit_loss(logits, torch.full((1, 3), -1)).item() == 0


def test_a_student_that_agrees_loses_nothing():
    log_p = torch.tensor([[0.7, 0.2, 0.1]]).log()
    assert posterior_loss(log_p + 3, log_p).item() == pytest.approx(0, abs=1e-6)


def test_divergence_is_taken_at_temperature_two():
    log_p = torch.tensor([[0.8, 0.2]]).log()
    soft = torch.tensor([2 / 3, 1 / 3])  # the roots of 0.8 and 0.2 are as 2 to 1
    expected = 4 * (soft * (soft.log() - math.log(0.5))).sum().item()
    assert posterior_loss(torch.zeros(1, 2), log_p).item() == pytest.approx(expected)


def test_clips_without_speech_say_nothing_of_languages():
    log_p = torch.tensor([[0.8, 0.2], [torch.nan, torch.nan]]).log()
    log_p[1] = torch.nan
    alone = posterior_loss(torch.zeros(1, 2), log_p[:1])
    logits = torch.zeros(2, 2, requires_grad=True)
    both = posterior_loss(logits, log_p)
    assert both.item() == pytest.approx(alone.item())
    both.backward()
    assert torch.isfinite(logits.grad).all() and (logits.grad[1] == 0).all()
    assert posterior_loss(torch.zeros(1, 2), log_p[1:]).item() == 0


def test_the_total_is_the_weighted_sum():
    torch.manual_seed(0)
    heads = Heads(torch.randn(2, 3), torch.randn(2, 5, 8), torch.randn(2, 6, 8), torch.randn(2, 4))
    batch = Batch(
        torch.zeros(2, 64, 32),
        torch.tensor([0, 2]),
        None,
        torch.randint(6, (2, 8)),
        torch.randn(2, 4).log_softmax(dim=1),
    )
    weights = LossWeights(phones=0.3, units=0.5, posteriors=0.25)
    windows = losses(heads, batch, weights)
    assert windows.phones is None
    assert windows.total.item() == pytest.approx(
        windows.language.item() + 0.5 * windows.units.item() + 0.25 * windows.posteriors.item()
    )
    spoken = Batch(batch.log_mel, batch.labels, [torch.tensor([1, 2])] * 2, *(None, None))
    utterances = losses(heads, spoken, weights)
    assert utterances.units is None and utterances.posteriors is None
    assert utterances.total.item() == pytest.approx(
        0.5 * utterances.language.item() + 0.3 * utterances.phones.item()
    )


def test_clips_without_a_label_have_no_say_in_the_language():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, generator=generator)
    labels = torch.tensor([2, NO_LABEL, 0, NO_LABEL])
    heads = Heads(logits, torch.zeros(4, 3, 5), None, None)
    some = losses(heads, Batch(torch.zeros(4, 64, 20), labels, None), LossWeights(0, 0, 0))
    labelled = Heads(logits[::2], torch.zeros(2, 3, 5), None, None)
    rest = losses(labelled, Batch(torch.zeros(2, 64, 20), labels[::2], None), LossWeights(0, 0, 0))
    assert float(some.language) == pytest.approx(float(rest.language))
    assert float(some.accuracy) == float(rest.accuracy)

    nothing = Batch(torch.zeros(4, 64, 20), torch.full((4,), NO_LABEL), None)
    assert float(losses(heads, nothing, LossWeights(0, 0, 0)).total) == 0
