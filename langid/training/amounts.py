"""How much there is of what a run learns from: by label for its weights, by source for its card.

Counted is what training draws from, once all that is left out is out. Hours are frames of log-mel,
as everywhere in training: 20 ms to 30 ms a clip less than its audio.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from langid.config import LabelTraining, ModelConfig
from langid.data.licences import UNSTATED
from langid.errors import DataError
from langid.evaluation.report import TrainingSource
from langid.languages import NONE
from langid.training.clips import NO_LABEL, Clips


def with_amounts(config: ModelConfig, clips: Clips) -> ModelConfig:
    """``config`` with what ``clips`` hold of each of its labels.

    Raises
    ------
    DataError
        If nothing is left of a label but "none", which a teacher alone can bring about.
    """
    training = []
    for index, label in enumerate(config.labels):
        own = clips.n_frames[clips.labels == index]
        training.append(LabelTraining(label, len(own), round(_hours(own, config.frame_s), 4)))
    if missing := [x.label for x in training if not x.n_clips and x.label != NONE]:
        raise DataError(
            f"The teacher contradicts the language of every clip of {', '.join(missing)}: look at "
            "the labels, add data, or leave out --teacher."
        )
    return replace(config, training=tuple(training))


def describe_sources(clips: Clips, frame_s: float) -> tuple[TrainingSource, ...]:
    """What is learnt from, by source and licence, the most hours first.

    Clips without a label are apart, marked ``sounds_only``. ``frame_s`` are the seconds of a frame
    of log-mel.
    """
    groups = defaultdict(list)
    columns = (clips.sources, clips.licences, clips.synthetic.tolist(), clips.labels == NO_LABEL)
    for i, (source, licence, synthetic, unlabelled) in enumerate(zip(*columns, strict=True)):
        groups[source, licence or UNSTATED, synthetic, bool(unlabelled)].append(i)
    table = [
        TrainingSource(
            source=source,
            licence=licence,
            languages=tuple(sorted({clips.languages[i] for i in own} - {None})),
            n_clips=len(own),
            hours=_hours(clips.n_frames[own], frame_s),
            n_speakers=len({clips.speakers[i] for i in own}),
            synthetic=synthetic,
            sounds_only=unlabelled,
        )
        for (source, licence, synthetic, unlabelled), own in groups.items()
    ]
    return tuple(sorted(table, key=lambda entry: -entry.hours))


def _hours(n_frames: np.ndarray, frame_s: float) -> float:
    return float(n_frames.sum()) * frame_s / 3600
