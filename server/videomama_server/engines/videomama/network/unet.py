"""The UNet that turns noise and the latents of plate and mask into those of the alpha, in one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from videomama_server.engines.videomama.network.attention import Transformer
from videomama_server.engines.videomama.network.blocks import Feed, SpatioTemporal
from videomama_server.engines.videomama.network.layers import Conv, GroupNorm, Modules, Upsample, gathered
from videomama_server.engines.videomama.network.shape import FRAMES, NetworkShape

_EPS = 1e-5
_FINE_EPS = 1e-6


class Down(nn.Module):
    """A level on the way down; keeps what the way up needs."""

    def __init__(self, inside: int, outside: int, layers: int, heads: int, *, last: bool) -> None:
        super().__init__()
        eps = _FINE_EPS if heads else _EPS
        sizes = [inside] + [outside] * (layers - 1)
        self.resnets: Modules[SpatioTemporal] = Modules(SpatioTemporal(size, outside, eps) for size in sizes)
        self.attentions = nn.ModuleList(Transformer(outside, heads) for _ in sizes) if heads else None
        self.downsampler = None if last else Conv(outside, outside, stride=2)

    def forward(self, x: Tensor, kept: list[Tensor], passes: int | None) -> Tensor:
        """Return the level's result for x (T, h, w, C) and append every layer's to `kept`."""
        for index, block in enumerate(self.resnets):
            x = block(x, passes)
            if self.attentions is not None:
                x = self.attentions[index](x, passes)
            kept.append(x)
        if self.downsampler is not None:
            x = _per_pass(self.downsampler, x, passes)
            kept.append(x)
        return x


class Middle(nn.Module):
    """The coarsest level."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.resnets: Modules[SpatioTemporal] = Modules(SpatioTemporal(channels, channels, _EPS) for _ in range(2))
        self.attentions = nn.ModuleList([Transformer(channels, heads)])

    def forward(self, x: Tensor, passes: int | None) -> Tensor:
        """Return (T, h, w, C) of (T, h, w, C)."""
        first, second = self.resnets
        x = self.attentions[0](first(x, passes), passes)
        result: Tensor = second(x, passes)
        return result


class Up(nn.Module):
    """A level on the way up; `sizes` are the channels that its layers take in, those kept on the way down included."""

    def __init__(self, sizes: list[int], outside: int, heads: int, *, last: bool) -> None:
        super().__init__()
        self.resnets: Modules[SpatioTemporal] = Modules(SpatioTemporal(size, outside, _FINE_EPS) for size in sizes)
        self.attentions = nn.ModuleList(Transformer(outside, heads) for _ in sizes) if heads else None
        self.upsampler = None if last else Upsample(outside)

    def forward(self, x: Tensor, kept: list[Tensor], passes: int | None) -> Tensor:
        """Return the level's result for x (T, h, w, C); takes what it needs off the end of `kept`."""
        for index, block in enumerate(self.resnets):
            x = block.spatial_res_block(_beside(x, kept.pop()), len(x), passes)
            x = block.over(x, passes)
            if self.attentions is not None:
                x = self.attentions[index](x, passes)
        return x if self.upsampler is None else _per_pass(self.upsampler, x, passes)


class Unet(nn.Module):
    """The published UNet at timestep 1, ids 7, 127 and 0 and an empty context, all of which are folded in."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels, heads, levels = shape.channels, shape.heads, len(shape.channels)
        self.conv_in = Conv(shape.inputs, channels[0])
        self.down_blocks = nn.ModuleList(
            Down(
                channels[max(level - 1, 0)],
                channels[level],
                shape.layers[level],
                heads[level] * shape.down_attention[level],
                last=level == levels - 1,
            )
            for level in range(levels)
        )
        self.mid_block = Middle(channels[-1], heads[-1])
        self.up_blocks = nn.ModuleList(
            Up(
                _sizes_up(shape, level),
                channels[level],
                heads[level] * shape.up_attention[levels - 1 - level],
                last=level == 0,
            )
            for level in reversed(range(levels))
        )
        self.conv_norm_out = GroupNorm(channels[0], _EPS)
        self.conv_out = Conv(channels[0], shape.outputs)

    def forward(self, x: Tensor, passes: int | None = None) -> Tensor:
        """Return the alpha's latents (T, 4, h, w) in scaled space for one window.

        Args:
            x: (T, 12, h, w): noise, plate and mask latents; T up to 25, h and w multiples of 8.
            passes: frames that per-frame operations work on at once; None is all.

        Raises:
            ValueError: the window is too long, or its pictures have the wrong size.
        """
        step = 2 ** (len(self.down_blocks) - 1)
        if not 1 <= len(x) <= FRAMES:
            raise ValueError(f"a window has 1 to {FRAMES} frames, not {len(x)}")
        if x.shape[2] % step or x.shape[3] % step:
            raise ValueError(f"latents of {x.shape[3]} x {x.shape[2]} are no multiple of {step}")
        y = _per_pass(self.conv_in, x.permute(0, 2, 3, 1), passes)
        kept = [y]
        for down in self.down_blocks:
            y = down(y, kept, passes)
        y = self.mid_block(y, passes)
        for up in self.up_blocks:
            y = up(y, kept, passes)
        y = gathered(lambda span: self.conv_out(self.conv_norm_out.activated(y[span])), len(y), passes)
        return y.permute(0, 3, 1, 2).contiguous()


def _sizes_up(shape: NetworkShape, level: int) -> list[int]:
    """Return the channels that the layers of a level take in on the way up."""
    channels = shape.channels
    below, here, above = channels[min(level + 1, len(channels) - 1)], channels[level], channels[max(level - 1, 0)]
    return [below + here] + [2 * here] * (shape.layers[level] - 1) + [here + above]


def _beside(x: Tensor, kept: Tensor) -> Feed:
    return lambda span: torch.cat((x[span], kept[span]), dim=-1)


def _per_pass(layer: Conv, x: Tensor, passes: int | None) -> Tensor:
    ready = layer.at(x.dtype)
    return gathered(lambda span: ready(x[span]), len(x), passes)
