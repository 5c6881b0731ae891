"""How much memory a training needs and how long it takes, before it starts: counted without a device or weights."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from videomama_server.train.recipe import Recipe
from videomama_server.train.samples import Batch
from videomama_server.train.trainer import Trained, learning

_BYTES = 4  # of a weight, a gradient and each of AdamW's two moments
BUSY = 0.35  # share of its peak that a card reaches in training, as is usual for networks of convolutions
_BUSY_RANGE = (0.2, 0.5)  # what it may be as well
# TFLOP/s of matrix products in bf16 without sparsity, as NVIDIA's data sheets have them; the first that a name holds.
CARDS = {"B200": 2250, "H200": 989, "H100": 989, "A100": 312, "L40S": 362, "RTX 4090": 165}


@dataclass(frozen=True)
class Estimate:
    """What one device needs, and what a run comes to.

    Attributes:
        weights_gb: of all networks.
        learning_gb: gradients, the optimiser's moments and averaged weights.
        activations_gb: the most that one micro-batch needs besides, were everything float32.
        step_tflop: 10^12 multiply-adds times two of a whole step, on all devices together.
    """

    weights_gb: float
    learning_gb: float
    activations_gb: float
    step_tflop: float

    @property
    def memory_gb(self) -> float:
        """All of it, without what the libraries need for themselves."""
        return self.weights_gb + self.learning_gb + self.activations_gb

    def hours(self, steps: int, devices: int, peak_tflops: float, busy: float = BUSY) -> float:
        """Return the hours of a run on devices of a peak, of which the share `busy` is reached."""
        return self.step_tflop * steps / (devices * peak_tflops * busy) / 3600

    def memory_told(self, devices: int) -> str:
        """Return a sentence on memory and work."""
        parts = (
            f"{self.weights_gb:.2f} weights",
            f"{self.learning_gb:.2f} optimiser",
            f"{self.activations_gb:.2f} activations",
        )
        memory = f"{self.memory_gb:.2f} GB a device in float32 ({', '.join(parts)}; bf16 needs less)"
        return f"Estimated: {memory}; {self.step_tflop / devices:.2f} TFLOP a step and device."

    def hours_told(self, recipe: Recipe, devices: int, card: str) -> str:
        """Return a sentence on the hours of a whole run.

        Args:
            recipe: of the run.
            devices: that share the work.
            card: the name of one; another than those of `CARDS` gets the hours of these.
        """
        if recipe.precision != "bf16":
            return "Hours are estimated for bf16 alone. They are measured in the first steps."
        known = [name for name in CARDS if name in card][:1]
        each = [f"{devices} x {name}: {self._range(recipe.steps, devices, CARDS[name])}" for name in known or CARDS]
        shares = f"{BUSY:.0%} of peak, in brackets {_BUSY_RANGE[1]:.0%} to {_BUSY_RANGE[0]:.0%}"
        return f"Estimated hours of {recipe.steps} steps at {shares}: {'; '.join(each)}."

    def _range(self, steps: int, devices: int, peak: float) -> str:
        usual, least, most = (self.hours(steps, devices, peak, busy) for busy in (BUSY, *reversed(_BUSY_RANGE)))
        return f"{usual:.1f} ({least:.1f} to {most:.1f})"


def estimate(objective: Trained, recipe: Recipe) -> Estimate:
    """Count what a step of `objective` does and keeps; nothing is computed, and it is not changed."""
    objective = _without_values(objective)
    learns = sum(parameter.numel() for parameter in learning(objective).values())
    weights = sum(parameter.numel() * parameter.element_size() for parameter in objective.parameters())
    copies = 3 + bool(recipe.ema)
    batch = _batch(recipe)
    counter = _Counter(objective)
    with _fused_attention(), counter:
        torch.autograd.backward(objective(batch)["total"])
    passes = recipe.batch // recipe.micro
    work = counter.flops * passes / 1e12
    return Estimate(weights / 1e9, learns * copies * _BYTES / 1e9, counter.most / 1e9, work)


def _without_values(objective: Trained) -> Trained:
    """Return a copy on torch's `meta` device."""
    memo: dict[int, Any] = {
        id(values): nn.Parameter(values.to("meta"), values.requires_grad) for values in objective.parameters()
    }
    memo |= {id(values): values.to("meta") for values in objective.buffers()}
    return copy.deepcopy(objective, memo)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts work, and the bytes of tensors that are made meanwhile, without weights and their gradients.

    torch's own `FlopCounterMode` is not used beside it: it keeps tensors alive that would be freed.

    Attributes:
        flops: multiply-adds times two.
        most: held at once.
    """

    def __init__(self, objective: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.most = self._now = 0
        self._known: dict[int, int] = {}  # bytes by storage
        for values in (*objective.parameters(), *objective.buffers()):
            self._known[id(values.untyped_storage())] = 0
        for parameter in learning(objective).values():
            parameter.register_post_accumulate_grad_hook(self._set_apart)  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        if func._overloadpacket in flop_registry:
            self.flops += flop_registry[func._overloadpacket](*args, **named, out_val=result)
        for values in tree_leaves(result):
            if isinstance(values, Tensor):
                self._note(values.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        if id(storage) not in self._known:
            self._known[id(storage)] = storage.nbytes()
            self._now += storage.nbytes()
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._forget, id(storage))

    def _forget(self, key: int) -> None:
        self._now -= self._known.pop(key, 0)

    def _set_apart(self, parameter: Tensor) -> None:
        """Count a gradient no longer: it stays, and is counted with the optimiser."""
        assert parameter.grad is not None
        key = id(parameter.grad.untyped_storage())
        self._now -= self._known.get(key, 0)
        self._known[key] = 0


@contextmanager
def _fused_attention() -> Iterator[None]:
    """Compute attention by the kernel that cards have, which keeps no table of all pairs of tokens."""
    usual = functional.scaled_dot_product_attention
    # A mode of torch would not be there when a checkpoint computes again.
    functional.scaled_dot_product_attention = _attention  # type: ignore[assignment]
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = usual


def _attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **_: Any) -> Tensor:
    if attn_mask is not None:
        attn_mask = attn_mask.to(query.dtype).expand(*query.shape[:-1], key.shape[-2])
    found = torch.ops.aten._scaled_dot_product_efficient_attention(query, key, value, attn_mask, True)
    result: Tensor = found[0]
    return result


def _batch(recipe: Recipe) -> Batch:
    shape = (recipe.micro, recipe.frames)
    side = (recipe.size, recipe.size)
    plate, grey = (torch.empty(*shape, channels, *side, device="meta") for channels in (3, 1))
    return Batch(("",) * recipe.micro, tuple(range(recipe.micro)), plate, grey, grey)
