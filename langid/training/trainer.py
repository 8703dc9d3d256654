"""The training loop's parts: loss, schedule, moving average, checkpoint."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from langid.files import replacing
from langid.model import LanguageCNN
from langid.training.batches import Batch
from langid.training.distributed import World, all_heads
from langid.training.losses import LossWeights, losses

EMA_DECAY = 0.998
MAX_GRADIENT_NORM = 3.0
WARMUP_STEPS = 200
# Processors that multiply bfloat16, by torch's names: x86-64, then ARM.
BFLOAT16_FEATURES = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


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


def mean_figures(figures: list[StepFigures]) -> dict[str, float | None]:
    """The log's entry for some steps: means of what they have, None where none of them has it.

    The accuracy is that of windows: utterances are easier.
    """
    of_windows = [f for f in figures if f.phones is None]
    losses = {
        f"{name.removesuffix('s')}_loss": _mean([getattr(f, name) for f in figures])
        for name in ("language", "phones", "units", "posteriors")
    }
    return {**losses, "accuracy": _mean([f.accuracy for f in of_windows])}


def _mean(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return round(sum(present) / len(present), 4) if present else None


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


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it; where it is emulated, float32 is faster."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            supported = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        features = torch.cpu.get_capabilities() if device.type == "cpu" else {}
        supported = any(features.get(name) for name in BFLOAT16_FEATURES)
    return torch.autocast(device.type, torch.bfloat16, enabled=supported)


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
        with mixed_precision(self.device):
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
