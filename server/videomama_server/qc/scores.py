"""What quality control measures on each frame of plate, mask and alpha alone; it keeps one frame back, and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Optional

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server import metrics
from videomama_server.metrics import FloatArray

WORKING = 960  # pixels: frames with a longer side are measured at this size, which makes them quick
REACH = 60.0  # pixels at 1920: alpha further than this outside the mask is none of the subject's
DEPTH = 40.0  # pixels at 1920: a place further than this inside the mask is the subject's
_REFERENCE = 1920
_HALF = np.float32(0.5)
_HOLE = np.float32(0.1)  # alpha under this one is none
_TRACE = np.float32(0.02)  # alpha over this one is some
_AROUND = 4  # frames on either side that a change is compared with
_STILL = 0.001  # change per pixel of the subject, under which all are alike
_ALIKE = 0.06  # grey value that the plate may change by where the alpha should not
_FEW = 64  # pixels: of less than these nothing can be said

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class FrameScores:
    """The scores of one frame. None where there is nothing to measure.

    Attributes:
        frame: its number.
        iou: intersection over union of mask and alpha, both cut at 0.5; 1 when both are empty.
        mask: share of the frame that the mask covers.
        coverage: share of the frame that the alpha covers, transparency counted.
        outside: share of the alpha that lies more than `REACH` outside the mask; None where either is empty.
        softness: mean of 1 - alpha more than `DEPTH` inside the mask, but for background that a mask too large takes
            in; None for a thin subject.
        hole: how much the alpha has of holes, as a share of the mask: places near 0 that reach more than `DEPTH`
            into the mask and nowhere out of it; None for a thin subject.
        flicker: change of the alpha since the frame before, along the motion of the plate and where the plate stays
            alike (`metrics.flicker`), per pixel of the subject; None on the first frame and where there is no such
            pixel.
        seam: `flicker` over its median on the four frames before and the four after; None where there are too few.
    """

    frame: int
    iou: float
    mask: float
    coverage: float
    outside: Optional[float]
    softness: Optional[float]
    hole: Optional[float]
    flicker: Optional[float]
    seam: Optional[float] = None


@dataclass(frozen=True)
class _Before:
    """What is kept of the frame before, at working size."""

    alpha: FloatArray
    plate: FloatArray


class Gauge:
    """Measures the frames of a clip one after the other."""

    def __init__(self) -> None:
        self._before: _Before | None = None

    def add(self, frame: int, plate: FloatArray, mask: FloatArray, alpha: FloatArray) -> FrameScores:
        """Return the scores of the next frame, in clip order, all but `seam`, which needs those to come.

        Args:
            frame: its number.
            plate: (H, W, 3) float, 0..1, display-referred.
            mask: (H, W) float, 0..1, as it was given.
            alpha: (H, W) float, 0..1, what came of it.

        Raises:
            BadInput: the pictures differ in size, from each other or from the frame before.
        """
        if not plate.shape[:2] == mask.shape == alpha.shape:
            raise BadInput(
                f"plate {_size(plate)}, mask {_size(mask)} and alpha {_size(alpha)} differ in size",
                "Give the three of one job.",
            )
        now = _Before(small(alpha), small(plate))
        before, self._before = self._before, now
        if before is not None and before.alpha.shape != now.alpha.shape:
            raise BadInput(
                "the frame differs in size from the one before", "All frames of a clip must have one format."
            )
        masked = small(mask)
        outside, softness, hole = _against_mask(masked >= _HALF, now.alpha)
        return FrameScores(
            frame=frame,
            iou=metrics.jaccard(now.alpha, masked),
            mask=float(masked.mean(dtype=np.float64)),
            coverage=float(now.alpha.mean(dtype=np.float64)),
            outside=outside,
            softness=softness,
            hole=hole,
            flicker=None if before is None else _flicker(now, before),
        )


def small(picture: FloatArray) -> FloatArray:
    """Return a picture at the size at which it is measured: no side longer than `WORKING`."""
    height, width = picture.shape[:2]
    scale = WORKING / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def far_outside(mask: Bits) -> Bits:
    """Return (H, W): what lies more than `REACH` outside a mask."""
    return _beyond(~mask, REACH)


def deep_inside(mask: Bits) -> Bits:
    """Return (H, W): what lies more than `DEPTH` inside a mask. A subject that the frame cuts goes on beyond it."""
    return _beyond(mask, DEPTH)


def holes(mask: Bits, alpha: FloatArray) -> Bits:
    """Return (H, W): places without alpha that reach deep into a mask and nowhere out of it."""
    return _empty_places(mask, alpha)[0]


def _empty_places(mask: Bits, alpha: FloatArray) -> tuple[Bits, Bits]:
    """Return (H, W) twice: the places without alpha that are holes, and those that go on outside the mask.

    The latter is what a mask that is too large takes of the background.
    """
    count, places = cv2.connectedComponents((alpha < _HOLE).astype(np.uint8), connectivity=4)
    places = np.asarray(places)
    closed, open_ = np.zeros(count, bool), np.zeros(count, bool)
    closed[places[deep_inside(mask)]] = True
    open_[places[~mask]] = True
    closed &= ~open_
    closed[0] = open_[0] = False  # what has alpha
    return closed[places], open_[places]


def _beyond(region: Bits, distance: float) -> Bits:
    """Return what of a region is further than `distance`, in pixels at 1920, from what is not in it."""
    if region.all():
        return region
    away = np.asarray(cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    beyond: Bits = away > distance * max(region.shape) / _REFERENCE
    return beyond


def _against_mask(mask: Bits, alpha: FloatArray) -> tuple[float | None, float | None, float | None]:
    """Return `outside`, `softness` and `hole`."""
    total = float(alpha.sum(dtype=np.float64))
    outside = None
    if mask.any() and total >= _FEW * _TRACE:
        outside = float(alpha[far_outside(mask)].sum(dtype=np.float64)) / total
    closed, open_ = _empty_places(mask, alpha)
    inside = alpha[deep_inside(mask) & ~open_]
    if inside.size < _FEW:
        return outside, None, None
    return outside, 1 - float(inside.mean(dtype=np.float64)), np.count_nonzero(closed) / np.count_nonzero(mask)


def _flicker(now: _Before, before: _Before) -> float | None:
    """Return the change per pixel of the subject: a small one may flicker as badly as a large one."""
    subject = int(np.count_nonzero(np.maximum(now.alpha, before.alpha) > _TRACE))
    if subject < _FEW:
        return None
    whole = metrics.flicker(now.alpha, before.alpha, now.plate, before.plate, _ALIKE)
    return None if whole is None else whole / 1e3 * now.alpha.size / subject


def _size(picture: FloatArray) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def with_seams(scores: Sequence[FrameScores]) -> list[FrameScores]:
    """Return the scores of a clip with `seam` filled in; `scores` are those of neighbouring frames, in order."""
    return [replace(found, seam=_seam(scores, index)) for index, found in enumerate(scores)]


def _seam(scores: Sequence[FrameScores], index: int) -> float | None:
    around = [*scores[max(0, index - _AROUND) : index], *scores[index + 1 : index + 1 + _AROUND]]
    changes = [found.flicker for found in around if found.flicker is not None]
    here = scores[index].flicker
    if here is None or len(changes) < _AROUND:
        return None
    return here / max(median(changes), _STILL)
