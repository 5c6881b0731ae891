"""What a training step is fed: samples, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """A few frames of a clip. Tensors are float32.

    Attributes:
        name: of the clip and frames, for people.
        seed: of the noise that this sample meets, wherever and in whatever batch it is computed.
        plate: (T, 3, H, W), display-referred, -1..1.
        alpha: (T, 1, H, W), exact, -1..1.
        mask: (T, 1, H, W), made worse, -1..1.
    """

    name: str
    seed: int
    plate: Tensor
    alpha: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Batch:
    """Samples of one size, stacked: (B, T, C, H, W)."""

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    plate: Tensor
    alpha: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the same on a device."""
        plate, alpha, mask = (part.to(device, non_blocking=True) for part in (self.plate, self.alpha, self.mask))
        return Batch(self.names, self.seeds, plate, alpha, mask)


def stacked(samples: Sequence[Sample]) -> Batch:
    """Return samples as one batch."""
    return Batch(
        tuple(sample.name for sample in samples),
        tuple(sample.seed for sample in samples),
        torch.stack([sample.plate for sample in samples]),
        torch.stack([sample.alpha for sample in samples]),
        torch.stack([sample.mask for sample in samples]),
    )


def noise_of(seeds: Sequence[int], purpose: int, shape: Sequence[int]) -> Tensor:
    """Draw normal noise (B, *shape) on the processor, for each sample on its own.

    Args:
        seeds: one for each sample.
        purpose: keeps draws for different purposes apart.
        shape: of one sample's noise.
    """
    drawn = [torch.randn(tuple(shape), generator=_generator(seed, purpose)) for seed in seeds]
    return torch.stack(drawn)


def chance_of(seeds: Sequence[int], purpose: int) -> list[float]:
    """Draw a number in 0..1 for each sample; see `noise_of`."""
    return [float(torch.rand((), generator=_generator(seed, purpose))) for seed in seeds]


def _generator(seed: int, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 4 + purpose) % 2**63)
