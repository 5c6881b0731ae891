"""Trains a network step by step: gathers gradients, keeps averaged weights, stops at the first value that is none."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from videomama_client.errors import BadInput

from videomama_server.train.data.training_set import Turns
from videomama_server.train.processes import Processes
from videomama_server.train.recipe import Recipe
from videomama_server.train.samples import Batch, stacked

Losses = dict[str, float]


@dataclass(frozen=True)
class Means:
    """How the work is divided, which changes nothing that is computed.

    Attributes:
        workers: processes that make samples.
        sharded: whether weights and optimiser are spread over the devices (FSDP2) or repeated on each (DDP).
    """

    workers: int = 0
    sharded: bool = False


class Trained(nn.Module):
    """What a trainer trains.

    Attributes:
        learners: the parts of it that learn.
        part: what the names of the parameters begin with that an engine loads.
        kept_as: folder of these in a checkpoint.
        measures: what validation takes; names of `metrics.scorer.MEASURES`.
    """

    learners: list[nn.Module]
    part: ClassVar[str]
    kept_as: ClassVar[str]
    measures: ClassVar[tuple[str, ...]] = ("mad", "mse", "grad", "dtssd")

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """Return the parameters that learn in the optimiser's groups, each with its learning rate `lr`; here in one."""
        return [{"params": list(learning(self).values()), "lr": recipe.learning_rate}]

    @abstractmethod
    def predict(self, batch: Batch) -> Tensor:
        """Return alphas (B, T, 1, H, W), -1..1, at the size of the batch, as inference makes them."""

    @abstractmethod
    def export(self, weights: dict[str, Tensor], folder: Path) -> None:
        """Write `weights`, named without `part`, in the layout that an engine loads."""

    def export_beside(self, weights: dict[str, Tensor], folder: Path) -> None:
        """Write into a checkpoint what learnt and no engine needs."""


def learning(objective: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of an objective that learn by name, in the network's order."""
    return {name: parameter for name, parameter in objective.named_parameters() if parameter.requires_grad}


class Trainer:
    """A training at some step.

    Attributes:
        step: steps that are done.
        objective: returns the losses of a batch by name, with their weighted sum as `total`.
        optimizer: of the parameters that learn.
        averaged: their running mean, or None.
    """

    def __init__(self, objective: Trained, recipe: Recipe, turns: Turns, processes: Processes, means: Means) -> None:
        """Prepare a training of those parameters of `objective` that ask for gradients."""
        self.step = 0
        self.recipe, self.turns, self.processes, self._means = recipe, turns, processes, means
        self.objective = objective.to(processes.device).train()
        self._shards = means.sharded and processes.world > 1
        if self._shards:
            for part in objective.learners:
                fully_shard(part)
        self.optimizer = torch.optim.AdamW(
            self.objective.groups(recipe), betas=(0.9, 0.999), eps=1e-8, weight_decay=recipe.weight_decay
        )
        self.averaged = EMAModel(self.learning(), decay=recipe.ema, use_ema_warmup=True) if recipe.ema else None
        self._wrapped = self._repeated()

    def learning(self) -> list[nn.Parameter]:
        """Return the parameters that learn, in the network's order."""
        return list(learning(self.objective).values())

    def run(self, steps: int, after: Callable[[int, Losses], None]) -> None:
        """Train up to a step, and call `after` with the number and the mean losses of each.

        Raises:
            BadInput: a loss is not a number; it names the clips of the batch.
        """
        batches = iter(self._loader(steps))
        while self.step < steps:
            losses = self._one_step(batches)
            self.step += 1
            after(self.step, losses)

    def _one_step(self, batches: Iterator[Batch]) -> Losses:
        passes = self.turns.passes
        sums: dict[str, Tensor] = {}
        self.optimizer.zero_grad(set_to_none=True)
        for turn in range(passes):
            batch = next(batches).to(self.processes.device)
            with self._gathering(last=turn == passes - 1):
                losses = self._losses(batch)
                torch.autograd.backward(losses["total"] / passes)
            for name, value in losses.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() / passes
        nn.utils.clip_grad_norm_(self.learning(), self.recipe.clip_norm)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.step(self.learning())
        return {name: float(self.processes.mean(value)) for name, value in sums.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        kind = self.processes.device.type
        low = self.recipe.precision == "bf16"
        with torch.autocast(kind, torch.bfloat16, enabled=low):
            losses: dict[str, Tensor] = self._wrapped(batch)
        wrong = [name for name, value in losses.items() if not torch.isfinite(value)]
        if wrong:
            raise BadInput(
                f"step {self.step + 1}: the loss {wrong[0]} is not a number, on {', '.join(batch.names)}",
                "Look at these clips. If they are sound, lower the learning rate, and resume from the last checkpoint.",
            )
        return losses

    def _gathering(self, last: bool) -> AbstractContextManager[Any]:
        """Return what keeps processes from exchanging gradients before the last micro-batch of a step."""
        if isinstance(self._wrapped, DistributedDataParallel):
            return nullcontext() if last else self._wrapped.no_sync()
        for part in self.objective.learners if self._shards else ():
            part.set_requires_gradient_sync(last)  # type: ignore[operator]
        return nullcontext()

    def _repeated(self) -> nn.Module:
        alone = self.processes.world == 1 or self._shards
        return self.objective if alone else DistributedDataParallel(self.objective)

    def _loader(self, steps: int) -> DataLoader[Batch]:
        places = _Places(self.turns, self.step, steps)
        workers = self._means.workers
        loader: DataLoader[Any] = DataLoader(
            self.turns.samples,
            batch_sampler=places,
            num_workers=workers,
            collate_fn=stacked,
            pin_memory=self.processes.device.type == "cuda",
            multiprocessing_context="spawn" if workers else None,
            worker_init_fn=_alone if workers else None,
        )
        return loader


class _Places:
    """What a loader asks for: the micro-batches of some steps."""

    def __init__(self, turns: Turns, begin: int, end: int) -> None:
        self._turns, self._begin, self._end = turns, begin, end

    def __iter__(self) -> Iterator[Any]:
        return self._turns.of_steps(self._begin, self._end)

    def __len__(self) -> int:
        return (self._end - self._begin) * self._turns.passes


def _alone(_worker: int) -> None:
    """Compute with one thread: there are as many workers as there should be."""
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
