"""The network that a run starts from: a new one, or finished weights with other heads and depth."""

from torch import nn

from langid.config import ModelConfig
from langid.model import LanguageCNN

TAUGHT_HEADS = ("unit_head", "unit_feedback", "teacher_classifier")


def build_model(
    config: ModelConfig, initial: LanguageCNN | None, same_units: bool = True
) -> LanguageCNN:
    """A new network, or ``initial`` changed to ``config``.

    Of ``initial``'s last layer stay the rows that both label sets share. What it lacks begins such
    that it changes nothing: encoder blocks as no change, units without feedback. Heads for other
    units or other languages of a teacher than ``config``'s are new, and so they are where units of
    the same number are not the ``same_units``.
    """
    model = LanguageCNN(config)
    if initial is None:
        return model
    for block in model.encoder[initial.config.n_encoder_blocks :]:
        _start_as_no_change(block)
    own, given = model.state_dict(), initial.state_dict()
    state = {**own, **{name: given[name] for name in own if name in given}}
    taught = ("n_units", "teacher_languages")
    differ = any(getattr(initial.config, name) != getattr(config, name) for name in taught)
    if differ or not same_units:
        state |= {name: own[name] for name in own if name.split(".")[0] in TAUGHT_HEADS}
    for name in ("classifier.weight", "classifier.bias"):
        rows = own[name].clone()
        for i, label in enumerate(config.labels):
            if label in initial.config.labels:
                rows[i] = given[name][initial.config.labels.index(label)]
        state[name] = rows
    model.load_state_dict(state)
    return model


def _start_as_no_change(block: nn.Module) -> None:
    """Let a residual block add nothing, by the scale of its last batch normalisation."""
    nn.init.zeros_(block.body[-1].weight)
