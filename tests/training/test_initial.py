"""The network that a run starts from says what the weights it starts from say."""

from dataclasses import replace

import pytest
import torch

from langid.config import ModelConfig
from langid.model import LanguageCNN
from langid.training.initial import build_model

OLD = ModelConfig(stem_channels=4, width=16, n_encoder_blocks=4, n_head_blocks=1)


@pytest.fixture
def old():
    torch.manual_seed(0)
    return LanguageCNN(OLD).eval()


@pytest.mark.parametrize(
    "changes", [{"n_encoder_blocks": 6}, {"n_units": 8, "teacher_languages": ("en", "fr", "nl")}]
)
def test_what_is_new_changes_nothing_at_first(old, changes):
    new = build_model(replace(OLD, **changes), old).eval()
    log_mel = torch.randn(2, 64, 200)
    with torch.inference_mode():
        assert torch.allclose(
            new.forward_features(log_mel)[0], old.forward_features(log_mel)[0], atol=1e-5
        )


def test_heads_of_other_units_are_new(old):
    taught = replace(OLD, n_units=8, teacher_languages=("en", "fr"))
    first = build_model(taught, old)
    torch.nn.init.ones_(first.unit_feedback.weight)
    kept = build_model(taught, first)
    assert torch.equal(kept.unit_feedback.weight, first.unit_feedback.weight)
    renewed = build_model(taught, first, same_units=False)
    assert not renewed.unit_feedback.weight.any()
    other = build_model(replace(taught, teacher_languages=("en", "nl")), first)
    assert not other.unit_feedback.weight.any()
    none = build_model(OLD, first)
    assert not hasattr(none, "unit_head")
