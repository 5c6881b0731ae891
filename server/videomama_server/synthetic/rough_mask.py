"""Turns an exact alpha into the rough mask that a tracker or a quick roto would have left; only the demo uses it."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import UNITS

_TOLERANCE = 4.8  # design units that the polygon may stray from the outline
_SMALLEST = 400.0  # area in square design units under which nobody draws a shape
_FINEST = 8.0  # design units; nobody draws round a thinner thing, a lock of hair say
_BLEED = 14.0  # design units drawn past the edge of the picture
_COARSER = 8  # the mask is stored this much smaller than the picture, as trackers do


def rough_mask(alpha: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a hard mask (H, W), 0 or 1, of an alpha (H, W): no hair, no blur, straight edges, a jittering outline.

    The alpha is cut at 0.5, its outlines and holes become polygons, and the result passes through a picture
    eight times smaller.
    """
    height, width = alpha.shape
    scale = height / UNITS
    reach = 2 * round(_FINEST * scale / 2) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    solid = cv2.morphologyEx((alpha >= 0.5).astype(np.uint8), cv2.MORPH_OPEN, brush)
    # A shape that leaves the picture is drawn past its edge, or the jitter would open a gap there.
    edge = round(_BLEED * scale)
    solid = cv2.copyMakeBorder(solid, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    contours, tree = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    drawn = np.zeros_like(solid)
    parents = tree[0, :, 3] if tree is not None else np.zeros(0, np.int32)
    for wanted_hole in (False, True):
        for contour, parent in zip(contours, parents, strict=True):
            if (parent >= 0) != wanted_hole or cv2.contourArea(contour) < _SMALLEST * scale**2:
                continue
            polygon = cv2.approxPolyDP(contour, _TOLERANCE * scale, True).astype(np.float64)
            polygon += rng.normal(0, 1.3, polygon.shape) * scale + rng.normal(0, 0.9, 2) * scale
            cv2.fillPoly(drawn, [np.round(polygon * 16).astype(np.int32)], int(not wanted_hole), cv2.LINE_8, 4)
    drawn = drawn[edge : edge + height, edge : edge + width]
    small_size = (max(1, round(width / _COARSER)), max(1, round(height / _COARSER)))
    small = cv2.resize(drawn.astype(np.float32), small_size, interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(back >= 0.5, np.float32)
