"""J and F of video object segmentation (Perazzi et al., 2016): is the shape right, is its outline; softness aside."""

from __future__ import annotations

import math

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.metrics.inputs import checked

_THRESHOLD = np.float32(0.5)
_TOLERANCE = 0.008  # of the picture's diagonal, rounded up to whole pixels


def jaccard(pred: FloatArray, truth: FloatArray) -> float:
    """J: what two alphas (H, W) both cover by half or more, over what either does; 1 when both are empty."""
    return iou(*_regions(pred, truth))


def iou(one: BoolArray, other: BoolArray) -> float:
    """Return the intersection over union of two regions (H, W); 1 when both are empty."""
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 1.0


def boundary_f(pred: FloatArray, truth: FloatArray) -> float:
    """F: harmonic mean of how much of either outline lies within 0.8 % of the picture's diagonal of the other, 0..1.

    The outlines are those of two alphas (H, W) at one half; without any outline F is 1.
    """
    one, other = (_outline(region) for region in _regions(pred, truth))
    if not one.any() and not other.any():
        return 1.0
    # Half of the pair is 1 when one outline is missing, but the other half is 0, and so is their harmonic mean.
    if not one.any() or not other.any():
        return 0.0
    reach = math.ceil(_TOLERANCE * math.hypot(*pred.shape))
    precision, recall = _share_near(one, other, reach), _share_near(other, one, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _regions(pred: FloatArray, truth: FloatArray) -> tuple[BoolArray, BoolArray]:
    pred, truth = checked(pred, truth)
    return pred >= _THRESHOLD, truth >= _THRESHOLD


def _outline(region: BoolArray) -> BoolArray:
    """Return the pixels that differ from the one to the right, below, or both; past the border nothing changes."""
    wider = np.pad(region, ((0, 1), (0, 1)), mode="edge")
    right, below, both = wider[:-1, 1:], wider[1:, :-1], wider[1:, 1:]
    outline: BoolArray = (region ^ right) | (region ^ below) | (region ^ both)
    return outline


def _share_near(outline: BoolArray, other: BoolArray, reach: int) -> float:
    """Return how much of `outline` is at most `reach` pixels from `other`."""
    away = np.asarray(cv2.distanceTransform((~other).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    # Squared distances are whole numbers: half of one more than allowed tells them apart whatever the rounding.
    near = np.square(away[outline]) < reach**2 + 0.5
    return float(near.mean())
