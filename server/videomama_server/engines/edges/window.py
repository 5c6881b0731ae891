"""Refines the frames of one window, of which some may take over the edge of an earlier one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from videomama_server.arrays import BoolArray, ByteArray, FloatArray, HalfArray
from videomama_server.engines.edges import reuse
from videomama_server.engines.edges.refining import Estimate, busy_tiles, refined
from videomama_server.engines.edges.reuse import ReuseCount
from videomama_server.engines.edges.tiles import Tile
from videomama_server.engines.edges.trimap import FOREGROUND


@dataclass
class EdgeFrame:
    """One frame before its edge is refined.

    Attributes:
        alpha: (H, W), 0..1, the alpha before.
        unknown: (H, W), what is refined.
        scale: pixels per pixel of a plate 1920 wide.
        trimap: (H, W); None once the frame is refined, and where nothing is unknown.
        plate: (H, W, 3), 0..1, display-referred, in half precision, as several wait, where a tile has unknown pixels;
            None likewise.
        view: (h, w, 3), to follow motion in; None where nothing is unknown or steadied.
    """

    alpha: FloatArray
    unknown: BoolArray
    scale: float
    trimap: ByteArray | None = None
    plate: HalfArray | None = None
    view: FloatArray | None = None


def shown(frame: EdgeFrame) -> FloatArray:
    """Return the trimap (H, W) of a frame to look at: 0 background, 0.5 unknown, 1 subject."""
    if frame.trimap is None:
        return np.rint(frame.alpha)
    return np.where(frame.unknown, np.float32(0.5), (frame.trimap == FOREGROUND).astype(np.float32))


class EdgeWindow:
    """The frames of one window, one after the other.

    Args:
        estimate: the network.
        side: of a tile, pixels.
        tolerance: change of alpha and plate up to which an edge is taken over; 0 for never.
        count: takes what that came to.
    """

    def __init__(self, estimate: Estimate, side: int, tolerance: float, count: ReuseCount) -> None:
        self._network, self._side, self._tolerance, self._count = estimate, side, tolerance, count
        self._last: tuple[EdgeFrame, FloatArray] | None = None  # that was computed
        self._doubt: tuple[float, EdgeFrame, EdgeFrame, tuple[int, int]] | None = None  # what changed most

    def alpha_of(self, frame: EdgeFrame) -> FloatArray:
        """Return the refined alpha (H, W) of the next frame."""
        if frame.plate is None or frame.trimap is None:
            return frame.alpha
        taken = self._taken_over(frame)
        if taken is not None:
            return taken
        began = time.monotonic()
        alpha = refined(frame.alpha, frame.plate, frame.trimap, self._network, self._side, frame.scale)
        self._count.seconds += time.monotonic() - began
        self._count.computed += 1
        self._last = (frame, alpha)
        return alpha

    def measure(self) -> None:
        """Compute the tile of a reused frame that changed most, to see how far the edge that it took over is off."""
        if self._doubt is None:
            return
        _, frame, source, (y, x) = self._doubt
        for tile in busy_tiles(frame.unknown, self._side):
            rows, columns = tile.where
            if not (rows.start <= y < rows.stop and columns.start <= x < columns.stop):
                continue
            band = frame.unknown[tile.where] & source.unknown[tile.where]
            now, then = (self._estimate(each, tile) for each in (frame, source))
            off = float(np.abs(now - then)[band].max(initial=0))
            self._count.difference = max(self._count.difference, off)
            return

    def _taken_over(self, frame: EdgeFrame) -> FloatArray | None:
        if not self._tolerance or self._last is None or frame.plate is None:
            return None
        source, edge = self._last
        if reuse.changed(frame.alpha, source.alpha) > self._tolerance or source.plate is None:
            return None
        change = reuse.plate_change(frame.plate, source.plate, frame.unknown)
        if change.max() > self._tolerance:
            return None
        self._count.reused += 1
        if self._doubt is None or change.max() >= self._doubt[0]:
            self._doubt = (float(change.max()), frame, source, reuse.most_changed(change))
        return np.where(frame.unknown, edge, frame.alpha)

    def _estimate(self, frame: EdgeFrame, tile: Tile) -> FloatArray:
        assert frame.plate is not None  # kept until the window is done
        assert frame.trimap is not None
        return self._network(np.asarray(frame.plate[tile.where], np.float32), frame.trimap[tile.where])
