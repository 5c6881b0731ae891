"""What an alpha is held against its truth by; all sums in float32, whatever the network computes in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

LEVELS = 5
_REACH = 2  # pixels that the kernel reaches to each side
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)


@dataclass(frozen=True)
class Weights:
    """How much each part of the loss counts; the published sum has the alignment twice, by mistake."""

    l1: float = 1.0
    laplacian: float = 15.0
    alignment: float = 1.0

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of parts by name, each a scalar."""
        nothing = torch.zeros((), device=next(iter(parts.values())).device)
        return sum((getattr(self, name) * part for name, part in parts.items()), nothing)


def l1(pred: Tensor, truth: Tensor) -> Tensor:
    """Return the mean absolute difference of two batches of equal shape, a float32 scalar."""
    return (pred.float() - truth.float()).abs().mean()


def laplacian(pred: Tensor, truth: Tensor, levels: int = LEVELS) -> Tensor:
    """Return the sum over the levels of a Laplacian pyramid of mean absolute differences, a float32 scalar.

    Levels weigh the same, and what is left at the coarsest counts for nothing: `l1` sees it. Reduction and
    enlargement are by two, with a 5x5 binomial kernel and mirrored edges (Burt and Adelson, 1983).

    Args:
        pred, truth: (N, 1, H, W), H and W at least 3 x 2^(levels - 1).
        levels: how many.
    """
    with _in_float32(pred.device.type):
        current = pred.float() - truth.float()  # a pyramid is linear: that of the difference is the difference of both
        total = current.new_zeros(())
        for _ in range(levels):
            smaller = _blurred(current)[..., ::2, ::2]
            total = total + (current - _enlarged(smaller, current)).abs().mean()
            current = smaller
        return total


def _in_float32(device: str) -> AbstractContextManager[object]:
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def _enlarged(smaller: Tensor, like: Tensor) -> Tensor:
    spread = torch.zeros_like(like)
    spread[..., ::2, ::2] = smaller
    return 4 * _blurred(spread)


def _blurred(picture: Tensor) -> Tensor:
    line = torch.tensor(_BINOMIAL, device=picture.device) / 16
    kernel = torch.outer(line, line)[None, None]
    return functional.conv2d(functional.pad(picture, (_REACH,) * 4, mode="reflect"), kernel)
