"""What quality control measures on each frame, by itself and against the frame before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Optional

import cv2
import numpy as np
from videomama_client.errors import BadInput

from videomama_server import metrics
from videomama_server.arrays import REFERENCE_SIDE, FloatArray
from videomama_server.media.reduction import averaged, fitted_size
from videomama_server.qc.sights import MOTION, Bits, Sight, glimpse, sight

VERSION = 1  # of what follows; scores of another one are not comparable
REACH = 60.0  # pixels at 1920: alpha further than this outside the mask is none of the subject's
DEPTH = 40.0  # pixels at 1920: a place further than this inside the mask is the subject's
_HALF = np.float32(0.5)
_HOLE = np.float32(0.1)  # alpha under this one is none
_TRACE = np.float32(0.02)  # alpha over this one is some
_AROUND = 4  # frames on either side that a change is compared with
_STILL = 0.001  # change per pixel of the subject, under which all are alike
_ALIKE = 0.06  # grey value that the plate may change by where the alpha should not
_GREAT = np.float32(0.6)  # change of alpha that makes a patch or a hole
_THICK = np.ones((3, 3), np.uint8)  # pixels at motion size: what it does not fit into is an outline, and no patch
_FEW = 64  # pixels: of less than these nothing can be said


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
        alike: share of the frame where the plate looks like the frame before, along its motion; None on the first
            frame.
        flicker: change of the alpha since the frame before, along that motion and in that share, where it can be
            trusted (`metrics.change_along`), per pixel of the subject; None on the first frame and where there is no
            such pixel.
        gain: the largest place that became subject at once, thin ones left out, measured as `flicker` is, as a share
            of the subject.
        loss: the same of what became background.
        seam: `flicker` over its median on the four frames before and the four after; None where there are too few.
    """

    frame: int
    iou: float
    mask: float
    coverage: float
    outside: Optional[float]
    softness: Optional[float]
    hole: Optional[float]
    alike: Optional[float]
    flicker: Optional[float]
    gain: Optional[float]
    loss: Optional[float]
    seam: Optional[float] = None

    @property
    def by_itself(self) -> FrameScores:
        """The scores without those that are measured against another frame."""
        return replace(self, alike=None, flicker=None, gain=None, loss=None, seam=None)


@dataclass(frozen=True)
class _Change:
    """What `FrameScores` has of a frame and the one before."""

    alike: Optional[float] = None
    flicker: Optional[float] = None
    gain: Optional[float] = None
    loss: Optional[float] = None


class Gauge:
    """Measures the frames of a clip one after the other; keeps one back."""

    def __init__(self) -> None:
        self._before: Sight | None = None

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
        return self.take(sight(frame, glimpse(plate, mask, lambda pixels: pixels), alpha))

    def take(self, now: Sight) -> FrameScores:
        """Return the same of a frame that is small already."""
        before, self._before = self._before, now
        if before is not None and before.glimpse.size != now.glimpse.size:
            raise BadInput(
                "the frame differs in size from the one before", "All frames of a clip must have one format."
            )
        return measure(now, before)


def measure(now: Sight, before: Sight | None) -> FrameScores:
    """Return the scores of a frame, all but `seam`; `before` is the frame before, of the same size, if there is one."""
    outside, softness, hole = _against_mask(now.glimpse.mask, now.alpha)
    change = _Change() if before is None else _change(now, before)
    return FrameScores(
        frame=now.frame,
        iou=metrics.jaccard(now.alpha, now.glimpse.mask.astype(np.float32)),
        mask=now.glimpse.covered,
        coverage=float(now.alpha.mean(dtype=np.float64)),
        outside=outside,
        softness=softness,
        hole=hole,
        alike=change.alike,
        flicker=change.flicker,
        gain=change.gain,
        loss=change.loss,
    )


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
    beyond: Bits = away > distance * max(region.shape) / REFERENCE_SIDE
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


def _change(now: Sight, before: Sight) -> _Change:
    """Return the change per pixel of the subject: a small one may flicker as badly as a large one."""
    size = fitted_size(now.glimpse.size, MOTION)
    alphas = averaged(now.alpha, size), averaged(before.alpha, size)
    change = metrics.change_along(*alphas, now.glimpse.view, before.glimpse.view)
    same = change.grey <= _ALIKE
    alike, counted = float(same.mean(dtype=np.float64)), same & change.trusted
    subject = int(np.count_nonzero(np.maximum(*alphas) > _TRACE))
    if subject < _FEW or not counted.any():
        return _Change(alike)
    flicker = float(np.abs(change.alpha[counted]).mean(dtype=np.float64)) * counted.size / subject
    gain, loss = (_largest(counted & (sign * change.alpha > _GREAT)) / subject for sign in (1, -1))
    return _Change(alike, flicker, gain, loss)


def _largest(places: Bits) -> int:
    """Return the pixels of the largest place, thin parts left out."""
    thick = cv2.morphologyEx(places.astype(np.uint8), cv2.MORPH_OPEN, _THICK)
    facts = cv2.connectedComponentsWithStats(thick, connectivity=4)[2]
    return int(facts[1:, cv2.CC_STAT_AREA].max(initial=0))


def runs(scores: Iterable[FrameScores]) -> Iterator[list[FrameScores]]:
    """Yield the scores of frames that follow each other by number."""
    run: list[FrameScores] = []
    for found in scores:
        if run and found.frame != run[-1].frame + 1:
            yield run
            run = []
        run.append(found)
    if run:
        yield run


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
