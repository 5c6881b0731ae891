"""Finds frames whose edge need not be computed, as neither alpha nor plate changed, and counts what that saved."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray, HalfArray

WINDOW = 8  # frames that are looked at together: which frame another is taken from depends on the clip alone
_GRAIN = 5  # pixels: plates are compared after a box of this side, as grain changes always
_CELL = 64  # pixels: side of the cells in which a change is looked for


@dataclass
class ReuseCount:
    """What reuse came to in one job.

    Attributes:
        computed, reused: frames.
        seconds: that the computed frames took.
        difference: the largest of alphas that were computed after all, to see how far reused ones are off.
    """

    computed: int = 0
    reused: int = 0
    seconds: float = 0.0
    difference: float = 0.0

    @property
    def saved(self) -> float:
        """Seconds, as reused frames would have taken what the others took."""
        return self.seconds / self.computed * self.reused if self.computed else 0.0

    def describe(self) -> str:
        """Return it in words; empty where nothing was computed."""
        if not self.computed:
            return ""
        return (
            f"{self.reused} of {self.computed + self.reused} frames reused, {self.saved:.1f} s saved, "
            f"largest alpha difference {self.difference:.4f} where it was measured"
        )


def changed(one: FloatArray, other: FloatArray) -> float:
    """Return the largest change between two alphas (H, W)."""
    return float(np.abs(one - other).max())


def plate_change(one: HalfArray, other: HalfArray, band: BoolArray) -> FloatArray:
    """Return the largest change (h, w) between two plates (H, W, 3) in each cell of 64 x 64 pixels of a band (H, W).

    Grain is smoothed first.
    """
    difference = np.abs(_smooth(one) - _smooth(other)).max(axis=2)
    difference[~band] = 0
    height, width = (-(-length // _CELL) * _CELL for length in band.shape)
    padded = np.zeros((height, width), np.float32)
    padded[: band.shape[0], : band.shape[1]] = difference
    return np.asarray(padded.reshape(height // _CELL, _CELL, width // _CELL, _CELL).max(axis=(1, 3)), np.float32)


def most_changed(change: FloatArray) -> tuple[int, int]:
    """Return the (y, x), in pixels, of the middle of the cell that changed most."""
    row, column = np.unravel_index(int(change.argmax()), change.shape)
    return int(row) * _CELL + _CELL // 2, int(column) * _CELL + _CELL // 2


def _smooth(plate: HalfArray) -> FloatArray:
    return np.asarray(cv2.blur(plate.astype(np.float32), (_GRAIN, _GRAIN)), np.float32)
