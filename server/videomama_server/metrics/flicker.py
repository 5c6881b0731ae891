"""Flicker without a truth: how much an alpha changes beside what moves in the plate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import as_float, checked

_SMALLEST = 32  # pixels; in a smaller picture the search reads past the end of its pyramid, and may crash
_ROUND_TRIP = 0.01  # of the squared motion, how far there and back may lie apart (Sundaram et al., 2010)
_ROUND_TRIP_LEAST = 0.5  # square pixels


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
    origin = back + _grid(alpha.shape)
    return Change(
        alpha=np.asarray(alpha - _moved(previous, origin), np.float32),
        grey=np.abs(_grey(view) - _moved(_grey(previous_view), origin)),
        trusted=_inside(origin) & _returns(back, _moved(forth, origin)),
    )


def motion_view(plate: FloatArray) -> NDArray[np.uint8]:
    """Return a display-referred plate (H, W, 3), 0..1, in grey (H, W), 0..255, as motion is followed in it."""
    grey = np.asarray(cv2.transform(as_float(plate), np.full((1, 3), 255 / 3, np.float32)), np.float32)
    view: NDArray[np.uint8] = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)  # the search takes nothing finer
    return view


def _flow(start: NDArray[np.uint8], end: NDArray[np.uint8]) -> FloatArray:
    """Flow (H, W, 2), x before y, by DIS (Kroeger et al., 2016)."""
    height, width = start.shape
    beyond = (0, max(0, _SMALLEST - height), 0, max(0, _SMALLEST - width))
    one, other = (cv2.copyMakeBorder(view, *beyond, borderType=cv2.BORDER_REPLICATE) for view in (start, end))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.zeros((*one.shape, 2), np.float32)
    return np.asarray(search.calc(one, other, flow), np.float32)[:height, :width]


def _grey(view: NDArray[np.uint8]) -> FloatArray:
    return np.asarray(view.astype(np.float32) * np.float32(1 / 255), np.float32)


@lru_cache(maxsize=4)
def _grid(shape: tuple[int, ...]) -> FloatArray:
    """Return the place of every pixel, (H, W, 2), x before y."""
    rows, columns = np.indices(shape, dtype=np.float32)
    places = np.stack([columns, rows], axis=-1)
    places.flags.writeable = False
    return places


def _moved(picture: FloatArray, origin: FloatArray) -> FloatArray:
    moved = cv2.remap(picture, origin, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(moved, np.float32)


def _inside(place: FloatArray) -> NDArray[np.bool_]:
    height, width = place.shape[:2]
    across, down = place[..., 0], place[..., 1]
    inside: NDArray[np.bool_] = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return inside


def _returns(there: FloatArray, back: FloatArray) -> NDArray[np.bool_]:
    allowed = _ROUND_TRIP * (_squared(there) + _squared(back)) + _ROUND_TRIP_LEAST
    returns: NDArray[np.bool_] = _squared(there + back) <= allowed
    return returns


def _squared(motion: FloatArray) -> FloatArray:
    squares = motion * motion
    return np.asarray(squares[..., 0] + squares[..., 1], np.float32)
