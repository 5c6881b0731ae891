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

from videomama_server.engines.videomama.network import fused
from videomama_server.engines.videomama.network.eager import cached_pixels, spans
from videomama_server.engines.videomama.network.shape import GROUPS

Layer = Callable[[Tensor], Tensor]
_CACHES = 4  # of a core that a convolution over time works on at a time; measured
_TENSOR_CORE_CHANNELS = 8  # that formats of 16 bits are read by
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Modules(nn.ModuleList, Generic[ModuleT]):
    """A list of modules of one kind."""

    def __iter__(self) -> Iterator[ModuleT]:
        return cast("Iterator[ModuleT]", super().__iter__())


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
        outside, _, _, inside = self.weight.shape
        more_in, more_out = self._missing(inside, dtype), self._missing(outside, dtype)
        if inside == 1:  # a picture of one channel has no order, so convolutions would take and give any
            more_in = _TENSOR_CORE_CHANNELS - 1
        weight, bias = self.weight.to(dtype), self.bias.to(dtype)
        if more_in or more_out:
            weight = functional.pad(weight, (0, more_in, 0, 0, 0, 0, 0, more_out))
            bias = functional.pad(bias, (0, more_out))
        weight = weight.permute(0, 3, 1, 2)
        ready = partial(_convolved, weight=weight, bias=bias, stride=self.stride, padding=self.padding)
        if more_in or more_out:
            return lambda x: ready(functional.pad(x, (0, more_in)) if more_in else x)[..., :outside]
        return ready

    def _missing(self, channels: int, dtype: torch.dtype) -> int:
        """Return how many channels are added so that a card's tensor cores take a convolution."""
        return 0 if self.weight.is_cpu or dtype == torch.float32 else -channels % _TENSOR_CORE_CHANNELS


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
    count, rows, columns, channels = quarters.shape
    inner = channels // 4
    picture, row, pixel, _ = quarters.stride()
    squares = quarters.as_strided(
        (count, rows - 1, 2, columns - 1, 2, inner), (picture, row, row + 2 * inner, pixel, pixel + inner, 1)
    )
    return squares.reshape(count, 2 * rows - 2, 2 * columns - 2, inner)


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

    def added(self, x: Tensor, added: Tensor) -> Tensor:
        """Add to x (..., C) in place and return its norm."""
        return fused.added_norm(x, added, self.weight.to(x.dtype), self.bias.to(x.dtype))


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
        flat = x.flatten(1, -2)
        return fused.apply_lines(flat, self.lines(flat, 0), torch.empty_like(flat), silu=False).view(x.shape)

    def activated(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """Return silu(norm(x)), each frame normalised on its own; `onto` may be x itself."""
        onto = torch.empty_like(x) if onto is None else onto
        flat = x.flatten(1, -2)
        fused.apply_lines(flat, self.lines(flat, 0), onto.view(flat.shape), silu=True)
        return onto

    def lines(self, x: Tensor, reach: int | None) -> Tensor:
        """Return scale and shift (2, N, C), float32, that normalise frames (N, P, C); see `fused.norm_lines`."""
        moments = fused.channel_moments(x)
        return fused.norm_lines(moments, x.shape[1], self.weight, self.bias, self.eps, reach)


class TimeConv(nn.Module):
    """A convolution over three frames at every pixel: one of 3 x 1 over (frames, pixels); weight (out, 3, in)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = parameter(channels, 3, channels)
        self.bias = parameter(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (T, P, C) of frames (T, P, C), contiguous; those before the first and after the last count as zero."""
        return self.at(x.dtype)(x)

    def at(self, dtype: torch.dtype) -> Layer:
        """Return the layer with its weights cast once, to be used several times."""
        return partial(_over_time, weight=self.weight.to(dtype)[:, :, None], bias=self.bias.to(dtype))


def _over_time(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    film = functional.conv2d(x[None].permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2), bias, padding=(1, 0))
    return film.permute(0, 2, 3, 1)[0].contiguous()


def pixels_at_once(x: Tensor, passes: int | None) -> int:
    """Return for how many pixels of all frames (T, P, C) as much memory is needed as for `passes` whole frames.

    On a CPU fewer: some times what stays in a core's cache, so that the order of weights is not made for too few.
    """
    frames, pixels, channels = x.shape
    allowed = pixels if passes is None else max(1, pixels * passes // frames)
    if x.device.type == "cpu":
        return min(allowed, max(1, _CACHES * cached_pixels(channels) // frames))
    return allowed
