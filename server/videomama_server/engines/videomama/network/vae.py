"""The VAE: its encoder, frame by frame, and its temporal decoder, a group of frames at a time."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from videomama_server.engines.videomama.network.attention import PictureAttention
from videomama_server.engines.videomama.network.blocks import Feed, SpatialBlock, SpatioTemporal
from videomama_server.engines.videomama.network.layers import (
    Conv,
    Downsample,
    GroupNorm,
    Layer,
    Modules,
    TimeConv,
    Upsample,
    gathered,
)
from videomama_server.engines.videomama.network.shape import NetworkShape

_EPS = 1e-6
_TEMPORAL_EPS = 1e-5


class Encoder(nn.Module):
    """Pictures to the moments of their latents: mean and log variance, not scaled."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels, levels = shape.vae_channels, len(shape.vae_channels)
        self.conv_in = Conv(3, channels[0])
        self.conv_in_mask = Conv(1, channels[0])
        self.down_blocks = nn.ModuleList(
            _EncoderLevel(channels[max(level - 1, 0)], channels[level], shape.vae_layers, last=level == levels - 1)
            for level in range(levels)
        )
        self.mid_resnets = nn.ModuleList(SpatialBlock(channels[-1], channels[-1], _EPS) for _ in range(2))
        self.mid_attention = PictureAttention(channels[-1])
        self.conv_norm_out = GroupNorm(channels[-1], _EPS)
        self.conv_out = Conv(channels[-1], 2 * shape.latents)

    def plate(self, x: Tensor) -> Tensor:
        """Return the moments (N, 8, H/8, W/8) of plates (N, 3, H, W), -1..1."""
        return self._rest(self.conv_in(_last(x)))

    def mask(self, m: Tensor) -> Tensor:
        """Return the moments (N, 8, H/8, W/8) of masks (N, 1, H, W), -1..1, as of plates of three equal channels."""
        return self._rest(self.conv_in_mask(_last(m)))

    def _rest(self, x: Tensor) -> Tensor:
        for down in self.down_blocks:
            x = down(x)
        first, second = self.mid_resnets
        x = self.mid_attention(first(x.__getitem__, len(x), None))
        x = second(x.__getitem__, len(x), None)
        return _first(self.conv_out(self.conv_norm_out.activated(x)))


class _EncoderLevel(nn.Module):
    def __init__(self, inside: int, outside: int, layers: int, *, last: bool) -> None:
        super().__init__()
        sizes = [inside] + [outside] * (layers - 1)
        self.resnets = nn.ModuleList(SpatialBlock(size, outside, _EPS) for size in sizes)
        self.downsampler = None if last else Downsample(outside)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.resnets:
            x = block(x.__getitem__, len(x), None)
        return x if self.downsampler is None else self.downsampler(x)


class Decoder(nn.Module):
    """Latents to pictures, a group of frames at a time."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels = shape.vae_channels
        self.conv_in = Conv(shape.latents, channels[-1])
        self.mid_resnets: Modules[SpatioTemporal] = Modules(
            SpatioTemporal(channels[-1], channels[-1], _EPS, _TEMPORAL_EPS) for _ in range(min(shape.vae_layers, 2))
        )
        self.mid_attention = PictureAttention(channels[-1]) if shape.vae_layers > 1 else None
        coarse_first = [channels[-1], *reversed(channels)]
        self.up_blocks: Modules[_DecoderLevel] = Modules(
            _DecoderLevel(inside, outside, shape.vae_layers + 1, first=level == 0)
            for level, (inside, outside) in enumerate(pairwise(coarse_first))
        )
        self.conv_norm_out = GroupNorm(channels[0], _EPS)
        self.rgb_out = _ColourEnding(channels[0])
        self.grey_out = Conv(channels[0], 3)

    def rgb(self, z: Tensor, passes: int | None = None, reach: int | None = None) -> Tensor:
        """Return pictures (T, 3, H, W), about -1..1, of unscaled latents (T, 4, h, w). See `grey`."""
        return _first(self.rgb_out(self._ending(z, passes, reach), len(z), passes))

    def grey(self, z: Tensor, passes: int | None = None, reach: int | None = None) -> Tensor:
        """Return the mean of the channels (T, 1, H, W), about -1..1, not clamped.

        Args:
            z: (T, 4, h, w), latents divided by their scaling.
            passes: frames that per-frame operations work on at once; None is all.
            reach: statistics in time are taken over the frames t-reach..t+reach; None: over all, as published.
        """
        ready = self.grey_out.at(z.dtype)
        feed = self._ending(z, passes, reach)
        before, same, after = gathered(lambda span: ready(feed(span)), len(z), passes).unbind(-1)
        same = same.clone()
        same[1:] += before[:-1]
        same[:-1] += after[1:]
        return same[:, None]

    def _ending(self, z: Tensor, passes: int | None, reach: int | None) -> Feed:
        """Return the frames that the last convolution takes in."""
        latents, ready = _last(z), self.conv_in.at(z.dtype)
        x = gathered(lambda span: ready(latents[span]), len(z), passes)
        for index, block in enumerate(self.mid_resnets):
            if index and self.mid_attention is not None:
                x = self.mid_attention(x, passes)
            x = block.spatial_res_block(x.__getitem__, len(z), passes, x)
            x = block.over(x, passes, reach)
        for level in self.up_blocks:
            for index, block in enumerate(level.resnets):
                upsampler = level.upsampler if index == 0 else None
                onto = x if upsampler is None and block.keeps_size else None
                x = block.spatial_res_block(_enlarged(x, upsampler), len(z), passes, onto)
                x = block.over(x, passes, reach)
        return lambda span: self.conv_norm_out.activated(x[span])


class _DecoderLevel(nn.Module):
    """A level of the decoder, with the upsampler that leads to it; the decoder goes through its layers itself."""

    def __init__(self, inside: int, outside: int, layers: int, *, first: bool) -> None:
        super().__init__()
        self.upsampler = None if first else Upsample(inside)
        sizes = [inside] + [outside] * (layers - 1)
        self.resnets: Modules[SpatioTemporal] = Modules(
            SpatioTemporal(size, outside, _EPS, _TEMPORAL_EPS) for size in sizes
        )


class _ColourEnding(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Conv(channels, 3)
        self.time = TimeConv(3)

    def forward(self, feed: Feed, frames: int, passes: int | None) -> Tensor:
        ready: list[Layer] = []

        def step(span: slice) -> Tensor:
            x = feed(span)
            if not ready:
                ready.append(self.conv.at(x.dtype))
            return ready[0](x)

        pictures = gathered(step, frames, passes)
        result: Tensor = self.time(pictures.flatten(1, 2)).view(pictures.shape)
        return result


def _enlarged(x: Tensor, upsampler: Upsample | None) -> Feed:
    """Return x's frames (T, h, w, C), twice as large where an upsampler is given."""
    if upsampler is None:
        return x.__getitem__
    ready = upsampler.at(x.dtype)
    return lambda span: ready(x[span])


def _last(pictures: Tensor) -> Tensor:
    """Return (N, h, w, C) of (N, C, h, w)."""
    return pictures.permute(0, 2, 3, 1).contiguous()


def _first(pictures: Tensor) -> Tensor:
    """Return (N, C, h, w) of (N, h, w, C)."""
    return pictures.permute(0, 3, 1, 2).contiguous()
