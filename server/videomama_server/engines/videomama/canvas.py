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
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.engines.guided_filter import lift_lines

MULTIPLE = 64  # of pixels: the VAE divides by 8, the UNet by another 8
_PUBLISHED_AREA = 1024 * 576  # what the published inference works at
_LARGEST_AREA = 1_900_000  # beyond this the transition band gets no sharper (measured by others on one region)
_LARGEST_GAIN = 2.0  # a small region is not enlarged further: there is nothing more to see in it
_LEAST_AREA = 256 * 256
_STEP = 0.8  # of the area, from one candidate to the next
_SOLID = 0.01  # alpha nearer than this to 0 or 1 is no transition
_BAND_SHARE = 0.004  # of the region's long side that colour may move an edge by

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

    def place(self, pixels: FloatArray) -> Tensor:
        """Return (C, H, W) of the canvas for pixels (h, w) or (h, w, C) of the region; bilinear, antialiased."""
        planes = torch.from_numpy(np.ascontiguousarray(pixels)).reshape(*self.region, -1).permute(2, 0, 1)
        small = resized(planes, self.inner)
        rows, columns = (self._reflected(axis) for axis in (0, 1))
        return small[:, rows][:, :, columns].contiguous()

    def take(self, alpha: FloatArray) -> FloatArray:
        """Return the region's part (inner height, inner width) of a canvas (H, W)."""
        (top, left), (h, w) = self._margins, self.inner
        return np.ascontiguousarray(alpha[top : top + h, left : left + w])

    def lift(self, alpha: FloatArray, plate: FloatArray | None) -> FloatArray:
        """Return an alpha (H, W) of the canvas at the region's resolution, float32, 0..1.

        Where the canvas is smaller than the region, the transition band follows the colours of the plate
        (colour-guided upsampling: He and Sun, Fast Guided Filter, 2015).

        Args:
            alpha: of the canvas.
            plate: (h, w, 3) of the region, 0..1; None leaves the colours out.
        """
        inner = self.take(alpha)
        whole = resized(torch.from_numpy(inner)[None], self.region)[0].numpy()
        if plate is None or not self.reduces:
            return np.asarray(np.clip(whole, 0, 1), np.float32)
        small = resized(torch.from_numpy(plate.astype(np.float32)).permute(2, 0, 1), self.inner)
        guide = np.ascontiguousarray(small.permute(1, 2, 0).numpy())
        guided = lift_lines(guide, inner).resized(*self.region).of(plate.astype(np.float32))
        share = _transition(whole)
        return np.asarray(np.clip(whole + share * (guided - whole), 0, 1), np.float32)

    @cached_property
    def _margins(self) -> tuple[int, int]:
        return (self.size[0] - self.inner[0]) // 2, (self.size[1] - self.inner[1]) // 2

    def _reflected(self, axis: int) -> Tensor:
        """Return which row (axis 0) or column (1) of the region each one of the canvas shows."""
        before = self._margins[axis]
        after = self.size[axis] - self.inner[axis] - before
        last = self.inner[axis] - 1
        along = np.abs(np.arange(-before, last + 1 + after)) % max(1, 2 * last)  # there and back
        return torch.from_numpy(np.minimum(along, 2 * last - along) if last else 0 * along)


def resized(planes: Tensor, size: Size) -> Tensor:
    """Return planes (C, h, w) at another size, bilinear and antialiased (what PIL calls BILINEAR, on floats)."""
    if tuple(planes.shape[1:]) == size:
        return planes
    return functional.interpolate(planes[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def parse(text: str) -> Size | None:
    """Return (height, width) of WIDTHxHEIGHT, None for `auto`; raises `BadInput` for a size the model cannot take."""
    if text == "auto":
        return None
    w, h = (int(side) for side in text.split("x"))
    if w % MULTIPLE or h % MULTIPLE:
        near = f"{_up(w)}x{_up(h)}"
        raise BadInput(f"the canvas {text} is not in multiples of {MULTIPLE}", f"The nearest larger one is {near}.")
    return h, w


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


def _transition(alpha: FloatArray) -> FloatArray:
    """Return 1 in the transition band of an alpha (H, W), 0 well away from it, and a slope between."""
    soft = ((alpha > _SOLID) & (alpha < 1 - _SOLID)).astype(np.float32)
    reach = max(1, round(_BAND_SHARE * max(alpha.shape)))
    size = (2 * reach + 1, 2 * reach + 1)
    return np.asarray(cv2.blur(cv2.dilate(soft, np.ones(size, np.uint8)), size), np.float32)
