"""How tiles lie over a picture, and how much each counts where they overlap; nothing but numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray

STEP = 32  # pixels: tiles begin at multiples, so that a network sees the same grid of patches in all of them
OVERLAP = 128  # pixels at least
FADE = 64  # pixels in the middle of the overlap; those next to the border of a tile do not count


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        where: rows and columns of the picture.
        rows, columns: (h,) and (w,), 0..1, whose products are how much each pixel counts: all tiles give 1.
    """

    where: tuple[slice, slice]
    rows: FloatArray
    columns: FloatArray

    @property
    def weights(self) -> FloatArray:
        """(h, w), 0..1: how much each pixel counts."""
        return np.outer(self.rows, self.columns)


def laid(size: tuple[int, int], side: int) -> Iterator[Tile]:
    """Yield the tiles of a picture, row by row; they depend on its size alone, so that they stay over time.

    Args:
        size: (height, width), pixels.
        side: of a tile, pixels; a multiple of `STEP`, at least three times the overlap.
    """
    columns = _weighted(size[1], side)
    for top, down in _weighted(size[0], side):
        for left, along in columns:
            yield Tile((top, left), down, along)


def _weighted(length: int, side: int) -> list[tuple[slice, FloatArray]]:
    """Return where tiles lie along one side of a picture, with the weight of each pixel.

    In the middle of what two share, one gives way to the other along half a Hann window.
    """
    spans = _spans(length, side)
    turns = [(end + start) / 2 for (_, end), (start, _) in pairwise(spans)]
    found = []
    for index, (start, stop) in enumerate(spans):
        place = np.arange(start, stop, dtype=np.float64) + 0.5
        rising = _risen(place - turns[index - 1]) if index else np.ones_like(place)
        falling = _risen(place - turns[index]) if index < len(turns) else np.zeros_like(place)
        found.append((slice(start, stop), (rising * (1 - falling)).astype(np.float32)))
    return found


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    if length <= side:
        return [(0, length)]
    padded = ceil(length / STEP) * STEP
    count = max(2, ceil((padded - OVERLAP) / (side - OVERLAP - STEP)))
    starts = [(padded - side) * index // (count - 1) // STEP * STEP for index in range(count)]
    return [(start, min(start + side, length)) for start in starts]


def _risen(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights that rise from 0 to 1 around a turn, from the pixels that places lie after it."""
    return np.asarray(np.sin(np.pi / 2 * (away / FADE + 0.5).clip(0, 1)) ** 2)
