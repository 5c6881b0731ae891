"""The noise that the model starts from: keyed by absolute frame, or drawn as the published inference draws it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from blake3 import blake3
from torch import Tensor


def keyed(seed: int, frames: Sequence[int], size: tuple[int, int]) -> Tensor:
    """Return noise (T, 4, h, w), float32: that of a frame is the same in every window and every job.

    Args:
        seed: from the settings.
        frames: absolute frame numbers.
        size: (h, w) in latent pixels.
    """
    return torch.stack([_drawn(_key(seed, frame), (4, *size)) for frame in frames])


def published(seed: int, frames: int, size: tuple[int, int]) -> Tensor:
    """Return noise (T, 4, h, w), float32, from one generator per window."""
    return _drawn(seed, (frames, 4, *size))


def published_on(device: torch.device, seed: int, frames: int, size: tuple[int, int]) -> Tensor:
    """Return noise (T, 4, h, w), float32, on the host, as it is published: drawn in fp16 on the device."""
    generator = torch.Generator(device).manual_seed(seed)
    drawn = torch.randn((frames, 4, *size), generator=generator, device=device, dtype=torch.float16)
    return drawn.to("cpu", torch.float32)


def posterior(seed: int, pictures: int, size: tuple[int, int]) -> Tensor:
    """Return what the posterior of each picture is sampled with, (N, 4, h, w), float32, plates first, then masks.

    The published inference samples from the global generator, which nobody seeds; a generator of its own makes
    it repeatable.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randn((4, *size), generator=generator) for _ in range(pictures)])


def _drawn(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Draw on the CPU, so that every device starts from the same."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _key(seed: int, frame: int) -> int:
    return int.from_bytes(blake3(f"{seed}/{frame}".encode()).digest(length=8), "little") >> 1
