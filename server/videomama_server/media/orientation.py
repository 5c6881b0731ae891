"""Turns pixels and windows as a file's orientation tag says, 1 to 8 as in TIFF and EXIF; pure functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videomama_server.media.geometry import Geometry, Rect

UPRIGHT = 1
_TRANSPOSED = frozenset({5, 6, 7, 8})  # rows of the file are columns of the picture
_MIRRORED = frozenset({2, 3, 6, 7})  # left to right, after that
_FLIPPED = frozenset({3, 4, 7, 8})  # top to bottom, after that


def valid(tag: object) -> int:
    """Return the tag where it is one of 1 to 8, else `UPRIGHT`."""
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else UPRIGHT


def is_transposed(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation in _TRANSPOSED


def upright(pixels: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Return pixels (H, W, C) as they are to be seen; (W, H, C) for orientations 5 to 8."""
    if orientation in _TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in _MIRRORED:
        pixels = pixels[:, ::-1]
    if orientation in _FLIPPED:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def turned(geometry: Geometry, orientation: int) -> Geometry:
    """Return the windows of the picture that `upright` makes; the display window's origin stays."""
    display, data = geometry.display, geometry.data
    x, y, w, h = data.x - display.x, data.y - display.y, data.w, data.h
    width, height, aspect = display.w, display.h, geometry.pixel_aspect
    if orientation in _TRANSPOSED:
        x, y, w, h, width, height, aspect = y, x, h, w, height, width, 1 / aspect
    if orientation in _MIRRORED:
        x = width - x - w
    if orientation in _FLIPPED:
        y = height - y - h
    return Geometry(Rect(display.x, display.y, width, height), Rect(display.x + x, display.y + y, w, h), aspect)
