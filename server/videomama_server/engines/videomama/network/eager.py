"""The steps of `fused` with torch's own kernels: a CPU in parts that stay in its cache, a card in few launches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from videomama_server.engines.videomama.network.shape import GROUPS

_CACHED_NUMBERS = 1 << 18  # of 4 bytes: what a core's share of a cache holds
_CARD_NUMBERS = 1 << 26  # whose moments are taken at once elsewhere, as float32: few launches, and 256 MB at most


def spans(count: int, size: int | None) -> Iterator[slice]:
    """Yield slices that cover 0..count in order, each of `size` at most (None: all at once).

    Raises:
        ValueError: size is less than 1.
    """
    if size is not None and size < 1:
        raise ValueError(f"cannot work on {size} frames at a time")
    step = max(1, count) if size is None else size
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def cached_pixels(channels: int) -> int:
    """Return how many pixels a CPU works on at a time, so that they stay in its cache."""
    return max(1, _CACHED_NUMBERS // channels)


def channel_moments(x: Tensor) -> Tensor:
    """Return what `fused.channel_moments` does."""
    frames, pixels, channels = x.shape
    slices = list(spans(pixels, _slice_pixels(x)))
    found = x.new_empty((frames, len(slices), 2, channels), dtype=torch.float32)
    at_once = _frames_at_once(x, slices[0].stop)
    wide = _channels_at_once(x, slices[0].stop)
    for span, (index, part), some in product(spans(frames, at_once), enumerate(slices), spans(channels, wide)):
        found[span, index, :, some] = _moments(x[span, part, some])
    return found


def _moments(x: Tensor) -> Tensor:
    """Return mean and sum of squares around it (F, 2, C) of pixels (F, P, C).

    Around a pixel first: a mask is flat, and what its rim adds would be lost among squares of large numbers.
    """
    pivot = x[:, :1].float()
    apart = x - pivot
    middle = apart.mean(dim=1)
    spread = apart.sub_(middle[:, None]).square_().sum(dim=1)
    return torch.stack((pivot[:, 0] + middle, spread), dim=1)


def norm_lines(moments: Tensor, pixels: int, weight: Tensor, bias: Tensor, eps: float, reach: int | None) -> Tensor:
    """Return what `fused.norm_lines` does."""
    mean, variance = pooled(group_moments(moments, pixels), reach)
    scale = weight.float() * torch.rsqrt(variance + eps).repeat_interleave(len(weight) // GROUPS, dim=-1)
    return torch.stack((scale, bias.float() - mean.repeat_interleave(len(weight) // GROUPS, dim=-1) * scale))


def group_moments(moments: Tensor, pixels: int) -> Tensor:
    """Return mean and variance (2, N, groups), float32, of each group of channels of each frame."""
    frames, slices, _, channels = moments.shape
    exact = torch.float64 if moments.is_cpu else torch.float32
    mean, spread = moments.to(exact).view(frames, slices, 2, GROUPS, -1).unbind(2)
    size = cached_pixels(channels) if moments.is_cpu else pixels
    counts = (pixels - size * torch.arange(slices, device=moments.device)).clamp(max=size).to(exact)[:, None, None]
    numbers = pixels * (channels // GROUPS)
    middle = (mean * counts).sum(dim=(1, 3)) / numbers
    around = spread + (mean - middle[:, None, :, None]) ** 2 * counts
    return torch.stack((middle, around.sum(dim=(1, 3)) / numbers)).float()


def pooled(moments: Tensor, reach: int | None) -> Tensor:
    """Return the moments (2, T, groups) of the frames t-reach..t+reach together, clipped to the window, for each t.

    None: of the whole window. Equal counts merged after Chan, Golub and LeVeque, Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances, 1979.
    """
    frames = moments.shape[1]
    if reach == 0 or frames == 1:
        return moments
    time = torch.arange(frames, device=moments.device)
    near = (time[:, None] - time).abs() <= (frames if reach is None else reach)
    share = near / near.sum(dim=1, keepdim=True)
    mean, variance = moments
    middle = share @ mean
    spread = (share[:, :, None] * (mean - middle[:, None]) ** 2).sum(dim=1)
    return torch.stack((middle, share @ variance + spread))


def apply_lines(x: Tensor, lines: Tensor, onto: Tensor, *, silu: bool) -> None:
    """Do what `fused.apply_lines` does."""
    scale, shift = lines[:, :, None]
    if not x.is_cpu:
        _apply(x, scale, shift, onto, silu=silu)
        return
    parts = list(spans(x.shape[1], cached_pixels(x.shape[2])))
    for span, part in product(spans(len(x), _frames_at_once(x, parts[0].stop)), parts):
        _apply(x[span, part], scale[span], shift[span], onto[span, part], silu=silu)


def _apply(x: Tensor, scale: Tensor, shift: Tensor, onto: Tensor, *, silu: bool) -> None:
    if x.is_cpu and x.dtype != torch.float32:  # rounded once, and quicker than formats mixed in one step
        wide = torch.addcmul(shift, x.float(), scale)
        onto.copy_(functional.silu(wide, inplace=True) if silu else wide)
        return
    torch.addcmul(shift, x, scale, out=onto)
    if silu:
        functional.silu(onto, inplace=True)


def gated(x: Tensor) -> Tensor:
    """Return what `fused.gated` does."""
    kept, gate = x.chunk(2, dim=-1)
    return functional.gelu(gate).mul_(kept)


def added_norm(x: Tensor, added: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Do and return what `fused.added_norm` does."""
    x += added
    return functional.layer_norm(x, weight.shape, weight, bias, eps=1e-5)


def _slice_pixels(x: Tensor) -> int:
    return cached_pixels(x.shape[2]) if x.is_cpu else x.shape[1]


def _channels_at_once(x: Tensor, pixels: int) -> int:
    """Return of how many channels the moments of so many pixels of a frame are taken at a time."""
    return x.shape[2] if x.is_cpu else max(1, min(x.shape[2], _CARD_NUMBERS // pixels))


def _frames_at_once(x: Tensor, pixels: int) -> int:
    """Return of how many frames so many pixels are worked on at a time."""
    return max(1, (_CACHED_NUMBERS if x.is_cpu else _CARD_NUMBERS) // (pixels * x.shape[2]))
