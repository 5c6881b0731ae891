"""What quality control keeps of a frame: plate, mask and alpha, so small that a look at each costs little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

from videomama_server import metrics
from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.media.reduction import averaged, fitted_size
from videomama_server.qc import rim
from videomama_server.qc.regions import Regions, regions
from videomama_server.qc.rim import Gap, ToDisplay

WORKING = 480  # pixels: frames with a longer side are measured at this size, which makes them quick
_ROWS = 2  # of a frame that each row of a small one is averaged from, at least: the rest is not read,
_PIXELS = 1 << 20  # and less where these come to more pixels, as they do above HD
_HALF = np.float32(0.5)
_OUT, _IN = np.float32(0.1), np.float32(0.9)  # a mask is neither between these two


@dataclass(frozen=True)
class Glimpse:
    """What is kept of plate and mask.

    Attributes:
        size: (height, width) of the frame.
        view: (H, W) uint8 at working size: the plate in grey, display-referred.
        mask: (H, W) bool at working size: where the mask is 0.5 or more.
        covered: share of the frame that the mask covers, its grey counted.
        grey: share of the frame where the mask is neither subject nor background.
        gaps: where the mask ends just before the frame.
    """

    size: tuple[int, int]
    view: NDArray[np.uint8]
    mask: BoolArray
    covered: float
    grey: float = 0.0
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Sight:
    """What is kept of a frame with its alpha.

    Attributes:
        frame: its number.
        glimpse: of plate and mask.
        alpha: (H, W) at working size, 0..1.
        uncovered: see `rim.uncovered`.
    """

    frame: int
    glimpse: Glimpse
    alpha: FloatArray
    uncovered: float = 0.0

    @cached_property
    def regions(self) -> Regions:
        """Where the subject should be and where it should not."""
        return regions(self.glimpse.mask, self.alpha)


def glimpse(plate: FloatArray, mask: FloatArray, to_display: ToDisplay) -> Glimpse:
    """Return what is kept of a frame before there is an alpha.

    Args:
        plate: (H, W, 3) float, as read; made small first, as colour takes longer than size.
        mask: (H, W) float, 0..1, as it was given.
        to_display: turns a plate into (H, W, 3), 0..1, display-referred.

    Raises:
        BadInput: they differ in size.
    """
    if plate.shape[:2] != mask.shape:
        raise BadInput(
            f"the plate is {_size(plate)}, the mask {_size(mask)}: they differ in size", "Give the two of one job."
        )
    size = mask.shape[0], mask.shape[1]
    small = fitted_size(size, WORKING)
    masked = _reduced(mask, small)
    view = metrics.motion_view(to_display(_reduced(plate, small)))
    grey = np.count_nonzero((masked > _OUT) & (masked < _IN)) / masked.size
    covered = total(masked) / masked.size
    return Glimpse(size, view, masked >= _HALF, covered, grey, rim.gaps(plate, mask, to_display))


def sight(frame: int, seen: Glimpse, alpha: FloatArray) -> Sight:
    """Return what is kept of a frame once there is an alpha (H, W), 0..1.

    Raises:
        BadInput: the alpha is of another size than plate and mask.
    """
    if alpha.shape != seen.size:
        raise BadInput(
            f"plate and mask are {seen.size[1]}x{seen.size[0]}, the alpha {_size(alpha)}: they differ in size",
            "Give the three of one job.",
        )
    small = _reduced(alpha, fitted_size(seen.size, WORKING))
    return Sight(frame, seen, small, rim.uncovered(alpha, seen.gaps))


def total(values: FloatArray, places: BoolArray | None = None) -> float:
    """Return the sum, in double precision, of values (H, W) without their signs, or of those at some places (H, W)."""
    return cv2.norm(values, cv2.NORM_L1, None if places is None else places.view(np.uint8))


def _reduced(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return a picture (H, W) or (H, W, C) averaged to `size`, of a large one from some of its rows."""
    rows = max(1, min(_ROWS, _PIXELS // (size[0] * picture.shape[1])))
    step = max(1, picture.shape[0] // (rows * size[0]))
    return averaged(picture[::step], size)


def _size(picture: FloatArray) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
