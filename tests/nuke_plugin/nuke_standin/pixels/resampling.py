"""Scales pictures: area averages when they shrink, linear interpolation when they grow.

Nuke has better filters; size, box and the place of pixel centres are what the tests rely on.
"""

from __future__ import annotations

import numpy as np

from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.picture import Picture, Plane


def transformed(source: Picture, form: Format, scale: tuple[float, float], shift: tuple[float, float]) -> Picture:
    """`source` scaled about the origin, then moved by `shift` pixels, in the format `form`."""
    sx, sy = scale
    box = source.box.scaled(sx, sy)
    whole = Box(
        int(np.floor(box.x + shift[0] + 1e-6)),
        int(np.floor(box.y + shift[1] + 1e-6)),
        int(np.ceil(box.r + shift[0] - 1e-6)),
        int(np.ceil(box.t + shift[1] - 1e-6)),
    )

    def fetch(name: str) -> Plane:
        across = weights(whole.x - shift[0], whole.width, sx, source.box.x, source.box.width)
        up = weights(whole.y - shift[1], whole.height, sy, source.box.y, source.box.height)
        return (up @ source.whole(name).astype(np.float64) @ across.T).astype(np.float32)

    return Picture(form, whole, source.channels, fetch, source.padded)


def weights(start: float, count: int, scale: float, source_start: int, source_count: int) -> np.ndarray:
    """(count, source_count): what each source pixel gives to each new one; rows sum to one, edges are repeated."""
    table = np.zeros((count, source_count))
    for row in range(count):
        low = (start + row) / scale - source_start
        high = (start + row + 1) / scale - source_start
        for index, weight in _shares(low, high):
            table[row, min(max(index, 0), source_count - 1)] += weight
    return table


def _shares(low: float, high: float) -> list[tuple[int, float]]:
    if high - low < 1:
        centre = (low + high) / 2 - 0.5
        first = int(np.floor(centre))
        return [(first, 1 - (centre - first)), (first + 1, centre - first)]
    span = high - low
    indexes = range(int(np.floor(low + 1e-9)), int(np.ceil(high - 1e-9)))
    return [(i, (min(high, i + 1) - max(low, i)) / span) for i in indexes]
