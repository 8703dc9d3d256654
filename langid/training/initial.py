"""The network that a run starts from: new, or what of finished weights fits."""

from langid.config import ModelConfig
from langid.model import LanguageCNN


def build_model(config: ModelConfig, initial: LanguageCNN | None) -> LanguageCNN:
    """A new network, or ``initial`` with the rows of its last layer that both label sets share."""
    model = LanguageCNN(config)
    if initial is None:
        return model
    state = initial.state_dict()
    own = model.state_dict()
    for name in ("classifier.weight", "classifier.bias"):
        rows = own[name].clone()
        for i, label in enumerate(config.labels):
            if label in initial.config.labels:
                rows[i] = state[name][initial.config.labels.index(label)]
        state[name] = rows
    model.load_state_dict(state)
    return model
