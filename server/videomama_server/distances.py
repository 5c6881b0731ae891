"""How far pixels lie from an outline."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray


def distance_to(region: BoolArray) -> FloatArray:
    """Return the distance (H, W), pixels, of every pixel to the nearest one of `region` (H, W), which must have one."""
    return np.asarray(cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def signed_depth(region: BoolArray) -> FloatArray:
    """Return how deep (H, W), in pixels, each pixel lies inside the outline of `region` (H, W), negative outside.

    The outline runs between two pixels. There must be pixels on both sides of it.
    """
    inside, outside = distance_to(~region), distance_to(region)
    return np.where(region, inside - np.float32(0.5), np.float32(0.5) - outside)
