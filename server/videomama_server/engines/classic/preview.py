"""What quality `fast` does smaller: how large it solves and corrects, and how its alphas get back to their plates."""

from __future__ import annotations

import cv2
import numpy as np
from videomama_client.engine_settings import ClassicSettings

from videomama_server.arrays import BoolArray, FloatArray, HalfArray
from videomama_server.engines.classic.correction import WORKING
from videomama_server.engines.classic.matte import reduced
from videomama_server.engines.classic.trimap import Trimap
from videomama_server.engines.guided_filter import lift_lines

VIEW = 480  # long side, in pixels, of the largest plate that motion is followed in
# Likewise, the smallest and the largest of each.
_SOLVED = (480, 960)  # half the plate between these
_CORRECTED = (240, 320)  # a sixth of the plate between these


def side(long_side: int) -> int:
    """Return the long side that a plate with this one is solved at."""
    smallest, largest = _SOLVED
    return min(long_side, max(smallest, min(long_side // 2, largest)))


def working(long_side: int) -> int:
    """Return the long side of the view that outlines of a plate with this one are corrected in."""
    if side(long_side) == long_side:
        return WORKING
    smallest, largest = _CORRECTED
    return max(smallest, min(long_side // 6, largest))


def small_plate(plate: FloatArray, mask: FloatArray, settings: ClassicSettings, long_side: int) -> HalfArray | None:
    """Return the plate (h, w, 3) that is solved; None where that is the plate itself, or the mask would be lost.

    Args:
        plate: (H, W, 3), 0..1.
        mask: (H, W), 0..1.
        settings: of the engine.
        long_side: of the whole plate, pixels.
    """
    if side(long_side) == long_side:
        return None
    shrink = side(long_side) / long_side
    subject = reduced(mask, shrink) >= settings.mask_threshold
    if subject.all() or not subject.any():
        return None
    return reduced(plate, shrink).astype(np.float16)


def lifted(plate: HalfArray, small: FloatArray, alpha: FloatArray, trimap: Trimap) -> FloatArray:
    """Return an alpha at the size of its plate, (H, W), 0..1; exactly 1 and 0 where that is certain.

    Args:
        plate: (H, W, 3), 0..1.
        small: (h, w, 3), the plate that was solved.
        alpha: (h, w), of that.
        trimap: likewise.
    """
    height, width = plate.shape[:2]
    lines = lift_lines(small, alpha).resized(height, width)
    foreground = _enlarged(trimap.foreground, height, width)
    unknown = ~(foreground | _enlarged(trimap.background, height, width))
    found = foreground.astype(np.float32)
    found[unknown] = lines.at(unknown, plate[unknown].astype(np.float32))
    return found


def _enlarged(region: BoolArray, height: int, width: int) -> BoolArray:
    share = cv2.resize(region.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(share > 0.5, np.bool_)
