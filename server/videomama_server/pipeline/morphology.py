"""Shapes a mask before an engine sees it: holes closed, grown or shrunk. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, FloatArray


def shaped(mask: FloatArray, close: float, grow: float, long_side: int) -> FloatArray:
    """Return a mask with its holes closed, then grown; grey values are kept (grey-scale morphology).

    Args:
        mask: (H, W) float32, 0..1.
        close: holes and gaps up to this wide are closed; pixels of a plate 1920 wide.
        grow: distance, in the same unit; negative shrinks. What comes to less than a pixel here changes nothing.
        long_side: of the plate, in pixels.
    """
    scale = long_side / REFERENCE_SIDE
    closed = _morphed(mask, (np.maximum, np.minimum), close * scale / 2)
    return _morphed(closed, (np.maximum if grow > 0 else np.minimum,), abs(grow) * scale)


def _morphed(mask: FloatArray, steps: Sequence[np.ufunc], radius: float) -> FloatArray:
    """Take the extremes within a disk, step after step; a radius below one pixel changes nothing.

    What lies outside the picture counts as being like its rim, so that a subject cut by the frame stays cut by it.
    """
    if radius < 1:
        return mask
    margin = len(steps) * _half_width(radius, 0)
    changed = np.asarray(cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.float32)
    for extreme in steps:
        changed = _over_disk(changed, extreme, radius)
    return changed


def _over_disk(pixels: FloatArray, extreme: np.ufunc, radius: float) -> FloatArray:
    """Return the extreme within `radius` of every pixel that is that far from the rim.

    Row by row of the disk, whose time is its height. OpenCV looks at every pixel of it, which takes minutes per 4K
    frame at a large radius. Two overlapping runs of a power of two give the extreme of a row.
    """
    reach = _half_width(radius, 0)
    height, width = (side - 2 * reach for side in pixels.shape)
    found: FloatArray = pixels[reach : reach + height, reach : reach + width].copy()
    runs, length = pixels, 1  # runs[y, x] is the extreme of pixels[y, x : x + length]
    for away in range(reach, -1, -1):
        half = _half_width(radius, away)
        while 2 * length <= 2 * half + 1:
            runs, length = extreme(runs[:, :-length], runs[:, length:]), 2 * length
        for row in (reach - away, reach + away):
            for column in (reach - half, reach + half + 1 - length):
                extreme(found, runs[row : row + height, column : column + width], out=found)
    return found


def _half_width(radius: float, away: int) -> int:
    """Return how far a disk reaches to each side in the row `away` from its middle; 1.9999999999 is taken for 2."""
    return floor(sqrt(radius * radius + 1e-6 - away * away))
