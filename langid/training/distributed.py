"""Several processes that train one model, started by ``torchrun``.

Each process draws batches of its own and the gradients are averaged (DistributedDataParallel, Li et
al. 2020, arXiv:2006.15704): n processes take the steps of one with batches n times as large. The
first process alone validates and writes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from langid.model import Heads, LanguageCNN

# The others wait while the first one computes log-mel or validates.
TIMEOUT = timedelta(hours=12)


@dataclass(frozen=True)
class World:
    """Which of how many processes this one is."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0


def own_device(name: str) -> str:
    """The device of this process for one that is asked for: under ``torchrun`` each has a GPU."""
    is_one_of_many = int(os.environ.get("WORLD_SIZE", "1")) > 1
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" and is_one_of_many else name


@contextmanager
def process_group(device: torch.device) -> Iterator[World]:
    """Join the processes that ``torchrun`` started; without it this one is alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield World(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


@contextmanager
def first_before_others(world: World) -> Iterator[None]:
    """The block is run by the first process, then by the others: what it leaves in a cache is
    computed once."""
    if not world.is_first:
        distributed.barrier()
    yield
    if world.is_first and world.size > 1:
        distributed.barrier()


class _AllHeads(nn.Module):
    """``forward`` is ``LanguageCNN.forward_heads``: gradients are exchanged through it."""

    def __init__(self, model: LanguageCNN):
        super().__init__()
        self.model = model

    def forward(self, log_mel: Tensor) -> Heads:
        return self.model.forward_heads(log_mel)


def all_heads(model: LanguageCNN, world: World) -> nn.Module:
    """Log-mel → `Heads`, with gradients averaged over the processes."""
    heads = _AllHeads(model)
    if world.size == 1:
        return heads
    # A teacher's head of --init learns nothing in a run without a teacher.
    return DistributedDataParallel(heads, find_unused_parameters=True)
