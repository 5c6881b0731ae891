"""Makes the trimap: splits a frame into certain foreground, certain background and the band between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.distances import distance_to


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


_AROUND = 25.0  # pixels of a plate 1920 wide, within which a part of the mask is as thick as at its thickest
_TO_EDGE = 4.0  # pixels of a plate 1920 wide before the edge of the picture, up to which masks are carried there
_THINNEST = 1.0  # pixels that can be taken off, below which a part is too thin to have a core
_KEPT = 0.6  # share of the depth of a thin part that is taken off at most


def trimap_of(subject: BoolArray, erode: float, dilate: float, scale: float = 1.0) -> Trimap:
    """Return the trimap of a hard mask.

    Every region of the mask keeps some certain foreground, and the frame some certain background, however small
    they are against the radii; only an empty or a full mask has none of the one or the other.

    Args:
        subject: (H, W), where the mask says subject.
        erode: pixels inside the outline from which foreground is certain.
        dilate: pixels outside it from which background is certain.
        scale: pixels per pixel of a plate 1920 wide.
    """
    if subject.all() or not subject.any():
        return Trimap(subject.copy(), ~subject)
    depth, distance = distance_to(~subject), distance_to(subject)
    inside = np.minimum(np.float32(erode), _most_off(subject, depth, scale))
    if not (depth > inside).any():
        inside = np.minimum(np.float32(erode), depth.max() / 2)
    outside = min(np.float32(dilate), distance.max() / 2)
    return Trimap(subject & (depth > inside), distance > outside)


def carried(mask: FloatArray, scale: float) -> FloatArray:
    """Return a mask (H, W) that is carried to the edge of the picture where it ends just before it.

    Trackers leave the last few pixels out. The trimap does not follow: the plate has the last word there.

    Args:
        mask: (H, W), 0..1.
        scale: pixels per pixel of a plate 1920 wide.
    """
    reach, whole = max(2, round(_TO_EDGE * scale)), mask.copy()
    for turned in (whole, whole[::-1], whole.T, whole.T[::-1]):
        if len(turned) > 2 * reach:
            np.maximum(turned[:reach], turned[reach], out=turned[:reach])
    return whole


def _most_off(subject: BoolArray, depth: FloatArray, scale: float) -> FloatArray:
    """Return the most (H, W) that can be taken off a part of the mask and leave its core.

    All of it where it is so thin that the mask itself must be a guess.
    """
    regions = np.asarray(cv2.connectedComponents(subject.astype(np.uint8))[1], np.intp)
    deepest = np.zeros(int(regions.max()) + 1, np.float32)
    np.maximum.at(deepest, regions, depth)
    most = np.minimum(deepest[regions] / 2, np.float32(_KEPT) * local_depth(depth, scale))
    return np.where(most < _THINNEST, np.float32(np.inf), most)


def local_depth(depth: FloatArray, scale: float) -> FloatArray:
    """Return the depth (H, W) of the deepest pixel around each pixel: small where the mask is thin.

    Args:
        depth: (H, W), pixels to the outline, 0 outside.
        scale: pixels per pixel of a plate 1920 wide.
    """
    side = 2 * round(_AROUND * scale) + 1
    return np.asarray(cv2.dilate(depth, np.ones((side, side), np.uint8)), np.float32)
