"""The layers that the networks are made of: weights in the order they are used in, cast to the activations' dtype.

Activations are (N, h, w, C) throughout, contiguous: a 1 x 1 convolution is then a matrix product, and every
3 x 3 one gets the memory format that convolutions are fastest in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from videomama_server.engines.videomama.network.fusing import activation
from videomama_server.engines.videomama.network.shape import GROUPS

Layer = Callable[[Tensor], Tensor]
_CACHED_NUMBERS = 1 << 18  # of 4 bytes: what a core's share of a cache holds
_TINY = 1e-12  # variance
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Modules(nn.ModuleList, Generic[ModuleT]):
    """A list of modules of one kind."""

    def __iter__(self) -> Iterator[ModuleT]:
        return cast("Iterator[ModuleT]", super().__iter__())


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


def gathered(feed: Callable[[slice], Tensor], count: int, size: int | None, onto: Tensor | None = None) -> Tensor:
    """Return what `feed` makes of 0..count, `size` at a time, as one tensor; written to `onto` where that is given.

    `onto` may be what `feed` reads from, provided that it reads no further than the slice it is asked for.
    """
    for span in spans(count, size):
        made = feed(span)
        if onto is None and len(made) == count:
            return made
        if onto is None:
            onto = made.new_empty((count, *made.shape[1:]))
        onto[span] = made
        del made
    if onto is None:
        raise ValueError("there are no frames")
    return onto


def parameter(*size: int) -> nn.Parameter:
    """Return a parameter of this size that is not trained."""
    return nn.Parameter(torch.empty(size), requires_grad=False)


class Dense(nn.Module):
    """A matrix product over the last axis; weight (out, in)."""

    def __init__(self, inside: int, outside: int, *, biased: bool = True) -> None:
        super().__init__()
        self.weight = parameter(outside, inside)
        self.bias = parameter(outside) if biased else None

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in)."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return functional.linear(x, self.weight.to(x.dtype), bias)


class Conv(nn.Module):
    """A convolution of pictures; weight (out, size, size, in)."""

    def __init__(self, inside: int, outside: int, size: int = 3, stride: int = 1, padding: int = 1) -> None:
        super().__init__()
        self.weight = parameter(outside, size, size, inside)
        self.bias = parameter(outside)
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, h', w', out) of (N, h, w, in)."""
        return self.at(x.dtype)(x)

    def at(self, dtype: torch.dtype) -> Layer:
        """Return the layer with its weights cast once, to be used several times."""
        weight = self.weight.to(dtype).permute(0, 3, 1, 2)
        return partial(_convolved, weight=weight, bias=self.bias.to(dtype), stride=self.stride, padding=self.padding)


def _convolved(x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    picture = functional.conv2d(x.permute(0, 3, 1, 2), weight, bias, stride=stride, padding=padding)
    return picture.permute(0, 2, 3, 1).contiguous()


class Downsample(Conv):
    """Halves pictures by a 3 x 3 convolution that starts on the first pixel: padded at the far sides only."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, h/2, w/2, C) of (N, h, w, C)."""
        return super().forward(functional.pad(x, (0, 0, 0, 1, 0, 1)))


class Upsample(Conv):
    """Doubles pictures: nearest neighbour and a 3 x 3 convolution, as one 2 x 2 convolution per pixel of four.

    Of the three taps in a row two always fall on the same pixel of the small picture. `folding` adds their weights,
    which leaves 4 products of 9. Weight (4 * out, 2, 2, in), the four pixels of a square in reading order.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 4 * channels, size=2)

    def at(self, dtype: torch.dtype) -> Layer:
        """Return the layer with its weights cast once: (N, h, w, C) to (N, 2h, 2w, C)."""
        quarters = super().at(dtype)
        return lambda x: _interleaved(quarters(x))


def _interleaved(quarters: Tensor) -> Tensor:
    """Return (N, 2h, 2w, C) of (N, h+1, w+1, 4C): quarter (a, b) is the pixels (2y+a, 2x+b), found at (y+a, x+b)."""
    count, height, width, channels = quarters.shape
    height, width = height - 1, width - 1
    square = quarters.view(*quarters.shape[:-1], 2, 2, channels // 4)
    picture = quarters.new_empty((count, height, 2, width, 2, channels // 4))
    for a in range(2):
        for b in range(2):
            picture[:, :, a, :, b] = square[:, a : a + height, b : b + width, a, b]
    return picture.view(count, 2 * height, 2 * width, channels // 4)


class Normed(nn.Module):
    """Layer norm over channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = parameter(channels)
        self.bias = parameter(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., C) of (..., C)."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return functional.layer_norm(x, weight.shape, weight, bias, eps=1e-5)


class GroupNorm(nn.Module):
    """Group norm of 32 groups; of each frame by its own statistics, or by given ones."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        if channels % GROUPS:
            raise ValueError(f"{channels} channels are no multiple of {GROUPS}")
        self.weight = parameter(channels)
        self.bias = parameter(channels)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, h, w, C), each frame normalised on its own."""
        return apply_lines(x, self.lines(moments_of(x)), torch.empty_like(x), silu=False)

    def activated(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """Return silu(norm(x)), each frame normalised on its own; `onto` may be x itself."""
        return apply_lines(x, self.lines(moments_of(x)), torch.empty_like(x) if onto is None else onto, silu=True)

    def lines(self, moments: Tensor) -> Tensor:
        """Return scale and shift (2, N, 1, C), float32, that normalise frames of these moments (2, N, groups)."""
        mean, variance = moments.repeat_interleave(self.weight.numel() // GROUPS, dim=-1)[:, :, None]
        scale = self.weight.float() * torch.rsqrt(variance + self.eps)
        return torch.stack((scale, self.bias.float() - mean * scale))


def apply_lines(x: Tensor, lines: Tensor, onto: Tensor, *, silu: bool) -> Tensor:
    """Write x * scale + shift of frames (N, ..., C) and lines (2, N, 1, C) to `onto` (x itself, perhaps); return it."""
    scale, shift = lines
    if x.device.type != "cpu":
        shaped = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        scale, shift = scale.view(shaped), shift.view(shaped)
        return activation(x, scale, shift, onto) if silu else torch.addcmul(shift, x, scale, out=onto)
    flat, out = x.flatten(1, -2), onto.view(len(x), -1, x.shape[-1])
    for frame in range(len(x)):
        for span in spans(flat.shape[1], _cached_pixels(x.shape[-1])):
            step = (flat[frame, span], scale[frame], shift[frame], out[frame, span])
            if silu:
                activation(*step)
            else:
                torch.addcmul(step[2], step[0], step[1], out=step[3])
    return onto


def _cached_pixels(channels: int) -> int:
    """Return how many pixels a CPU works on at a time, so that they stay in its cache."""
    return max(1, _CACHED_NUMBERS // channels)


def moments_of(x: Tensor) -> Tensor:
    """Return mean and variance (2, N, groups), float32, of each group of channels of each frame (N, h, w, C).

    By the moments of channels, which batch norm's kernels find in memory order. A CPU's add up one number after
    the other, which a flat mask does not forgive in float32: it is given parts of a frame in float64. The parts
    are merged as in `pooled`.
    """
    flat = x.flatten(1, -2)
    if x.device.type == "cpu":
        parts = list(spans(flat.shape[1], _cached_pixels(x.shape[-1])))
        found = torch.stack([_channel_moments(flat[frame, part]) for frame in range(len(x)) for part in parts])
        sizes = torch.tensor([part.stop - part.start for part in parts], dtype=torch.float64)
    else:
        found = torch.stack([_channel_moments(frame) for frame in flat])
        sizes = torch.ones(1, device=x.device)
    mean, variance = found.view(len(x), len(sizes), 2, GROUPS, -1).unbind(2)
    share = (sizes / sizes.sum())[:, None]
    middle = (mean.mean(dim=-1) * share).sum(dim=1)
    spread = (variance + (mean - middle[:, None, :, None]) ** 2).mean(dim=-1)
    return torch.stack((middle, (spread * share).sum(dim=1))).float()


def _channel_moments(pixels: Tensor) -> Tensor:
    """Return mean and variance (2, C), float64 on a CPU, else float32, of each channel of (P, C)."""
    picture = pixels.T[None, :, :, None]
    if pixels.device.type == "cpu":
        return torch.stack(torch.batch_norm_update_stats(picture.double(), None, None, 0.0))
    if pixels.device.type == "cuda":
        mean, inverse = torch.batch_norm_stats(picture, _TINY)
        return torch.stack((mean, inverse**-2 - _TINY))
    variance, mean = torch.var_mean(pixels, dim=0, correction=0)
    return torch.stack((mean, variance)).float()


def pooled(moments: Tensor, reach: int | None) -> Tensor:
    """Return the moments (2, T, groups) of the frames t-reach..t+reach together, clipped to the window, for each t.

    None: of the whole window. Equal counts merged after Chan, Golub and LeVeque, Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances, 1979.

    Raises:
        ValueError: reach is negative.
    """
    frames = moments.shape[1]
    if reach is not None and reach < 0:
        raise ValueError(f"a reach of {reach} frames is negative")
    time = torch.arange(frames, device=moments.device)
    near = (time[:, None] - time).abs() <= (frames if reach is None else reach)
    share = near / near.sum(dim=1, keepdim=True)
    mean, variance = moments
    middle = share @ mean
    spread = (share[:, :, None] * (mean - middle[:, None]) ** 2).sum(dim=1)
    return torch.stack((middle, share @ variance + spread))


class TimeConv(nn.Module):
    """A convolution over three frames at every pixel; weight (3, out, in), the tap of the frame before first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = parameter(3, channels, channels)
        self.bias = parameter(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (T, P, C) of frames (T, P, C), contiguous; those before the first and after the last count as zero."""
        return self.at(x.dtype)(x)

    def at(self, dtype: torch.dtype) -> Layer:
        """Return the layer with its weights cast once, to be used several times."""
        return partial(_over_time, weight=self.weight.to(dtype), bias=self.bias.to(dtype))


def _over_time(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    before, same, after = weight.transpose(1, 2)
    frames, pixels, channels = x.shape
    rows = x.view(-1, channels)
    result = torch.addmm(bias, rows, same)
    if frames > 1:
        result[pixels:].addmm_(rows[:-pixels], before)
        result[:-pixels].addmm_(rows[pixels:], after)
    return result.view(x.shape)


def pixels_at_once(x: Tensor, passes: int | None) -> int:
    """Return for how many pixels of all frames (T, P, C) as much memory is needed as for `passes` whole frames.

    On a CPU fewer: as many as stay in its cache.
    """
    frames, pixels, channels = x.shape
    allowed = pixels if passes is None else max(1, pixels * passes // frames)
    if x.device.type == "cpu":
        return min(allowed, max(1, _cached_pixels(channels) // frames))
    return allowed
