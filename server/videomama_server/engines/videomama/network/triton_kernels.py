"""The steps of `fused` as Triton's kernels. Only imported where Triton is present.

Numbers that a canvas decides are no part of what is compiled: a kernel is compiled once for a number format and a few
widths, and never again. No kernel adds up with atomics, so equal inputs give equal bits.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from videomama_server.engines.videomama.network.fused import slice_count, slice_pixels
from videomama_server.engines.videomama.network.shape import GROUPS

_WIDTH = 64  # channels of a tile
_ROWS = 64  # pixels of a tile
_FLAT = 1024  # numbers of a tile without pixels


@triton.jit(do_not_specialize=["pixels", "slices", "size", "channels", "stride"])
def _moments_kernel(x, found, pixels, slices, size, channels, stride, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # noqa: N803, PLR0913
    row = tl.program_id(0)
    first = (row % slices) * size
    count = tl.minimum(size, pixels - first)
    channel = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    there = channel < channels
    frame = x + (row // slices).to(tl.int64) * stride
    mean = tl.zeros([WIDTH], tl.float32)
    spread = tl.zeros([WIDTH], tl.float32)
    for start in range(0, count, ROWS):
        pixel = start + tl.arange(0, ROWS)
        inside = pixel < count
        at = (first + pixel).to(tl.int64)[:, None] * channels + channel[None, :]
        tile = tl.load(frame + at, mask=inside[:, None] & there[None, :], other=0.0).to(tl.float32)
        more = tl.minimum(ROWS, count - start).to(tl.float32)
        middle = tl.sum(tile, 0) / more
        apart = tl.where(inside[:, None], tile - middle[None, :], 0.0)
        share = more / (start + more)
        delta = middle - mean
        mean += delta * share
        spread += tl.sum(apart * apart, 0) + delta * delta * start * share
    out = found + row.to(tl.int64) * 2 * channels + channel
    tl.store(out, mean, mask=there)
    tl.store(out + channels, spread, mask=there)


@triton.jit(do_not_specialize=["pixels", "frames", "slices", "size", "channels", "reach"])
def _lines_kernel(  # noqa: PLR0913
    moments, weight, bias, lines, pixels, frames, slices, size, channels, reach, eps,
    GROUPS: tl.constexpr, SLICES: tl.constexpr, WIDTH: tl.constexpr,  # noqa: N803
):  # fmt: skip
    frame, group = tl.program_id(0), tl.program_id(1)
    width = channels // GROUPS
    part, inner = tl.arange(0, SLICES), tl.arange(0, WIDTH)
    channel = group * width + inner
    mask = (part < slices)[:, None] & (inner < width)[None, :]
    counts = tl.minimum(size, pixels - part * size).to(tl.float32)[:, None]
    first, last = tl.maximum(frame - reach, 0), tl.minimum(frame + reach + 1, frames)
    numbers = (last - first).to(tl.float32) * pixels * width
    at = part[:, None] * 2 * channels + channel[None, :]
    total = tl.zeros([SLICES, WIDTH], tl.float32)
    for near in range(first, last):
        source = moments + near * slices * 2 * channels + at
        total += tl.load(source, mask=mask, other=0.0) * counts
    middle = tl.sum(tl.sum(tl.where(mask, total, 0.0), 1), 0) / numbers
    around = tl.zeros([SLICES, WIDTH], tl.float32)
    for near in range(first, last):
        source = moments + near * slices * 2 * channels + at
        apart = tl.load(source, mask=mask, other=0.0) - middle
        around += tl.load(source + channels, mask=mask, other=0.0) + apart * apart * counts
    variance = tl.sum(tl.sum(tl.where(mask, around, 0.0), 1), 0) / numbers
    there = inner < width
    scale = tl.load(weight + channel, mask=there, other=0.0).to(tl.float32) / tl.sqrt(variance + eps)
    shift = tl.load(bias + channel, mask=there, other=0.0).to(tl.float32) - middle * scale
    tl.store(lines + frame * channels + channel, scale, mask=there)
    tl.store(lines + (frames + frame) * channels + channel, shift, mask=there)


@triton.jit(do_not_specialize=["pixels", "blocks", "frames", "channels", "x_stride", "onto_stride"])
def _apply_kernel(  # noqa: PLR0913
    x, lines, onto, pixels, blocks, frames, channels, x_stride, onto_stride,
    SILU: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,  # noqa: N803
):  # fmt: skip
    frame, block = tl.program_id(0) // blocks, tl.program_id(0) % blocks
    channel = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    pixel = block * ROWS + tl.arange(0, ROWS)
    there = channel < channels
    mask = (pixel < pixels)[:, None] & there[None, :]
    at = pixel.to(tl.int64)[:, None] * channels + channel[None, :]
    scale = tl.load(lines + frame * channels + channel, mask=there, other=0.0)
    shift = tl.load(lines + (frames + frame) * channels + channel, mask=there, other=0.0)
    tile = tl.load(x + frame.to(tl.int64) * x_stride + at, mask=mask, other=0.0).to(tl.float32)
    tile = tile * scale[None, :] + shift[None, :]
    if SILU:
        tile = tile / (1.0 + tl.exp(-tile))
    tl.store(onto + frame.to(tl.int64) * onto_stride + at, tile.to(onto.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["numbers", "width"])
def _gated_kernel(x, out, numbers, width, BLOCK: tl.constexpr):  # noqa: N803
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = at < numbers
    source = x + (at // width) * 2 * width + at % width
    kept = tl.load(source, mask=mask, other=0.0).to(tl.float32)
    gate = tl.load(source + width, mask=mask, other=0.0).to(tl.float32)
    gate = 0.5 * gate * (1.0 + tl.erf(gate * 0.7071067811865476))
    tl.store(out + at, (kept * gate).to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["channels"])
def _added_kernel(x, added, weight, bias, out, channels, WIDTH: tl.constexpr):  # noqa: N803, PLR0913
    row = tl.program_id(0).to(tl.int64) * channels
    channel = tl.arange(0, WIDTH)
    there = channel < channels
    summed = tl.load(x + row + channel, mask=there, other=0.0) + tl.load(added + row + channel, mask=there, other=0.0)
    tl.store(x + row + channel, summed, mask=there)
    wide = summed.to(tl.float32)
    middle = tl.sum(wide, 0) / channels
    apart = tl.where(there, wide - middle, 0.0)
    rate = 1.0 / tl.sqrt(tl.sum(apart * apart, 0) / channels + 1e-5)
    scale = tl.load(weight + channel, mask=there, other=0.0).to(tl.float32)
    shift = tl.load(bias + channel, mask=there, other=0.0).to(tl.float32)
    tl.store(out + row + channel, (apart * rate * scale + shift).to(out.dtype.element_ty), mask=there)


def channel_moments(x: Tensor) -> Tensor:
    """Return what `fused.channel_moments` does."""
    frames, pixels, channels = x.shape
    _check(x)
    slices = slice_count(pixels)
    found = torch.empty((frames, slices, 2, channels), device=x.device, dtype=torch.float32)
    grid = (frames * slices, triton.cdiv(channels, _WIDTH))
    size = slice_pixels(pixels)
    _moments_kernel[grid](x, found, pixels, slices, size, channels, x.stride(0), ROWS=_ROWS, WIDTH=_WIDTH)
    return found


def norm_lines(moments: Tensor, pixels: int, weight: Tensor, bias: Tensor, eps: float, reach: int | None) -> Tensor:
    """Return what `fused.norm_lines` does."""
    frames, slices, _, channels = moments.shape
    lines = torch.empty((2, frames, channels), device=moments.device, dtype=torch.float32)
    _lines_kernel[(frames, GROUPS)](
        moments, weight, bias, lines, pixels, frames, slices, slice_pixels(pixels), channels,
        frames if reach is None else reach, eps,
        GROUPS=GROUPS, SLICES=64, WIDTH=triton.next_power_of_2(channels // GROUPS),
    )  # fmt: skip
    return lines


def apply_lines(x: Tensor, lines: Tensor, onto: Tensor, *, silu: bool) -> None:
    """Do what `fused.apply_lines` does."""
    frames, pixels, channels = x.shape
    _check(x)
    _check(onto)
    blocks = triton.cdiv(pixels, _ROWS)
    _apply_kernel[(frames * blocks, triton.cdiv(channels, _WIDTH))](
        x, lines, onto, pixels, blocks, frames, channels, x.stride(0), onto.stride(0),
        SILU=silu, ROWS=_ROWS, WIDTH=_WIDTH,
    )  # fmt: skip


def gated(x: Tensor) -> Tensor:
    """Return what `fused.gated` does."""
    x = x.contiguous()
    out = x.new_empty((*x.shape[:-1], x.shape[-1] // 2))
    _gated_kernel[(triton.cdiv(out.numel(), _FLAT),)](x, out, out.numel(), out.shape[-1], BLOCK=_FLAT)
    return out


def added_norm(x: Tensor, added: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Do and return what `fused.added_norm` does."""
    if not x.is_contiguous():
        raise ValueError(f"the numbers {tuple(x.shape)} do not lie one after the other")
    out, channels = torch.empty_like(x), x.shape[-1]
    _added_kernel[(x.numel() // channels,)](
        x, added.contiguous(), weight, bias, out, channels, WIDTH=triton.next_power_of_2(channels)
    )
    return out


def _check(x: Tensor) -> None:
    """Refuse frames whose pixels do not lie one after the other."""
    if x.stride(2) != 1 or x.stride(1) != x.shape[2]:
        raise ValueError(f"the pixels of {tuple(x.shape)} do not lie one after the other")
