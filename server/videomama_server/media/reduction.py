"""The size of a picture that is made smaller, and the making; nothing else here chooses such a size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from videomama_server.arrays import FloatArray


def reduced_sides(sides: ArrayLike, scale: float) -> NDArray[np.int64]:
    """Return sides, in pixels, at `scale`: rounded to the nearest, half to even, and never less than 1."""
    return np.maximum(1, np.rint(np.multiply(sides, scale))).astype(np.int64)


def reduced_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return the (height, width) of a picture of `size` at `scale`."""
    height, width = reduced_sides(size, scale)
    return int(height), int(width)


def fitted_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return the (height, width) at which neither side of a picture of `size` is longer than `longest`.

    Always ask with the size of the whole frame. A picture that was reduced before may round to another size.
    """
    scale = longest / max(size)
    return size if scale >= 1 else reduced_size(size, scale)


def averaged(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return a picture (H, W) or (H, W, C) made smaller by averaging to `size` (height, width); itself at that size."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32)
