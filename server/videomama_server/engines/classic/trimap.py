"""Makes the trimap: splits a frame into certain foreground, certain background and the band between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Trimap:
    """What is known of a frame before its plate is looked at.

    Attributes:
        foreground: (H, W), alpha is certainly 1.
        background: (H, W), alpha is certainly 0.
    """

    foreground: BoolArray
    background: BoolArray

    @property
    def unknown(self) -> BoolArray:
        """(H, W): the band in which alpha is to be found."""
        return ~(self.foreground | self.background)

    def hold(self, alpha: FloatArray) -> FloatArray:
        """Return alpha (H, W) clipped to 0..1, with exactly 1 and 0 where that is certain."""
        held = np.clip(alpha, 0, 1).astype(np.float32)
        held[self.foreground] = 1
        held[self.background] = 0
        return held


def trimap_of(subject: BoolArray, erode: float, dilate: float) -> Trimap:
    """Return the trimap of a hard mask.

    Every region of the mask keeps some certain foreground, and the frame some certain background, however small
    they are against the radii; only an empty or a full mask has none of the one or the other.

    Args:
        subject: (H, W), where the mask says subject.
        erode: pixels inside the outline from which foreground is certain.
        dilate: pixels outside it from which background is certain.
    """
    if subject.all() or not subject.any():
        return Trimap(subject.copy(), ~subject)
    depth, distance = distance_to(~subject), distance_to(subject)
    # Half the depth of a thin region is the most that can be taken off either side and leave its core.
    regions = np.asarray(cv2.connectedComponents(subject.astype(np.uint8))[1], np.intp)
    deepest = np.zeros(int(regions.max()) + 1, np.float32)
    np.maximum.at(deepest, regions, depth)
    inside = np.minimum(np.float32(erode), deepest / 2)[regions]
    outside = min(np.float32(dilate), distance.max() / 2)
    return Trimap(subject & (depth > inside), distance > outside)


def distance_to(region: BoolArray) -> FloatArray:
    """Return the distance (H, W), pixels, of every pixel to the nearest one of `region` (H, W), which must have one."""
    return np.asarray(cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
