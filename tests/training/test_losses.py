"""Losses on arrays whose values can be worked out by hand."""

import math
from dataclasses import replace

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


def test_soft_targets_take_the_place_of_labels_where_there_are_any():
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    labels = torch.tensor([0, 1, NO_LABEL])
    heads = Heads(logits, torch.zeros(3, 3, 5), None, None)
    plain = Batch(torch.zeros(3, 64, 20), labels, None)
    weights = LossWeights(0, 0, 0)
    one_hot = torch.tensor([[1.0, 0, 0], [torch.nan] * 3, [torch.nan] * 3])
    same = losses(heads, replace(plain, soft=one_hot), weights)
    assert same.language.item() == pytest.approx(losses(heads, plain, weights).language.item())
    assert same.accuracy == 1

    heads = Heads(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.zeros(1, 3, 5), None, None)
    one = Batch(torch.zeros(1, 64, 20), labels[:1], None, soft=torch.tensor([[0.6, 0.4, 0.0]]))
    smoothed = [0.95 * p + 0.05 / 3 for p in (0.6, 0.4, 0.0)]
    expected = -sum(p * math.log(q) for p, q in zip(smoothed, (0.7, 0.2, 0.1), strict=True))
    assert losses(heads, one, weights).language.item() == pytest.approx(expected)


def test_all_targets_soft_or_none_gives_a_loss():
    logits = torch.zeros(2, 4, requires_grad=True)
    heads = Heads(logits, torch.zeros(2, 3, 5), None, None)
    for soft in (torch.full((2, 4), 0.25), torch.full((2, 4), torch.nan)):
        batch = Batch(torch.zeros(2, 64, 20), torch.tensor([0, 1]), None, soft=soft)
        total = losses(heads, batch, LossWeights(0, 0, 0)).total
        assert total.item() == pytest.approx(math.log(4))
        total.backward()
        assert torch.isfinite(logits.grad).all()
