"""Applies a colour curve by looking it up: one pass over the pixels in place of a formula for each of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from videomama_server.arrays import FloatArray

DROPPED = 11  # of the 23 bits of a float's fraction: the 10 of a half float are kept, and two more
LARGEST = 65504.0  # of half floats
_LEAST = 2.0**-25  # below their least step
_BLOCK = 1 << 16  # numbers looked up at a time: as many as stay in the processor's cache


class CurveTable:
    """A curve of one number as a table over 0..65504, whose steps are a share of the number as those of floats are.

    Every half float is an entry of its own. Another number takes the entry nearest to it, which is 1/8192 of the
    number away at most. Negative numbers take that of 0, larger ones that of 65504; NaN may take either.

    Args:
        curve: takes (N, 3) float32 and returns what becomes of each channel; channels do not depend on each other.

    Attributes:
        first: the bits of the least entry, without those that are dropped; entry 0 stands for it and all below.
        columns: the entries (N,) of each channel; one column where the three are the same.
    """

    def __init__(self, curve: Callable[[FloatArray], FloatArray]) -> None:
        self.first = _bits(_LEAST)
        numbers = np.arange(self.first, _bits(LARGEST) + 1, dtype=np.int32) << DROPPED
        entries = numbers.view(np.float32).copy()
        entries[0] = 0.0
        self.columns = _columns(curve, entries)
        self.error = self._error(curve, entries)

    def __call__(self, pixels: FloatArray) -> FloatArray:
        """Return (H, W, 3) float32 for pixels (H, W, 3) float32, contiguous."""
        result = np.empty_like(pixels)
        width = pixels.shape[-1] * max(1, _BLOCK // pixels.shape[-1])
        flat, out = pixels.reshape(-1), result.reshape(-1)
        for start in range(0, flat.size, width):
            block = slice(start, start + width)
            self._look_up(flat[block], out[block])
        return result

    def _look_up(self, numbers: FloatArray, out: FloatArray) -> None:
        places = numbers.view(np.int32) + np.int32(1 << (DROPPED - 1))
        places >>= DROPPED
        places -= np.int32(self.first)
        if len(self.columns) == 1:
            np.take(self.columns[0], places, out=out, mode="clip")
            return
        for channel, column in enumerate(self.columns):
            out[channel::3] = np.take(column, places[channel::3], mode="clip")

    def _error(self, curve: Callable[[FloatArray], FloatArray], entries: FloatArray) -> float:
        """Return by how much the table is off at most: half way between entries, where it is the furthest away."""
        between = np.repeat((entries[:-1] + entries[1:])[:, None] * np.float32(0.5), 3, axis=1).astype(np.float32)
        return float(np.abs(curve(between.copy()) - self(between[None])[0]).max())


def _columns(curve: Callable[[FloatArray], FloatArray], entries: FloatArray) -> list[FloatArray]:
    """Return the tables of the channels: one where the three are the same."""
    found = curve(np.repeat(entries[:, None], 3, axis=1))
    columns = [np.ascontiguousarray(found[:, channel]) for channel in range(3)]
    alike = all(np.array_equal(column, columns[0]) for column in columns[1:])
    return columns[:1] if alike else columns


def _bits(number: float) -> int:
    return int(np.float32(number).view(np.int32)) >> DROPPED
