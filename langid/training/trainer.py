"""The training loop's parts: loss, schedule, moving average, validation, checkpoint."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from langid.config import ModelConfig
from langid.files import replacing
from langid.model import LanguageCNN
from langid.training.batches import Batch
from langid.training.clips import Clips
from langid.training.distributed import World, all_heads
from langid.training.losses import LossWeights, losses

EMA_DECAY = 0.998
MAX_GRADIENT_NORM = 3.0
WARMUP_STEPS = 200
VALIDATION_BATCH = 128


@dataclass(frozen=True)
class Optimisation:
    n_steps: int
    learning_rate: float
    weight_decay: float
    phone_weight: float  # of the CTC loss beside the language loss
    seed: int
    unit_weight: float = 0.5  # of naming the teacher's units, where there is a teacher
    posterior_weight: float = 0.5  # of agreeing with the teacher's languages


@dataclass(frozen=True)
class StepFigures:
    """What one step tells the log; ``phones`` is None for a batch of windows, ``units`` and
    ``posteriors`` without a teacher."""

    total: float
    language: float
    accuracy: float
    phones: float | None
    units: float | None = None
    posteriors: float | None = None


FIGURES = tuple(field.name for field in fields(StepFigures))


def learning_rate_at(step: int, o: Optimisation) -> float:
    """Linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017)."""
    warm = min(1.0, (step + 1) / min(WARMUP_STEPS, max(1, o.n_steps // 10)))
    return o.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / o.n_steps))


def update_average(averages: list[Tensor], values: list[Tensor], n_averaged: Tensor) -> None:
    """Exponential moving average that forgets the random start: the decay rises to its value.

    PyTorch's own has the full decay from the first step, and needs a thousand to forget.
    """
    n = int(n_averaged)
    decay = min(EMA_DECAY, (n + 1) / (n + 20))
    if averages[0].is_floating_point():
        torch._foreach_lerp_(averages, values, 1 - decay)
    else:  # batch normalisation's count of batches
        torch._foreach_copy_(averages, values)


class Trainer:
    """A model, its optimiser and its moving average, one step at a time."""

    def __init__(
        self,
        model: LanguageCNN,
        optimisation: Optimisation,
        device: torch.device,
        world: World | None = None,
    ):
        self.device = device
        self.world = world or World()
        self.optimisation = optimisation
        self.model = model.to(device)
        self._all_heads = all_heads(self.model, self.world)
        self.average = AveragedModel(self.model, multi_avg_fn=update_average, use_buffers=True)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=optimisation.learning_rate,
            weight_decay=optimisation.weight_decay,
        )
        self._weights = LossWeights(
            optimisation.phone_weight, optimisation.unit_weight, optimisation.posterior_weight
        )
        self.step = 0

    @property
    def averaged_model(self) -> LanguageCNN:
        """The model of the moving average: what is validated and kept."""
        return self.average.module

    def train_step(self, batch: Batch) -> StepFigures:
        """One update; bfloat16 where the processor or GPU multiplies it, float32 weights."""
        # Dropout draws from the global generator: seeded by the step, so that resuming is exact.
        torch.manual_seed(
            self.optimisation.seed * 1_000_003 + self.step + self.world.rank * 1_000_000_007
        )
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.optimisation)
        batch = batch.to(self.device)
        self.model.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            result = losses(self._all_heads(batch.log_mel), batch, self._weights)
        self.optimiser.zero_grad(set_to_none=True)
        result.total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRADIENT_NORM)
        self.optimiser.step()
        self.average.update_parameters(self.model)
        self.step += 1
        figures = {name: getattr(result, name) for name in FIGURES}
        return StepFigures(**{name: None if x is None else x.item() for name, x in figures.items()})

    def save(self, path: Path, **extra: object) -> None:
        """Write everything a resumed run needs, atomically."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            **extra,
        }
        with replacing(path) as part:
            torch.save(state, part)

    def restore(self, path: Path) -> dict:
        """Take up where ``save`` left off; the ``extra`` of that call is returned."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state.pop("model"))
        self.average.load_state_dict(state.pop("average"))
        self.optimiser.load_state_dict(state.pop("optimiser"))
        self.step = state.pop("step")
        return state


def frame_windows(n_frames: int, config: ModelConfig) -> list[slice]:
    """Windows of a clip in log-mel frames, by the contract of ``langid.windows``."""
    window, hop = config.n_window_frames, config.n_hop_frames
    if n_frames <= window:
        return [slice(0, n_frames)]
    starts = [*range(0, n_frames - window, hop), n_frames - window]
    return [slice(start, start + window) for start in starts]


@torch.inference_mode()
def classify_clips(
    model: LanguageCNN, clips: Clips, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of every window of every clip: (n_windows, n_labels), and its clip's index."""
    model.eval()
    full: list[tuple[int, np.ndarray]] = []
    logits, owners = [], []

    def run(items: list[tuple[int, np.ndarray]]) -> None:
        batch = torch.from_numpy(np.stack([x.T.astype(np.float32) for _, x in items])).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            out, _ = model.forward_features(batch)
        logits.append(out.float().cpu().numpy())
        owners.extend(index for index, _ in items)

    for index in range(len(clips)):
        log_mel = clips.log_mel(index)
        for window in frame_windows(len(log_mel), model.config):
            if window.stop - window.start < model.config.n_window_frames:
                run([(index, log_mel[window])])  # shorter than a window: a batch of its own
                continue
            full.append((index, log_mel[window]))
            if len(full) == VALIDATION_BATCH:
                run(full)
                full = []
    if full:
        run(full)
    return np.concatenate(logits), np.array(owners)
