"""Brings an alpha from a network's square to the plate's size, along the plate's colours where it is soft."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.engines.guided_filter import lift_lines

_CERTAIN = 0.02  # of 0 and of 1: nearer than this the alpha is left as it is
_AROUND = 1  # pixels of the square that the band is wider on each side


def lifted(alpha: FloatArray, plate: FloatArray) -> FloatArray:
    """Return an alpha (h, w), 0..1, at the size of its plate (H, W, 3), 0..1.

    Where the alpha and what is around it are certain, it is enlarged as it is.
    """
    height, width = plate.shape[:2]
    smooth = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    soft = ((alpha > _CERTAIN) & (alpha < 1 - _CERTAIN)).astype(np.uint8)
    wide = cv2.dilate(soft, np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8))
    band = cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    if not band.any():
        return np.asarray(np.clip(smooth, 0, 1), np.float32)
    small = cv2.resize(plate, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
    lines = lift_lines(np.asarray(small, np.float32), alpha).resized(height, width)
    result = np.clip(np.asarray(smooth, np.float32), 0, 1)
    result[band] = lines.at(band, plate[band])
    return result
