"""Shapes a mask before an engine sees it: holes closed, grown or shrunk. Pure functions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
_REFERENCE = 1920  # width, in pixels, of the plate that distances are given for


def shaped(mask: FloatArray, close: float, grow: float, long_side: int) -> FloatArray:
    """Return a mask with its holes closed, then grown; grey values are kept (grey-scale morphology).

    Args:
        mask: (H, W) float32, 0..1.
        close: holes and gaps up to this wide are closed; pixels of a plate 1920 wide.
        grow: distance, in the same unit; negative shrinks.
        long_side: of the plate, in pixels.
    """
    scale = long_side / _REFERENCE
    closed = _morphed(mask, cv2.MORPH_CLOSE, close * scale / 2)
    return _morphed(closed, cv2.MORPH_DILATE if grow > 0 else cv2.MORPH_ERODE, abs(grow) * scale)


def _morphed(mask: FloatArray, operation: int, radius: float) -> FloatArray:
    """Apply a morphological operation with a disk; a radius below half a pixel changes nothing.

    What lies outside the picture counts as being like its rim, so that a subject cut by the frame stays cut by it.
    """
    if radius < 0.5:
        return mask
    reach = round(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = (x * x + y * y <= radius * radius + 1e-6).astype(np.uint8)
    margin = 2 * reach
    padded = cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    changed = cv2.morphologyEx(padded, operation, disk)
    inner = slice(margin, -margin)
    return np.ascontiguousarray(changed[inner, inner], np.float32)
