"""Attention: among the pixels of a frame, among the frames at a pixel, and the transformers made of the two."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from videomama_server.engines.videomama.network import fused
from videomama_server.engines.videomama.network.eager import spans
from videomama_server.engines.videomama.network.layers import (
    Dense,
    GroupNorm,
    Normed,
    gathered,
    parameter,
    pixels_at_once,
)
from videomama_server.engines.videomama.network.shape import FRAMES

_MOST_BATCHES = 65_535  # CUDA's limit for a dimension of the grid that kernels put batch and heads on
_SPARING = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]  # those that never hold all scores
_LONG = 512  # tokens, from which cuDNN's kernels are asked first
_CUDNN_WIDTH = 64  # of the heads that those are asked for
_FLASH_WIDTH = 256  # of the widest heads that flash kernels take
_SCORES = 1 << 25  # numbers held at once by `_by_products`


class SelfAttention(nn.Module):
    """Self-attention; queries, keys and values come from one matrix product."""

    def __init__(self, channels: int, heads: int, *, biased: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Dense(channels, 3 * channels, biased=biased)
        self.to_out = Dense(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, L, C) of N sequences (N, L, C)."""
        together = self.qkv(x).view(*x.shape[:2], 3, self.heads, x.shape[-1] // self.heads)
        most = _MOST_BATCHES // self.heads
        found = [_attended(part) for part in together.split(most)]
        result: Tensor = self.to_out(found[0] if len(found) == 1 else torch.cat(found))
        return result


def _attended(together: Tensor) -> Tensor:
    """Return (N, L, heads * d) of queries, keys and values (N, L, 3, heads, d)."""
    query, key, value = together.permute(2, 0, 3, 1, 4)
    if query.is_cpu:
        found = functional.scaled_dot_product_attention(query, key, value)
    elif query.shape[-1] > _FLASH_WIDTH and query.dtype != torch.float32:
        found = _by_products(query, key, value)
    elif query.device.type == "cuda":
        with sdpa_kernel(backends(query.shape[-1], query.shape[-2]), set_priority=True):
            found = functional.scaled_dot_product_attention(query, key, value)
    else:
        found = functional.scaled_dot_product_attention(query, key, value)
    return found.transpose(1, 2).flatten(2)


def backends(width: int, tokens: int) -> list[SDPBackend]:
    """Return the kernels of a card that may attend, the first wanted first, for heads so wide and so many tokens."""
    if width != _CUDNN_WIDTH:
        return _SPARING
    if tokens >= _LONG:
        return [SDPBackend.CUDNN_ATTENTION, *_SPARING]
    return [*_SPARING, SDPBackend.CUDNN_ATTENTION]


def _by_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return what attention does (N, heads, L, d), as a product, a softmax and a product for some queries at a time.

    For heads too wide for flash kernels: the products run on tensor cores at full speed. Scores are float32.
    """
    scaled, across = query * query.shape[-1] ** -0.5, key.transpose(-1, -2)
    batch = query.shape[0] * query.shape[1]
    rows = max(1, _SCORES // (batch * key.shape[-2]))
    parts = []
    for some in scaled.split(rows, dim=-2):
        scores = _product(some, across)
        parts.append(torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype) @ value)
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-2)


def _product(one: Tensor, other: Tensor) -> Tensor:
    """Return the product (N, heads, L, M), float32."""
    if one.device.type != "cuda":
        return (one @ other).float()
    flat = torch.bmm(one.flatten(0, 1), other.flatten(0, 1), out_dtype=torch.float32)
    return flat.view(*one.shape[:-1], other.shape[-1])


class PictureAttention(nn.Module):
    """The VAE's attention among the pixels of a frame: one head as wide as the channels, and a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group_norm = GroupNorm(channels, 1e-6)
        self.attention = SelfAttention(channels, 1, biased=True)

    def forward(self, x: Tensor, passes: int | None = None) -> Tensor:
        """Return x (N, h, w, C), to which what was attended to has been added in place."""
        for span in spans(len(x), passes):
            flat = self.group_norm(x[span]).flatten(1, 2)
            x[span].add_(self.attention(flat).view_as(x[span]))
        return x


class FeedForward(nn.Module):
    """Two dense layers with a gated GELU between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = Dense(channels, 8 * channels)
        self.out = Dense(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., C) of (..., C)."""
        result: Tensor = self.out(fused.gated(self.proj(x)))
        return result


class SpatialTransformer(nn.Module):
    """Attention among the pixels of a frame, then a feed-forward. The cross-attention's constant is folded in."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm1 = Normed(channels)
        self.attn1 = SelfAttention(channels, heads)
        self.norm3 = Normed(channels)
        self.ff = FeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return x (n, h*w, C), to which the block has been applied in place."""
        x += self.ff(self.norm3.added(x, self.attn1(self.norm1(x))))
        return x


class TemporalTransformer(nn.Module):
    """Attention among the frames at a pixel, between two feed-forwards."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm_in = Normed(channels)
        self.ff_in = FeedForward(channels)
        self.norm1 = Normed(channels)
        self.attn1 = SelfAttention(channels, heads)
        self.norm3 = Normed(channels)
        self.ff = FeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return x (pixels, T, C), to which the block has been applied in place."""
        entered = self.norm1.added(x, self.ff_in(self.norm_in(x)))
        x += self.ff(self.norm3.added(x, self.attn1(entered)))
        return x


class Transformer(nn.Module):
    """A transformer in space, one in time on its result, mixed."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm = GroupNorm(channels, 1e-6)
        self.proj_in = Dense(channels, channels)
        self.spatial = SpatialTransformer(channels, heads)
        self.temporal = TemporalTransformer(channels, heads)
        self.positions = parameter(FRAMES, channels)
        self.mix = parameter(1)  # share of the spatial transformer's result
        self.proj_out = Dense(channels, channels)

    def forward(self, x: Tensor, passes: int | None = None) -> Tensor:
        """Return x (T, h, w, C), to which the transformer has been applied in place."""
        spatial = gathered(lambda span: self.spatial(self.proj_in(self.norm(x[span]).flatten(1, 2))), len(x), passes)
        flat = x.flatten(1, 2)
        for span in spans(spatial.shape[1], pixels_at_once(spatial, passes)):
            flat[:, span].add_(self._in_time(spatial[:, span]).transpose(0, 1))
        return x

    def _in_time(self, spatial: Tensor) -> Tensor:
        """Return what is added to frames (T, pixels, C), as (pixels, T, C)."""
        spatial = spatial.transpose(0, 1).contiguous()
        temporal = self.temporal(spatial + self.positions[: spatial.shape[1]].to(spatial.dtype))
        result: Tensor = self.proj_out(torch.lerp(temporal, spatial, self.mix.to(spatial.dtype)))
        return result
