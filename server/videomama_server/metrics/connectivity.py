"""CONN: how far pixels of two alphas are from hanging together with the largest part that both share."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import checked

# In float32, as alphas are: an alpha of 8 bits or of half that is meant to be 0.6 reaches the level of 0.6.
_LEVELS = (np.arange(11, dtype=np.float64) / 10).astype(np.float32)
_NOTICED = np.float32(0.15)  # smaller distances from the level count as none


def conn(pred: FloatArray, truth: FloatArray) -> float:
    """Difference of the connectedness of two alphas (H, W), 0..1: a sum over pixels, divided by 1000.

    At each of the levels 0.1 to 1.0, what both alphas reach is taken, and of that the largest part whose pixels
    touch by their sides. A pixel is connected up to the last level before it first leaves that part; how far it
    stands above, from 0.15 on, is what it lacks (Rhemann et al., 2009). The sum grows with the picture size.
    """
    pred, truth = checked(pred, truth)
    level = _LEVELS[_levels_held(np.minimum(pred, truth))]
    difference = np.abs(_lack(pred, level) - _lack(truth, level))
    return float(difference.sum(dtype=np.float64)) / 1e3


def _levels_held(shared: FloatArray) -> NDArray[np.uint8]:
    """Return for each pixel how many levels in a row it was in the largest part, 0..10."""
    held = np.zeros(shared.shape, np.uint8)
    alive: NDArray[np.bool_] = np.ones(shared.shape, np.bool_)
    for level in _LEVELS[1:]:
        alive &= _largest_part(shared >= level)
        if not alive.any():
            break
        held += alive
    return held


def _largest_part(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region.view(np.uint8), connectivity=4)
    if count <= 1:  # label 0 is everything else
        return np.zeros_like(region)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    part: NDArray[np.bool_] = np.asarray(labels) == largest
    return part


def _lack(alpha: FloatArray, level: FloatArray) -> FloatArray:
    above = alpha - level
    above[above < _NOTICED] = 0
    return above
