"""Shapes a mask before an engine sees it: holes closed, grown or shrunk. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, FloatArray
from videomama_server.disks import extreme_in_disk, half_width


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
    margin = len(steps) * half_width(radius, 0)
    changed = np.asarray(cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.float32)
    for extreme in steps:
        changed = extreme_in_disk(changed, extreme, radius)
    return changed
