"""Residual blocks in space and in time, run over a few frames at once so that little memory is used."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from videomama_server.engines.videomama.network import fused
from videomama_server.engines.videomama.network.eager import spans
from videomama_server.engines.videomama.network.layers import (
    Conv,
    GroupNorm,
    Layer,
    TimeConv,
    gathered,
    parameter,
    pixels_at_once,
)

Feed = Callable[[slice], Tensor]  # frames of a window, (n, h, w, C), made when they are asked for


class SpatialBlock(nn.Module):
    """A residual block of each frame on its own; the bias of its shortcut is in that of its last convolution."""

    def __init__(self, inside: int, outside: int, eps: float) -> None:
        super().__init__()
        self.norm1 = GroupNorm(inside, eps)
        self.conv1 = Conv(inside, outside)
        self.norm2 = GroupNorm(outside, eps)
        self.conv2 = Conv(outside, outside)
        self.shortcut = parameter(outside, inside) if inside != outside else None

    def forward(self, feed: Feed, frames: int, passes: int | None, onto: Tensor | None = None) -> Tensor:
        """Return (T, h, w, out) of the frames 0..T that `feed` makes, `passes` of them at a time. See `gathered`."""
        ready: list[Layer] = []

        def step(span: slice) -> Tensor:
            x = feed(span)
            if not ready:  # cast once, however many passes
                ready.extend((self.conv1.at(x.dtype), self.conv2.at(x.dtype)))
            conv1, conv2 = ready
            y = conv1(self.norm1.activated(x))
            return self._added(x, conv2(self.norm2.activated(y, onto=y)))

        return gathered(step, frames, passes, onto)

    def _added(self, x: Tensor, y: Tensor) -> Tensor:
        if self.shortcut is None:
            return y.add_(x)
        y.view(-1, y.shape[-1]).addmm_(x.reshape(-1, x.shape[-1]), self.shortcut.to(x.dtype).T)
        return y


class TemporalBlock(nn.Module):
    """A residual block over time at every pixel, normalised over all frames of a window, or near ones."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.norm1 = GroupNorm(channels, eps)
        self.conv1 = TimeConv(channels)
        self.norm2 = GroupNorm(channels, eps)
        self.conv2 = TimeConv(channels)

    def forward(self, x: Tensor, passes: int | None, reach: int | None) -> Tensor:
        """Return x (T, h, w, C), to which the block has been applied in place."""
        flat = x.view(len(x), -1, x.shape[-1])
        size = pixels_at_once(flat, passes)
        first, second = self.conv1.at(x.dtype), self.conv2.at(x.dtype)
        y = _each_part(first, flat, self.norm1.lines(flat, reach), size)
        lines = self.norm2.lines(y, reach)
        for span in spans(flat.shape[1], size):
            flat[:, span].add_(second(_activated(y[:, span], lines)))
        return x


def _each_part(conv: Layer, x: Tensor, lines: Tensor, size: int) -> Tensor:
    """Return the convolution of what x (T, P, C) is activated to, so many pixels at a time."""
    if size >= x.shape[1]:
        return conv(_activated(x, lines))
    y = torch.empty_like(x)
    for span in spans(x.shape[1], size):
        y[:, span] = conv(_activated(x[:, span], lines))
    return y


def _activated(x: Tensor, lines: Tensor) -> Tensor:
    return fused.apply_lines(x, lines, x.new_empty(x.shape), silu=True)


class SpatioTemporal(nn.Module):
    """A spatial block and, on its result, a temporal one; their mixing is folded into the temporal one's weights."""

    def __init__(self, inside: int, outside: int, eps: float, temporal_eps: float | None = None) -> None:
        super().__init__()
        self.spatial_res_block = SpatialBlock(inside, outside, eps)
        self.temporal_res_block = TemporalBlock(outside, eps if temporal_eps is None else temporal_eps)

    @property
    def keeps_size(self) -> bool:
        """Whether there are as many channels out as in, so that the result may be written over what is taken in."""
        return self.spatial_res_block.shortcut is None

    def forward(self, x: Tensor, passes: int | None, reach: int | None = None) -> Tensor:
        """Return (T, h, w, out) of x (T, h, w, in), which is left as it is."""
        return self.over(self.spatial_res_block(x.__getitem__, len(x), passes), passes, reach)

    def over(self, x: Tensor, passes: int | None, reach: int | None = None) -> Tensor:
        """Return x (T, h, w, out), the spatial block's result, to which the temporal block has been applied in place.

        A caller that wants what it fed to the spatial block freed by then calls the two one after the other.
        """
        result: Tensor = self.temporal_res_block(x, passes, reach)
        return result
