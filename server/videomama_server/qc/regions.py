"""Where a frame's subject should be and where it should not: what quality control measures an alpha in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray
from videomama_server.distances import distance_to

REACH = 60.0  # pixels at 1920: alpha further than this outside the mask is none of the subject's
DEPTH = 40.0  # pixels at 1920: a place further than this inside the mask is the subject's
EDGE = 14.0  # pixels at 1920: so far on either side of a mask its outline and the alpha's may differ
_HOLE = np.float32(0.1)  # alpha under this one is none
_ENDLESS = np.float32(1e4)  # pixels at 1920: depth of what has no outline


@dataclass(frozen=True)
class Regions:
    """The regions of one frame, (H, W) each.

    Attributes:
        mask: where the mask is.
        inside, outside: distance to the mask's outline within the mask, and without, in pixels at 1920; 0 elsewhere.
            A subject that the frame cuts goes on beyond it.
        closed: places without alpha that reach deep into the mask and nowhere out of it: holes.
        core: as `inside`, without places that have no alpha and go on outside: what a mask that is too large takes
            of the background.
    """

    mask: BoolArray
    inside: FloatArray
    outside: FloatArray
    closed: BoolArray
    core: FloatArray


def regions(mask: BoolArray, alpha: FloatArray) -> Regions:
    """Return the regions of a frame's mask (H, W) and alpha (H, W), 0..1."""
    inside = distance(mask)
    closed, open_ = _empty_places(mask, inside, alpha)
    taken = mask & open_
    core = distance(mask & ~open_) if taken.any() else inside
    return Regions(mask, inside, distance(~mask), closed, core)


def distance(region: BoolArray) -> FloatArray:
    """Return how far (H, W) each pixel of a region is from what is not in it, in pixels at 1920."""
    if region.all():
        return np.full(region.shape, _ENDLESS, np.float32)
    return np.asarray(distance_to(~region) * np.float32(REFERENCE_SIDE / max(region.shape)), np.float32)


def far_outside(mask: BoolArray) -> BoolArray:
    """Return (H, W): what lies more than `REACH` outside a mask."""
    return np.asarray(distance(~mask) > REACH)


def holes(mask: BoolArray, alpha: FloatArray) -> BoolArray:
    """Return (H, W): places without alpha that reach deep into a mask and nowhere out of it."""
    return _empty_places(mask, distance(mask), alpha)[0]


def _empty_places(mask: BoolArray, inside: FloatArray, alpha: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return (H, W) twice: the places without alpha that are holes, and those that go on outside the mask."""
    count, places = cv2.connectedComponents((alpha < _HOLE).view(np.uint8), connectivity=4)
    places = np.asarray(places)
    closed, open_ = np.zeros(count, bool), np.zeros(count, bool)
    closed[places[inside > DEPTH]] = True
    open_[places[~mask]] = True
    closed &= ~open_
    closed[0] = open_[0] = False  # what has alpha
    return closed[places], open_[places]
