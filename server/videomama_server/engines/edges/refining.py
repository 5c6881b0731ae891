"""Refines the unknown band of one alpha, tile by tile, and joins the result to the alpha outside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from videomama_server.arrays import BoolArray, ByteArray, FloatArray, HalfArray
from videomama_server.distances import distance_to
from videomama_server.engines.edges.blocks import blocks
from videomama_server.engines.edges.tiles import Tile, laid
from videomama_server.engines.edges.trimap import UNKNOWN

Estimate = Callable[[FloatArray, ByteArray], FloatArray]
"""Returns the alpha (h, w) of a plate (h, w, 3), 0..1, and a trimap (h, w): of one tile."""
_JOINT = 4.0  # pixels of a plate 1920 wide, from the rim of the band, within which the alpha before gives way


def busy_tiles(unknown: BoolArray, side: int) -> list[Tile]:
    """Return the tiles that have unknown pixels (H, W) which count in them; the others are not worth a look."""
    size = (unknown.shape[0], unknown.shape[1])
    return [tile for tile in laid(size, side) if (unknown[tile.where] & (tile.weights > 0)).any()]


def refined(
    alpha: FloatArray,
    plate: FloatArray | HalfArray,
    trimap: ByteArray,
    estimate: Estimate,
    side: int,
    scale: float,
) -> FloatArray:
    """Return an alpha (H, W), 0..1, that is refined in the unknown band and stays as it is outside, bit for bit.

    Args:
        alpha: (H, W), 0..1, the alpha before.
        plate: (H, W, 3), 0..1, display-referred.
        trimap: (H, W), of the alpha.
        estimate: the network.
        side: of a tile, pixels.
        scale: pixels per pixel of a plate 1920 wide.
    """
    unknown = trimap == UNKNOWN
    found = np.where(unknown, np.float32(0), alpha)
    for tile in busy_tiles(unknown, side):
        here, where = unknown[tile.where], tile.where
        guess = estimate(np.asarray(plate[where], np.float32), trimap[where])
        found[where][here] += (tile.weights * guess)[here]
    return _joined(alpha, found, unknown, _JOINT * scale)


def _joined(alpha: FloatArray, found: FloatArray, unknown: BoolArray, width: float) -> FloatArray:
    """Return what was found, in place, so that it leaves the alpha before smoothly at the rim of the band."""
    for block in blocks((alpha.shape[0], alpha.shape[1]), int(width) + 2):
        around = unknown[block.around]
        if around.all() or not around.any():
            continue
        away = distance_to(~around)[block.inner]
        at = np.clip((away - np.float32(0.5)) / np.float32(max(width, 1.0)), 0, 1)
        share = at * at * (3 - 2 * at)
        here, before = found[block.own], alpha[block.own]
        here[...] = np.where(unknown[block.own], before + share * (here - before), before)
    return np.clip(found, 0, 1, out=found)
