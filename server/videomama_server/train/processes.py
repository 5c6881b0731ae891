"""The processes of a training, as `torchrun` starts them; one that is started by hand is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

# Groups that were left. torch joins the threads of a group when it frees it, and these may wait for the lock of Python
# that the freeing thread holds: both would wait for ever.
_left: list[object] = []


@dataclass(frozen=True)
class Processes:
    """Which of how many this process is, and the device that is its own."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over all processes."""
        if self.world == 1:
            return value
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total / self.world

    def wait(self) -> None:
        """Wait for all others."""
        if self.world > 1:
            distributed.barrier()


@contextmanager
def joined(device: str = "") -> Iterator[Processes]:
    """Join the group that the environment names (`RANK`, `WORLD_SIZE`, `LOCAL_RANK`), and leave it at the end.

    Args:
        device: `cpu`, or empty for a GPU where there is one.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = device != "cpu" and torch.cuda.is_available()
    own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(own)
    if world == 1:
        yield Processes(0, 1, own)
        return
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Processes(distributed.get_rank(), world, own)
    finally:
        _left.append(distributed.group.WORLD)
        distributed.destroy_process_group()
