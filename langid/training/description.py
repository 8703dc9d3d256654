"""What a run is about to do, on the screen."""

from langid.data.espeak import espeak_available
from langid.languages import NONE, OTHER
from langid.model import LanguageCNN
from langid.training.batches import TrainingBatches
from langid.training.clips import NO_LABEL, Clips


def describe(train: Clips, validation: Clips, batches: TrainingBatches, model: LanguageCNN) -> None:
    """Say what is about to happen."""
    config = model.config
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters; {len(config.phones)} phones, "
        f"{batches.n_utterances} transcribed utterances"
        + ("" if espeak_available() else " (no espeak-ng on this machine: no phones)")
    )
    for name, clips in (("train", train), ("validation", validation)):
        counts = ", ".join(
            f"{label} {int((clips.labels == i).sum())}" for i, label in enumerate(config.labels)
        )
        if n_unlabelled := int((clips.labels == NO_LABEL).sum()):
            counts += f", unlabelled {n_unlabelled}"
        hours = clips.n_frames.sum() * config.frame_s / 3600
        print(f"{name}: {len(clips)} clips, {hours:.1f} h ({counts})")
    if OTHER not in config.labels:
        print(
            "  No recordings of other languages: the model cannot answer 'another language', and "
            "takes any speech for one of its own. Add some with --data for it to learn that."
        )
    if not (train.labels == config.labels.index(NONE)).any():
        print(
            "  No recordings without speech: built-in silence, hiss, hum and tones train "
            "'no speech'. Noise and music from --data would do better."
        )
    for label, shares in batches.sampler.describe(config.labels).items():
        print(f"  {label}: " + ", ".join(f"{f} {100 * s:.0f} %" for f, s in shares.items()))
