"""Measures of an alpha against nothing but its mask, for footage whose exact alpha nobody knows.

All take the mask for roughly right: well inside it the subject should be solid, well outside nothing should be left,
and where it is certain nothing should change over time. Depths scale with the picture. They are stated in pixels of a
plate 854 wide; at 1920 they are 2.25 times as long.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import checked

NEAR, DEEP = 3.0, 6.0  # pixels of a plate whose long side is
STATED_AT = 854  # pixels
SOLID, HALF = 0.9, 0.5  # alpha below which a pixel is transparent
HAZE = 0.02  # alpha above which a pixel shows in a comp
WITHOUT_TRUTH = ("inside_90", "inside_50", "deep_90", "deep_50", "haze", "chatter")
_SUBJECT = np.float32(0.5)  # value of the mask


def transparent_inside(alpha: FloatArray, mask: FloatArray, depth: float, below: float) -> float | None:
    """Return how many percent of the mask's interior are transparent; None where it has no interior.

    Args:
        alpha: (H, W) float, 0..1.
        mask: (H, W) float, 0..1, of the same frame; subject from 0.5 on.
        depth: from which a pixel is interior, in pixels from the mask's outline as the module scales them.
        below: alpha under which a pixel counts as transparent.

    Raises:
        BadInput: the pictures differ in size, or are not float.
    """
    alpha, mask = checked(alpha, mask)
    inside = _depth_of(mask >= _SUBJECT) >= depth
    return 100 * float(np.mean(alpha[inside] < below)) if inside.any() else None


def haze_outside(alpha: FloatArray, mask: FloatArray, distance: float = DEEP, above: float = HAZE) -> int:
    """Return the count of pixels that show although they lie well outside the mask; it grows with the picture.

    Args:
        alpha: (H, W) float, 0..1.
        mask: (H, W) float, 0..1, of the same frame; subject from 0.5 on.
        distance: from the mask's outline beyond which a pixel is outside, as the module scales it.
        above: alpha over which a pixel counts.

    Raises:
        BadInput: the pictures differ in size, or are not float.
    """
    alpha, mask = checked(alpha, mask)
    return int(np.count_nonzero((_depth_of(mask < _SUBJECT) > distance) & (alpha > above)))


def chatter_inside(
    alpha: FloatArray, previous: FloatArray, mask: FloatArray, previous_mask: FloatArray, depth: float = NEAR
) -> float | None:
    """Return the mean absolute change of an alpha inside both masks, times 1e3; None where they share no interior.

    No motion is followed: what is well inside the mask of both frames is solid in both.

    Args:
        alpha: (H, W) float, 0..1, of a frame.
        previous: of the frame before.
        mask: (H, W) float, 0..1, of the frame; subject from 0.5 on.
        previous_mask: of the frame before.
        depth: from which a pixel is interior, as for `transparent_inside`.

    Raises:
        BadInput: the pictures differ in size, or are not float.
    """
    alpha, previous = checked(alpha, previous)
    for one in (mask, previous_mask):
        checked(alpha, one)
    inside = (_depth_of(mask >= _SUBJECT) >= depth) & (_depth_of(previous_mask >= _SUBJECT) >= depth)
    if not inside.any():
        return None
    return 1e3 * float(np.abs(alpha[inside] - previous[inside]).mean(dtype=np.float64))


def without_truth(
    alpha: FloatArray, mask: FloatArray, before: tuple[FloatArray, FloatArray] | None = None
) -> dict[str, float | None]:
    """Return all measures of `WITHOUT_TRUTH` by name.

    Args:
        alpha: (H, W) float, 0..1.
        mask: (H, W) float, 0..1, of the same frame.
        before: both of the frame before; None has no chatter.

    Raises:
        BadInput: the pictures differ in size, or are not float, or hold NaN or infinite pixels.
    """
    if not np.isfinite(alpha).all():
        raise BadInput("The alpha holds NaN or infinite pixels", "Render it again, or set these pixels to 0.")
    return {
        "inside_90": transparent_inside(alpha, mask, NEAR, SOLID),
        "inside_50": transparent_inside(alpha, mask, NEAR, HALF),
        "deep_90": transparent_inside(alpha, mask, DEEP, SOLID),
        "deep_50": transparent_inside(alpha, mask, DEEP, HALF),
        "haze": haze_outside(alpha, mask),
        "chatter": chatter_inside(alpha, before[0], mask, before[1]) if before else None,
    }


def _depth_of(region: NDArray[np.bool_]) -> FloatArray:
    """Return how far (H, W) each pixel of a region lies from its outline, as the module scales it; 0 outside.

    The frame's edge is no outline. A region without one is infinitely deep.
    """
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    distance = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    to_outline = np.maximum(np.asarray(distance, np.float32) - np.float32(0.5), 0)  # it runs between two pixels
    return np.asarray(to_outline * np.float32(STATED_AT / max(region.shape)), np.float32)
