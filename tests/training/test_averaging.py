"""The mean of several networks, and the statistics of batch normalisation that it needs anew."""

import copy
from dataclasses import replace

import pytest
import torch

from langid.config import ModelConfig
from langid.errors import DataError
from langid.model import LanguageCNN
from langid.training.averaging import Parent, estimate_statistics, mean_of, parse_initial
from langid.training.batches import Batch

CONFIG = ModelConfig(stem_channels=4, width=16, n_encoder_blocks=2, n_head_blocks=1)
TAUGHT = replace(CONFIG, n_encoder_blocks=3, n_units=8, teacher_languages=("en", "fr"))


def network(config=CONFIG, seed=0):
    torch.manual_seed(seed)
    return LanguageCNN(config).eval()


def batch(seed, scale=1.0, n=6):
    generator = torch.Generator().manual_seed(seed)
    log_mel = scale * torch.randn(n, CONFIG.n_mels, 120, generator=generator)
    return Batch(log_mel, torch.zeros(n, dtype=torch.long), None)


def test_what_is_written_for_init():
    assert parse_initial("runs/a") == [("runs/a", 1.0)]
    assert parse_initial("runs/a=3, embedded=1") == [("runs/a", 0.75), ("embedded", 0.25)]


def test_a_folder_may_be_called_so(tmp_path):
    folder = tmp_path / "lr=0.1"
    folder.mkdir()
    assert parse_initial(str(folder)) == [(str(folder), 1.0)]


@pytest.mark.parametrize("text", ["a=x", "a=0.7,b", "a=0.7,=0.3", "a=0,b=1", "a=-1,b=2", "a=inf"])
def test_shares_are_positive_numbers(text):
    with pytest.raises(DataError, match="MODEL=SHARE"):
        parse_initial(text)


def test_one_network_is_its_own_mean():
    own = network()
    assert mean_of([Parent(own, 1.0, None)]) is own


def test_weights_are_averaged():
    first, second = network(seed=0), network(seed=1)
    mean = mean_of([Parent(first, 0.75, None), Parent(second, 0.25, None)]).state_dict()
    for name, value in first.state_dict().items():
        expected = value
        if value.is_floating_point():
            expected = 0.75 * value + 0.25 * second.state_dict()[name]
        assert torch.allclose(mean[name].float(), expected.float()), name


TAUGHT_NAMES = ("unit_head.weight", "unit_feedback.weight", "teacher_classifier.bias")


def test_of_what_a_network_lacks_the_others_are_averaged():
    taught, shallow = network(TAUGHT), network(CONFIG, seed=1)
    mean = mean_of([Parent(taught, 0.5, "one"), Parent(shallow, 0.5, None)]).state_dict()
    own = taught.state_dict()
    for name in TAUGHT_NAMES:
        assert torch.equal(mean[name], own[name]), name
    # A block that the shallow one lacks adds nothing there.
    assert torch.allclose(mean["encoder.2.body.5.weight"], 0.5 * own["encoder.2.body.5.weight"])


@pytest.mark.parametrize(
    ("units", "is_averaged"), [("one", True), ("another", False), (None, False)]
)
def test_heads_are_averaged_where_their_units_are_the_same(units, is_averaged):
    first, second = network(TAUGHT), network(TAUGHT, seed=1)
    mean = mean_of([Parent(first, 0.5, "one"), Parent(second, 0.5, units)]).state_dict()
    name = "unit_head.weight"
    expected = first.state_dict()[name]
    if is_averaged:
        expected = 0.5 * expected + 0.5 * second.state_dict()[name]
    assert torch.allclose(mean[name], expected)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"labels": ("en", "de", "other", "none")}, "labels"),
        ({"width": 8}, "width"),
        ({"n_mels": 32}, "log-mel"),
        ({"dynamic_range_db": 80.0}, "dynamic_range_db"),
        ({"n_encoder_blocks": 5}, "depth: .* the deepest first"),
    ],
)
def test_networks_of_other_kinds_are_refused(changes, word):
    with pytest.raises(DataError, match=word):
        other = network(replace(CONFIG, **changes))
        mean_of([Parent(network(), 0.5, None), Parent(other, 0.5, None)])


def test_statistics_are_those_of_the_batches():
    own = network()
    before = copy.deepcopy(own.state_dict())
    batches = [batch(seed, scale=1 + seed) for seed in range(3)]
    estimate_statistics(own, batches)
    assert not own.training
    first = own.stem.down[1]  # the first normalisation
    assert first.momentum == pytest.approx(0.1)
    seen = []
    handle = own.stem.down[0].register_forward_hook(lambda _, __, out: seen.append(out.detach()))
    with torch.inference_mode():
        for each in batches:
            own.forward_heads(each.log_mel)
    handle.remove()
    means = torch.stack([x.mean(dim=(0, 2, 3)) for x in seen]).mean(dim=0)
    variances = torch.stack([x.var(dim=(0, 2, 3)) for x in seen]).mean(dim=0)
    assert torch.allclose(first.running_mean, means, atol=1e-5)
    assert torch.allclose(first.running_var, variances, rtol=1e-4)
    for name, value in own.state_dict().items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(value, before[name]), name
