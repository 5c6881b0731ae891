"""Lays a region of interest on the canvas that the model works at, and brings what comes back to the plate's pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from videomama_server.arrays import FloatArray
from videomama_server.engines.videomama import lift
from videomama_server.engines.videomama.lift import Guide

MULTIPLE = 64  # of pixels: the VAE divides by 8, the UNet by another 8
_PUBLISHED_AREA = 1024 * 576  # what the published inference works at
_LARGEST_AREA = 1_900_000  # beyond this the transition band gets no sharper (measured by others on one region)
_LARGEST_GAIN = 2.0  # a small region is not enlarged further: there is nothing more to see in it
_LEAST_AREA = 256 * 256
_STEP = 0.8  # of the area, from one candidate to the next

Size = tuple[int, int]


@dataclass(frozen=True)
class Canvas:
    """A region of `region` pixels fitted into a canvas of `size` pixels, both (height, width).

    The region keeps its aspect and is centred; what is left of the canvas holds its reflection. `stretched` fills
    the canvas instead, as the published inference does.
    """

    region: Size
    size: Size
    stretched: bool = False

    @cached_property
    def inner(self) -> Size:
        """(height, width) that the region has on the canvas."""
        if self.stretched:
            return self.size
        scale = min(self.size[0] / self.region[0], self.size[1] / self.region[1])
        h, w = (max(1, min(round(side * scale), most)) for side, most in zip(self.region, self.size, strict=True))
        return h, w

    @property
    def reduces(self) -> bool:
        """Whether the canvas shows less than the plate has."""
        return self.inner[0] < self.region[0] or self.inner[1] < self.region[1]

    @property
    def guides(self) -> bool:
        """Whether an alpha of the canvas is to follow the plate's colours on its way to the region."""
        return self.reduces and not self.stretched

    def reduced(self, pixels: FloatArray) -> FloatArray:
        """Return pixels (h, w) or (h, w, C) of the region as the canvas shows them: (inner height, inner width[, C]).

        Averaged where they shrink and bilinear where they grow; stretched, always bilinear and antialiased, as in the
        published inference.
        """
        if self.stretched:
            planes = torch.from_numpy(np.ascontiguousarray(pixels)).reshape(*self.region, -1).permute(2, 0, 1)
            small = resized(planes, self.inner).permute(1, 2, 0).numpy()
            return np.ascontiguousarray(small.reshape(*self.inner, *pixels.shape[2:]))
        if self.inner == self.region:
            return pixels
        how = cv2.INTER_AREA if self.reduces else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, self.inner[::-1], interpolation=how), np.float32)

    def placed(self, small: FloatArray) -> Tensor:
        """Return (C, H, W) of the canvas for what it shows of a region (inner height, inner width[, C])."""
        (top, left), (h, w) = self.margins, self.inner
        bottom, right = self.size[0] - h - top, self.size[1] - w - left
        whole = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REFLECT_101)
        return torch.from_numpy(whole).reshape(*self.size, -1).permute(2, 0, 1).contiguous()

    def place(self, pixels: FloatArray) -> Tensor:
        """Return (C, H, W) of the canvas for pixels (h, w) or (h, w, C) of the region."""
        return self.placed(self.reduced(pixels))

    def take(self, alpha: FloatArray) -> FloatArray:
        """Return the region's part (inner height, inner width) of a canvas (H, W)."""
        (top, left), (h, w) = self.margins, self.inner
        return np.ascontiguousarray(alpha[top : top + h, left : left + w])

    def lift(self, alpha: FloatArray, guide: Guide | None) -> FloatArray:
        """Return an alpha (H, W) of the canvas at the region's resolution, float32, 0..1.

        Args:
            alpha: of the canvas.
            guide: of the region, whose colours the transition band follows; None leaves them out.
        """
        inner = self.take(alpha)
        if self.stretched:
            whole = resized(torch.from_numpy(inner)[None], self.region)[0].numpy()
            return np.asarray(np.clip(whole, 0, 1), np.float32)
        return lift.plain(inner, self.region) if guide is None else lift.guided(inner, guide)

    @cached_property
    def margins(self) -> tuple[int, int]:
        """(rows, columns) of the canvas before the region's first."""
        return (self.size[0] - self.inner[0]) // 2, (self.size[1] - self.inner[1]) // 2


def resized(planes: Tensor, size: Size) -> Tensor:
    """Return planes (C, h, w) at another size, bilinear and antialiased (what PIL calls BILINEAR, on floats)."""
    if tuple(planes.shape[1:]) == size:
        return planes
    return functional.interpolate(planes[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def parse(text: str) -> Size | None:
    """Return (height, width) of WIDTHxHEIGHT, rounded up to what the model takes; None for `auto`.

    What the region does not fill of it holds the region's reflection.
    """
    if text == "auto":
        return None
    w, h = (int(side) for side in text.split("x"))
    return _up(h), _up(w)


def candidates(region: Size, fast: bool) -> Iterator[Size]:
    """Yield the canvases (height, width) for a region, the best first, for the first that fits in memory to be taken.

    Args:
        region: (height, width) of the region of interest.
        fast: whether no more pixels are wanted than the published inference looks at.
    """
    area = region[0] * region[1]
    most = _PUBLISHED_AREA if fast else _LARGEST_AREA
    wanted = min(most, max(area, min(_PUBLISHED_AREA, area * _LARGEST_GAIN**2)))
    last = None
    while wanted > _LEAST_AREA or last is None:
        scale = math.sqrt(wanted / area)
        size = (_up(region[0] * scale), _up(region[1] * scale))
        if size != last:
            yield size
        last = size
        wanted *= _STEP


def _up(side: float) -> int:
    return max(MULTIPLE, math.ceil(round(side, 3) / MULTIPLE) * MULTIPLE)
