"""The loop of a training run: steps, validations, the best weights and the checkpoint."""

import argparse
import time
from dataclasses import asdict, replace

from torch.utils.data import DataLoader
from tqdm import tqdm

from langid.checkpoint import write_weights
from langid.training.batches import TrainingBatches
from langid.training.clips import Clips
from langid.training.outputs import CHECKPOINT_FILE, append_log
from langid.training.resume import run_options
from langid.training.trainer import StepFigures, Trainer, mean_figures
from langid.training.validation import WindowLogits


def train_loop(
    args: argparse.Namespace, trainer: Trainer, batches: TrainingBatches, validation: Clips
) -> list[dict]:
    """Train to the last step; the best averaged weights stand in --output. Returns the log."""
    checkpoint = args.output / CHECKPOINT_FILE
    history = trainer.restore(checkpoint)["history"] if args.resume else []
    loader = DataLoader(
        batches, batch_size=None, sampler=range(trainer.step, args.steps), num_workers=args.workers
    )
    figures: list[StepFigures] = []
    # A resumed run goes on counting.
    started = time.monotonic() - (history[-1]["elapsed_s"] if history else 0)
    bar = tqdm(
        loader,
        initial=trainer.step,
        total=args.steps,
        unit="step",
        mininterval=2,
        disable=not trainer.world.is_first,
    )
    for batch in bar:
        figures.append(trainer.train_step(batch))
        is_due = trainer.step % args.validate_every == 0 or trainer.step == args.steps
        if not (is_due and trainer.world.is_first):
            continue
        logits = WindowLogits(trainer.averaged_model, validation, trainer.device)
        result = logits.validate()
        entry = {
            "step": trainer.step,
            "elapsed_s": round(time.monotonic() - started),
            **mean_figures(figures),
            "score": result.score,
            **asdict(result),
        }
        figures.clear()
        is_best = all(result.score > earlier["score"] for earlier in history)
        history.append(entry)
        append_log(args.output, entry)
        if is_best:
            model = trainer.averaged_model
            config = replace(model.config, temperature=logits.fit_temperature())
            write_weights(args.output, config, model.state_dict())
        trainer.save(
            checkpoint,
            history=history,
            options=run_options(args, trainer.world.size),
            config=asdict(trainer.model.config),
        )
        bar.write(
            f"step {trainer.step}: validation {result.clip_accuracy:.3f} among the languages "
            f"({', '.join(f'{k} {v:.2f}' for k, v in result.recalls.items())}), "
            f"{result.clip_accuracy_open:.3f} open"
            + ("" if result.other_auroc is None else f", other AUROC {result.other_auroc:.3f}")
            + (" *" if is_best else "")
        )
    return history
