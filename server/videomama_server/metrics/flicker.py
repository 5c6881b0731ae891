"""Flicker without a truth: how much an alpha changes beside what moves in the plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import as_float, checked

_SMALLEST = 32  # pixels; in a smaller picture the search reads past the end of its pyramid, and may crash
_ROUND_TRIP = 0.01  # of the squared motion, how far there and back may lie apart (Sundaram et al., 2010)
_ROUND_TRIP_LEAST = 0.5  # square pixels
_Motion = tuple[FloatArray, FloatArray]  # (H, W) each: across, down


def flicker(
    alpha: FloatArray,
    previous: FloatArray,
    plate: FloatArray,
    previous_plate: FloatArray,
    alike: float | None = None,
) -> float | None:
    """Mean absolute change of an alpha along the motion of the plate, times 1e3.

    Only pixels count that come from inside the previous frame and whose motion, there and back, ends where it
    began. None when there is no such pixel.

    Args:
        alpha: (H, W) float, 0..1.
        previous: the alpha of the frame before.
        plate: (H, W, 3) float, 0..1, display-referred, of the same frame.
        previous_plate: that of the frame before.
        alike: only pixels count whose grey value in the plate, 0..1, changes by no more along the motion.

    Raises:
        BadInput: the pictures differ in size, or are not float.
    """
    alpha, previous = checked(alpha, previous)
    for picture in (plate, previous_plate):
        if picture.shape != (*alpha.shape, 3):
            raise BadInput(
                f"A plate of shape {picture.shape} does not go with an alpha of shape {alpha.shape}",
                "It must be (height, width, 3), of the alpha's size.",
            )
    change = change_along(alpha, previous, motion_view(plate), motion_view(previous_plate))
    counted = change.trusted if alike is None else change.trusted & (change.grey <= alike)
    return 1e3 * float(np.abs(change.alpha[counted]).mean(dtype=np.float64)) if counted.any() else None


@dataclass(frozen=True)
class Change:
    """How a frame differs from the one before, along the plate's motion.

    Attributes:
        alpha: (H, W) change of the alpha, -1..1.
        grey: (H, W) change of the plate's grey value, 0..1, without its sign.
        trusted: (H, W) bool: the motion comes from inside the frame before, and there and back ends where it began.
    """

    alpha: FloatArray
    grey: FloatArray
    trusted: NDArray[np.bool_]


def change_along(
    alpha: FloatArray, previous: FloatArray, view: NDArray[np.uint8], previous_view: NDArray[np.uint8]
) -> Change:
    """Return the change of an alpha along the plate's motion.

    Args:
        alpha, previous: (H, W) float, 0..1, of a frame and of the one before.
        view, previous_view: their plates, as `motion_view` gives them.
    """
    back, forth = _flow(view, previous_view), _flow(previous_view, view)
    there = _halves(back)
    origin = _places(there)
    before = cv2.merge([previous, _grey(previous_view), forth])
    moved = cv2.remap(before, *origin, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # all four in one pass
    alpha_before, grey_before, *again = (np.asarray(channel, np.float32) for channel in cv2.split(moved))
    return Change(
        alpha=np.asarray(cv2.subtract(alpha, alpha_before), np.float32),
        grey=np.asarray(cv2.absdiff(_grey(view), grey_before), np.float32),
        trusted=_inside(origin) & _returns(there, (again[0], again[1])),
    )


def motion_view(plate: FloatArray) -> NDArray[np.uint8]:
    """Return a display-referred plate (H, W, 3), 0..1, in grey (H, W), 0..255, as motion is followed in it."""
    grey = np.asarray(cv2.transform(as_float(plate), np.full((1, 3), 255 / 3, np.float32)), np.float32)
    view: NDArray[np.uint8] = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)  # the search takes nothing finer
    return view


def _flow(start: NDArray[np.uint8], end: NDArray[np.uint8]) -> FloatArray:
    """Flow (H, W, 2), x before y, by DIS (Kroeger et al., 2016)."""
    height, width = start.shape
    if np.array_equal(start, end):  # as of a frame that is held: what the search would find, too
        return np.zeros((height, width, 2), np.float32)
    beyond = (0, max(0, _SMALLEST - height), 0, max(0, _SMALLEST - width))
    one, other = (cv2.copyMakeBorder(view, *beyond, borderType=cv2.BORDER_REPLICATE) for view in (start, end))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.zeros((*one.shape, 2), np.float32)
    return np.asarray(search.calc(one, other, flow), np.float32)[:height, :width]


def _grey(view: NDArray[np.uint8]) -> FloatArray:
    return np.asarray(view.astype(np.float32) * np.float32(1 / 255), np.float32)


def _halves(flow: FloatArray) -> _Motion:
    """Return what a flow (H, W, 2) goes across and what it goes down."""
    across, down = cv2.split(flow)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _places(motion: _Motion) -> _Motion:
    """Return the columns and rows that pixels come from."""
    across, down = motion
    height, width = across.shape
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(across + columns, np.float32), np.asarray(down + rows, np.float32)


def _inside(place: _Motion) -> NDArray[np.bool_]:
    across, down = place
    height, width = across.shape
    inside: NDArray[np.bool_] = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return inside


def _returns(there: _Motion, back: _Motion) -> NDArray[np.bool_]:
    allowed = _ROUND_TRIP * (_squared(there) + _squared(back)) + _ROUND_TRIP_LEAST
    returns: NDArray[np.bool_] = _squared((there[0] + back[0], there[1] + back[1])) <= allowed
    return returns


def _squared(motion: _Motion) -> FloatArray:
    across, down = motion
    return np.asarray(across * across + down * down, np.float32)
