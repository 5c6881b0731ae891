"""What quality control measures on each frame, by itself and against the frame before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Optional

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server import metrics
from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.qc.regions import DEPTH, EDGE, REACH
from videomama_server.qc.sights import Sight, glimpse, sight, total
from videomama_server.qc.texture import texture

VERSION = 2  # of what follows; scores of another one are not comparable
_HALF = np.float32(0.5)
_TRACE = np.float32(0.02)  # alpha over this one is some
_AROUND = 4  # frames on either side that a change is compared with
_STILL = 0.001  # change per pixel of the subject, under which all are alike
_ALIKE = 0.06  # grey value that the plate may change by where the alpha should not
_GREAT = np.float32(0.6)  # change of alpha that makes a patch or a hole
_SOME = np.float32(0.2)  # change of alpha well inside the mask that makes something see-through
_THICK = np.ones((3, 3), np.uint8)  # pixels at working size: what it does not fit into is an outline, and no patch
_FEW = 16  # pixels: of less than these nothing can be said


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
        gain: the largest place that became subject at once and not in the mask too, thin ones left out, measured as
            `flicker` is, as a share of the subject.
        loss: the same of what became background.
        see_through: share of the mask more than `EDGE` inside, without background that it takes in, where the alpha
            is under 0.9; None for a thin subject.
        ragged: by how much the alpha falls on the way inwards, there, per square root of the mask's pixels.
        faded: the largest place there that became see-through at once, measured as `gain` is.
        restored: the same of what became solid.
        veil: share of the ring around the mask that faint, even alpha covers.
        strands: share of the ring that thin lines of alpha cover.
        remains: faint places outside the mask that hang together with no subject, as a share of the mask.
        inverse: intersection over union of the mask and what the alpha leaves, as `iou`.
        edge: share of the frame's sides that is mask, of the side with the second least.
        grey: share of the frame where the mask is neither subject nor background.
        plain: share of the plate that is of two shades, as a mask is.
        uncovered: share of a side of the frame, just before which mask and alpha end and the plate goes on as it is.
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
    see_through: Optional[float] = None
    ragged: float = 0.0
    faded: Optional[float] = None
    restored: Optional[float] = None
    veil: float = 0.0
    strands: float = 0.0
    remains: float = 0.0
    inverse: float = 0.0
    edge: float = 0.0
    grey: float = 0.0
    plain: float = 0.0
    uncovered: float = 0.0
    seam: Optional[float] = None

    @property
    def by_itself(self) -> FrameScores:
        """The scores without those that are measured against another frame."""
        return replace(self, alike=None, flicker=None, gain=None, loss=None, faded=None, restored=None, seam=None)


@dataclass(frozen=True)
class _Change:
    """What `FrameScores` has of a frame and the one before."""

    alike: Optional[float] = None
    flicker: Optional[float] = None
    gain: Optional[float] = None
    loss: Optional[float] = None
    faded: Optional[float] = None
    restored: Optional[float] = None


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
    mask, alpha = now.glimpse.mask, now.alpha
    outside, softness, hole = _against_mask(now)
    change = _Change() if before is None else _change(now, before)
    return FrameScores(
        frame=now.frame,
        iou=metrics.iou(mask, alpha >= _HALF),
        mask=now.glimpse.covered,
        coverage=total(alpha) / alpha.size,
        outside=outside,
        softness=softness,
        hole=hole,
        inverse=metrics.iou(mask, alpha < _HALF),
        edge=_covered_sides(mask),
        grey=now.glimpse.grey,
        plain=_plain(now.glimpse.view),
        uncovered=now.uncovered,
        **asdict(texture(now.regions, alpha)),
        **asdict(change),
    )


def _covered_sides(mask: BoolArray) -> float:
    """Return how much of each of the frame's four sides is mask, of the side with the second least."""
    return sorted(float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))[1]


def _plain(view: NDArray[np.uint8]) -> float:
    """Return how much of a view (H, W) has one of its two most frequent shades."""
    shades = cv2.calcHist([view], [0], None, [256], [0, 256])
    return int(np.sort(shades, axis=None)[-2:].sum()) / view.size


def _against_mask(now: Sight) -> tuple[float | None, float | None, float | None]:
    """Return `outside`, `softness` and `hole`."""
    alpha, where = now.alpha, now.regions
    whole, size = total(alpha), np.count_nonzero(where.mask)
    outside = None
    if size and whole >= _FEW * _TRACE:
        outside = total(alpha, where.outside > REACH) / whole
    inside = (where.inside > DEPTH) & (where.core > 0)
    pixels = np.count_nonzero(inside)
    if pixels < _FEW:
        return outside, None, None
    return outside, 1 - total(alpha, inside) / pixels, np.count_nonzero(where.closed) / size


def _change(now: Sight, before: Sight) -> _Change:
    """Return the change per pixel of the subject: a small one may flicker as badly as a large one."""
    change = metrics.change_along(now.alpha, before.alpha, now.glimpse.view, before.glimpse.view)
    same = change.grey <= _ALIKE
    alike, counted = np.count_nonzero(same) / same.size, same & change.trusted
    subject = int(np.count_nonzero(np.maximum(now.alpha, before.alpha) > _TRACE))
    if subject < _FEW or not counted.any():
        return _Change(alike)
    flicker = total(change.alpha, counted) / np.count_nonzero(counted) * counted.size / subject
    mask, mask_before = now.glimpse.mask, before.glimpse.mask
    within = counted & (now.regions.core > EDGE) & (before.regions.core > EDGE)
    gain = counted & (change.alpha > _GREAT) & ~(mask & ~mask_before)  # what the mask gains, too, is a subject
    loss = counted & (change.alpha < -_GREAT) & ~(mask_before & ~mask)
    faded, restored = within & (change.alpha < -_SOME), within & (change.alpha > _SOME)
    return _Change(alike, flicker, *(_largest(places) / subject for places in (gain, loss, faded, restored)))


def _largest(places: BoolArray) -> int:
    """Return the pixels of the largest place, thin parts left out."""
    if not places.any():  # as a rule
        return 0
    thick = cv2.morphologyEx(places.view(np.uint8), cv2.MORPH_OPEN, _THICK)
    x, y, width, height = cv2.boundingRect(thick)
    if not width:  # as a rule, too
        return 0
    facts = cv2.connectedComponentsWithStats(thick[y : y + height, x : x + width], connectivity=4)[2]
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
