"""Where a frame's subject should be and where it should not: what quality control measures an alpha in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray
from videomama_server.distances import distance_to

REACH = 60.0  # pixels at 1920: alpha further than this outside the mask is none of the subject's
DEPTH = 40.0  # pixels at 1920: a place further than this inside the mask is the subject's
EDGE = 14.0  # pixels at 1920: so far on either side of a mask its outline and the alpha's may differ
_BESIDE = 2  # pixels around what is measured that a measure looks at
_HOLE = np.float32(0.1)  # alpha under this one is none
FAR = 72.0  # pixels at 1920: further than this outside the mask no distance is measured
_CROSS = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
_ENDLESS = np.float32(1e4)  # pixels at 1920: depth of what has no outline

Box = tuple[slice, slice]  # rows, columns
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Regions:
    """The regions of one frame, (H, W) each.

    Attributes:
        mask: where the mask is.
        inside, outside: distance to the mask's outline within the mask, and without, in pixels at 1920; 0 elsewhere.
            A subject that the frame cuts goes on beyond it. Beyond `FAR` outside it is endless.
        closed: places without alpha that reach deep into the mask and nowhere out of it: holes.
        core: as `inside`, without places that have no alpha and go on outside: what a mask that is too large takes
            of the background.
        reach: rows and columns of all that lies in the mask or within `FAR` of it, and of `_BESIDE` pixels around.
    """

    mask: BoolArray
    inside: FloatArray
    outside: FloatArray
    closed: BoolArray
    core: FloatArray
    reach: Box


def regions(mask: BoolArray, alpha: FloatArray) -> Regions:
    """Return the regions of a frame's mask (H, W) and alpha (H, W), 0..1; only what lies near the mask is looked at."""
    side = max(mask.shape)
    near = around(mask, 1)
    farthest = math.ceil(FAR * side / REFERENCE_SIDE)
    beyond = around(mask, farthest + 1)
    masked = mask[near]
    inside = distance(masked, side)
    closed, taken = _empty_places(masked, inside, alpha[near])
    held = _on_frame(inside, near, mask.shape)
    return Regions(
        mask=mask,
        inside=held,
        outside=_on_frame(distance(~mask[beyond], side), beyond, mask.shape, float(_ENDLESS)),
        closed=_on_frame(closed, near, mask.shape),
        core=_on_frame(distance(masked & ~taken, side), near, mask.shape) if taken.any() else held,
        reach=around(mask, farthest + _BESIDE),
    )


def _on_frame(part: NDArray[Number], box: Box, shape: tuple[int, ...], beyond: float = 0) -> NDArray[Number]:
    """Return a part of a frame where it lies, and `beyond` around it."""
    whole = np.full(shape, beyond, part.dtype)
    whole[box] = part
    return whole


def around(places: BoolArray, margin: int) -> Box:
    """Return the rows and columns of all places (H, W) and of as many more on each side; those at 0 where none are."""
    x, y, width, height = cv2.boundingRect(places.view(np.uint8))
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)


def distance(region: BoolArray, side: int | None = None) -> FloatArray:
    """Return how far (H, W) each pixel of a region is from what is not in it, in pixels at 1920.

    Args:
        region: (H, W).
        side: the frame's longer side where this is a part of it.
    """
    if region.all():
        return np.full(region.shape, _ENDLESS, np.float32)
    return np.asarray(distance_to(~region) * np.float32(REFERENCE_SIDE / (side or max(region.shape))), np.float32)


def far_outside(mask: BoolArray) -> BoolArray:
    """Return (H, W): what lies more than `REACH` outside a mask."""
    return np.asarray(distance(~mask) > REACH)


def holes(mask: BoolArray, alpha: FloatArray) -> BoolArray:
    """Return (H, W): places without alpha that reach deep into a mask and nowhere out of it."""
    return _empty_places(mask, distance(mask), alpha)[0]


def _empty_places(mask: BoolArray, inside: FloatArray, alpha: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return (H, W) twice: places without alpha that are holes, and what those that leave the mask have in it."""
    count, found = cv2.connectedComponents((alpha < _HOLE).view(np.uint8), connectivity=4)
    places = np.asarray(found, np.int32)
    closed, open_ = np.zeros(count, bool), np.zeros(count, bool)
    closed[places[inside > DEPTH]] = True
    beside = cv2.dilate(mask.view(np.uint8), _CROSS).view(bool) & ~mask
    open_[places[beside]] = True  # what leaves the mask passes there
    closed &= ~open_
    closed[0] = open_[0] = False  # what has alpha
    return _those(places, closed), mask & _those(places, open_)


def _those(places: NDArray[np.int32], wanted: BoolArray) -> BoolArray:
    """Return (H, W): the places whose number is wanted; as a rule there are none."""
    return wanted[places] if wanted.any() else np.zeros(places.shape, bool)
