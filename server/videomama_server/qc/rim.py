"""Finds where a mask ends just before the frame does although the plate goes on as it is within the mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray

_GAP = 16.0  # pixels at 1920, the widest
_LONG = 60.0  # pixels at 1920 that it runs along the frame's edge, at least
_AS_BEFORE = 0.06  # display value by which the plate changes from within the mask to the frame's edge, at most
_GRAIN = 9  # pixels along the frame's edge, over which grain is averaged away
_HALF = np.float32(0.5)
_FALL = np.float32(0.3)  # of the alpha from within the mask to the frame's edge: less is no fault

ToDisplay = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Gap:
    """A straight strip between mask and frame: how often the picture is turned to have it on top, where, how wide."""

    turns: int
    columns: slice
    rows: int


def gaps(plate: FloatArray, mask: FloatArray, to_display: ToDisplay) -> tuple[Gap, ...]:
    """Return the gaps of a frame, one for each side at most.

    Args:
        plate: (H, W, 3) float, as read.
        mask: (H, W) float, 0..1, of the same size.
        to_display: turns a plate into (H, W, 3), 0..1, display-referred.
    """
    scale = max(mask.shape) / REFERENCE_SIDE
    found = []
    for turns in range(4):
        gap = _gap(np.rot90(mask, turns), turns, scale)
        if gap is not None and _goes_on(np.rot90(plate, turns), gap, to_display):
            found.append(gap)
    return tuple(found)


def uncovered(alpha: FloatArray, found: Sequence[Gap]) -> float:
    """Return how much of a side of the frame has gaps that an alpha (H, W), 0..1, leaves open, too; 0..1."""
    shares = [0.0]
    for gap in found:
        turned = np.rot90(alpha, gap.turns)
        fall = turned[gap.rows + 1, gap.columns] - turned[0, gap.columns]
        shares.append(np.count_nonzero(fall > _FALL) / turned.shape[1])
    return max(shares)


def _gap(mask: FloatArray, turns: int, scale: float) -> Gap | None:
    """Return the longest straight gap above a mask (H, W)."""
    deepest = max(1, round(_GAP * scale))
    if len(mask) < deepest + 3:
        return None
    strip = mask[: deepest + 1]
    if strip.max() < _HALF:  # as a rule
        return None
    solid = strip >= _HALF
    rows = np.where(solid.any(axis=0), solid.argmax(axis=0), 0)
    if not rows.any():
        return None
    usual = int(np.argmax(np.bincount(rows)[1:])) + 1
    columns = _longest((rows > 0) & (np.abs(rows - usual) <= 1))
    if columns.stop - columns.start < max(4.0, _LONG * scale):
        return None
    return Gap(turns, columns, usual)


def _longest(flags: BoolArray) -> slice:
    """Return the longest run of what is true."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    starts, stops = ends[::2], ends[1::2]
    longest = int(np.argmax(stops - starts))
    return slice(int(starts[longest]), int(stops[longest]))


def _goes_on(plate: FloatArray, gap: Gap, to_display: ToDisplay) -> bool:
    """Whether a plate looks at the frame's edge as it does within the mask."""
    rows = np.stack([plate[0, gap.columns], plate[gap.rows + 1, gap.columns]])
    shown = cv2.blur(to_display(np.ascontiguousarray(rows, np.float32)), (_GRAIN, 1))
    return bool(np.median(np.abs(shown[0] - shown[1]).max(axis=-1)) <= _AS_BEFORE)
