"""Which pixels of a row become which when it is resized: OpenCV's own choices, for who resizes on another device.

The shares are OpenCV's, so that what is made with them rounds as on the host. Behind it come half floats and
thresholds, which can turn another last digit into a difference that counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray

_LEAST_SHARE = 1e-3  # of a pixel: OpenCV leaves out what an average covers less of


@dataclass(frozen=True)
class Taps:
    """What the pixels of a resized row are sums of.

    Attributes:
        places: (K, n) pixels of the row that is resized, ascending: K for each of n.
        shares: (K, n) float32, how much of each; 0 where fewer than K are needed.
    """

    places: NDArray[np.int64]
    shares: FloatArray


def taps(own: int, wanted: int) -> Taps:
    """Return the taps of a row of `own` pixels for `wanted`: averaged where it shrinks, bilinear where it grows."""
    return averaged(own, wanted) if wanted < own else interpolated(own, wanted)


def averaged(own: int, wanted: int) -> Taps:
    """Return the taps of `cv2.INTER_AREA` for a row of `own` pixels that shrinks to `wanted`."""
    scale = own / wanted
    starts = np.arange(wanted) * scale
    stops = starts + scale
    width = np.minimum(scale, own - starts)
    last = np.minimum(np.floor(stops), own - 1)
    first = np.minimum(np.ceil(starts), last)
    before = np.where(first - starts > _LEAST_SHARE, first - starts, 0)
    after = np.where(stops - last > _LEAST_SHARE, np.minimum(np.minimum(stops - last, 1), width), 0)
    places = first - 1 + np.arange(int((last - first).max()) + 2)[:, None]
    covered = np.where(places < first, before, np.where(places < last, 1.0, np.where(places == last, after, 0)))
    return Taps(np.clip(places, 0, own - 1).astype(np.int64), (covered / width).astype(np.float32))


def interpolated(own: int, wanted: int) -> Taps:
    """Return the two taps of `cv2.INTER_LINEAR` for a row of `own` pixels that grows to `wanted`."""
    place = (np.arange(wanted) + 0.5) * (own / wanted) - 0.5
    first = np.clip(np.floor(place), 0, own - 1).astype(np.int64)
    share = np.clip(place - first, 0, 1).astype(np.float32)
    return Taps(np.stack((first, np.minimum(first + 1, own - 1))), np.stack((np.float32(1) - share, share)))
