"""Brings an alpha of the canvas to the plate's resolution: edges follow its colours, and only edges cost time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from videomama_server.arrays import ByteArray, FloatArray, HalfArray
from videomama_server.engines.guided_filter import LIFT_RADIUS, lift_lines

SOLID = 0.01  # alpha nearer than this to 0 or 1 is no transition
BAND_SHARE = 0.004  # of the region's long side that colour may move an edge by
_TILE = 64  # pixels of the region: the band is found in squares of this size
_MARGIN = 2 * LIFT_RADIUS + 1  # pixels of the canvas that a square's maps depend on beside it


@dataclass(frozen=True)
class Guide:
    """The colours of a region that its alpha follows, 0..1: at the plate's resolution and at the canvas's.

    Attributes:
        plate: (H, W, 3) of the region.
        small: (h, w, 3), the same as the canvas shows it.
    """

    plate: HalfArray
    small: HalfArray

    @classmethod
    def of(cls, plate: FloatArray, small: FloatArray) -> Guide:
        """Return the guide of a plate (H, W, 3) and what the canvas shows of it (h, w, 3), in half floats."""
        return cls(_halves(plate), _halves(small))


@dataclass(frozen=True)
class _Span:
    """Some rows of the region, or some columns, and the pixels of the canvas that lie around them.

    Attributes:
        here: of the region.
        small: of the canvas, with the margin.
        first, second: (n,), counted from `small`'s start: between which two pixels each one of the region lies.
        share: (n,) float32: how near it is to the second.
    """

    here: slice
    small: slice
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    share: FloatArray


def plain(alpha: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return an alpha (h, w) at another size (H, W), 0..1: bilinear where it grows, averaged where it shrinks."""
    shrinks = size[0] < alpha.shape[0] or size[1] < alpha.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    whole = alpha if alpha.shape == size else cv2.resize(alpha, (size[1], size[0]), interpolation=how)
    return np.asarray(np.clip(whole, 0, 1), np.float32)


def guided(alpha: FloatArray, guide: Guide) -> FloatArray:
    """Return an alpha (h, w) at the plate's size (H, W), 0..1, its transition band following the plate's colours.

    Colour-guided upsampling (He and Sun, Fast Guided Filter, 2015), done where the alpha is in transition and a
    little around it; elsewhere it is as `plain` makes it. No dimension of the plate is smaller than the alpha's.
    """
    height, width = guide.plate.shape[:2]
    lifted = plain(alpha, (height, width))
    reach = max(1, round(BAND_SHARE * max(height, width)))
    band = _band(lifted, reach)
    for rows, columns in _squares(band, reach):
        down = _span(rows, alpha.shape[0], height)
        across = _span(columns, alpha.shape[1], width)
        here, small = (down.here, across.here), (down.small, across.small)
        lines = lift_lines(guide.small[small].astype(np.float32), np.ascontiguousarray(alpha[small]))
        maps = _between(np.dstack((lines.slope, lines.offset)), down, across)
        followed = np.einsum("hwc,hwc->hw", maps[..., :3], guide.plate[here].astype(np.float32)) + maps[..., 3]
        lifted[here] = np.clip(
            lifted[here] + _weight(band, here, reach) * (np.clip(followed, 0, 1) - lifted[here]), 0, 1
        )
    return lifted


def _band(alpha: FloatArray, reach: int) -> ByteArray:
    """Return 1 within `reach` pixels of where an alpha (H, W) is in transition, else 0."""
    soft = np.asarray(cv2.inRange(alpha, SOLID, 1 - SOLID), np.uint8)
    np.minimum(soft, 1, out=soft)
    return _wider(soft, reach)


def _wider(region: ByteArray, reach: int) -> ByteArray:
    return np.asarray(cv2.dilate(region, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)


def _weight(band: ByteArray, here: tuple[slice, slice], reach: int) -> FloatArray:
    """Return how much of the colours' say counts in a rectangle: 1 within the band, and a slope down beside it."""
    around = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in here)
    size = (2 * reach + 1, 2 * reach + 1)
    smooth = cv2.boxFilter(band[around], cv2.CV_32F, size, borderType=cv2.BORDER_REPLICATE)
    inside = tuple(
        slice(side.start - whole.start, side.stop - whole.start) for side, whole in zip(here, around, strict=True)
    )
    return np.asarray(smooth[inside], np.float32)


def _squares(band: ByteArray, reach: int) -> Iterator[tuple[slice, slice]]:
    """Yield rectangles (rows, columns) that hold all that is within `reach` of the band: squares, joined along rows."""
    height, width = band.shape
    near = _wider(band, reach)
    tops, lefts = np.arange(0, height, _TILE), np.arange(0, width, _TILE)
    busy = np.maximum.reduceat(np.maximum.reduceat(near, tops, axis=0), lefts, axis=1)
    for top, row in zip(tops.tolist(), busy, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], row, [0])).astype(np.int8))).tolist()
        for first, past in zip(edges[::2], edges[1::2], strict=True):
            yield slice(top, min(top + _TILE, height)), slice(first * _TILE, min(past * _TILE, width))


def _span(here: slice, small: int, large: int) -> _Span:
    """Return how rows or columns of the region lie among those of the canvas, of which there are `small`."""
    place = (np.arange(here.start, here.stop) + 0.5) * (small / large) - 0.5
    first = np.clip(np.floor(place).astype(np.intp), 0, small - 1)
    second = np.minimum(first + 1, small - 1)
    start, stop = max(0, int(first[0]) - _MARGIN), min(small, int(second[-1]) + 1 + _MARGIN)
    share = np.clip(place - first, 0, 1).astype(np.float32)
    return _Span(here, slice(start, stop), first - start, second - start, share)


def _between(maps: FloatArray, down: _Span, across: _Span) -> FloatArray:
    """Return maps (h, w, C) of the canvas at the pixels of the region, bilinear."""
    rows = maps[down.first]
    rows += down.share[:, None, None] * (maps[down.second] - rows)
    result = rows[:, across.first]
    result += across.share[None, :, None] * (rows[:, across.second] - result)
    return result


def _halves(pixels: FloatArray) -> HalfArray:
    return np.asarray(torch.from_numpy(np.ascontiguousarray(pixels)).half().numpy())
