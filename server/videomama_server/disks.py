"""Extremes of pixels within a disk: what growing and shrinking are made of."""

from __future__ import annotations

from math import floor, sqrt

import numpy as np

from videomama_server.arrays import FloatArray


def extreme_in_disk(pixels: FloatArray, extreme: np.ufunc, radius: float) -> FloatArray:
    """Return the extreme within `radius` of every pixel that is that far from the rim: smaller by `half_width` a side.

    Row by row of the disk, whose time is its height. OpenCV looks at every pixel of it, which takes minutes per 4K
    frame at a large radius. Two overlapping runs of a power of two give the extreme of a row.

    Args:
        pixels: (H, W).
        extreme: `np.maximum` or `np.minimum`.
        radius: pixels.
    """
    reach = half_width(radius, 0)
    height, width = (side - 2 * reach for side in pixels.shape)
    found: FloatArray = pixels[reach : reach + height, reach : reach + width].copy()
    runs, length = pixels, 1  # runs[y, x] is the extreme of pixels[y, x : x + length]
    for away in range(reach, -1, -1):
        half = half_width(radius, away)
        while 2 * length <= 2 * half + 1:
            runs, length = extreme(runs[:, :-length], runs[:, length:]), 2 * length
        for row in (reach - away, reach + away):
            for column in (reach - half, reach + half + 1 - length):
                extreme(found, runs[row : row + height, column : column + width], out=found)
    return found


def half_width(radius: float, away: int) -> int:
    """Return how far a disk reaches to each side in the row `away` from its middle; 1.9999999999 is taken for 2."""
    return floor(sqrt(radius * radius + 1e-6 - away * away))
