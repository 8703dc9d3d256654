"""What a run's weights had learnt before it began: what the models of --init were trained on."""

from collections.abc import Sequence
from pathlib import Path

from langid.errors import DataError
from langid.evaluation.report import METRICS_FILE, Training, TrainingSource, read_report
from langid.training.averaging import InitialModel

# Models of --init by name, and what is known of their training.
Parents = Sequence[tuple[str, Training | None]]


def read_parents(models: Sequence[InitialModel]) -> Parents:
    """What the models of ``--init`` learnt; says on the screen which of them do not tell it."""
    parents = []
    for model, _, folder in models:
        # What is published tells the name of a folder, not where it lay on this machine.
        name = Path(model).resolve().name if Path(model).is_dir() else model
        parents.append((name, _read_training(folder / METRICS_FILE)))
        if parents[-1][1] is None:
            print(f"What {model} was trained on is not recorded, and the card will say so.")
    return parents


def _read_training(path: Path) -> Training | None:
    try:
        training = read_report(path).training
    except DataError:  # missing, damaged or of another version
        return None
    return training if training and (training.all_sources or training.unrecorded) else None


def with_parents(training: Training, parents: Parents) -> Training:
    """``training``, with what its ``parents`` were trained on and had inherited themselves.

    Sources that it names itself are not repeated; of those that several name, the most hours stay.
    """
    own = {(source.source, source.licence) for source in training.sources}
    inherited: dict[tuple, TrainingSource] = {}
    unrecorded: dict[str, None] = {}
    for name, parent in parents:
        if parent is None:
            unrecorded[name] = None
            continue
        unrecorded |= dict.fromkeys(_unrecorded(parent))
        for source in (*parent.sources, *parent.inherited):
            key = (source.source, source.licence, source.synthetic, source.sounds_only)
            known = inherited.get(key)
            if key[:2] not in own and (known is None or source.hours > known.hours):
                inherited[key] = source
    return Training(
        training.settings,
        training.sources,
        tuple(name for name, _ in parents),
        tuple(sorted(inherited.values(), key=lambda source: -source.hours)),
        tuple(unrecorded),
    )


def _unrecorded(training: Training) -> tuple[str, ...]:
    """Figures of older versions name what a run started from, but not what it inherited."""
    if training.parents:
        return training.unrecorded
    started_from = (training.settings.get(name) for name in ("init", "mean of"))
    return tuple(str(models) for models in started_from if models)
