"""What no clean alpha has: a ragged, see-through interior, and faint remains around the subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray
from videomama_server.qc.regions import EDGE, FAR, Regions, around

SOLID = np.float32(0.9)  # alpha under this one shows what is behind
NEAR = 28.0  # pixels at 1920: the ring around a mask in which haze lies goes from here to `FAR`
_TRACE = np.float32(0.02)  # alpha over this one shows
_FAINT = np.float32(0.3)  # alpha of haze is lower
_BODY = np.float32(0.5)  # alpha from which on something is subject, wherever it lies
_STEP = np.float32(0.01)  # alpha by which it must fall from one pixel to the next
_THIN = np.float32(0.05)  # alpha that a strand has above what is beside it
_BLOCK = np.ones((3, 3), np.uint8)  # pixels, into which no strand fits
_FEW = 16  # pixels: of less than these nothing can be said
_BLURRED = 9  # pixels that reach into the slope of a picture that is blurred by 2
_LEAST_NEAR = 3.0  # pixels: a ring nearer to the mask than these holds the jags of its own outline


@dataclass(frozen=True)
class Texture:
    """The scores of `FrameScores` of these names."""

    see_through: Optional[float] = None
    ragged: float = 0.0
    veil: float = 0.0
    strands: float = 0.0
    remains: float = 0.0


def texture(where: Regions, alpha: FloatArray) -> Texture:
    """Return what an alpha (H, W), 0..1, is like within its mask and around it."""
    size = np.count_nonzero(where.mask)
    if size < _FEW:
        return Texture()
    core = where.core > EDGE
    inner = np.count_nonzero(core)
    see_through = np.count_nonzero(core & (alpha < SOLID)) / inner if inner >= _FEW else None
    veil, strands = _haze(where, alpha)
    return Texture(
        see_through=see_through,
        ragged=_falls(where.core, alpha) / float(np.sqrt(size)),
        veil=veil,
        strands=strands,
        remains=_remains(where, alpha) / size,
    )


def _haze(where: Regions, alpha: FloatArray) -> tuple[float, float]:
    """Return how much of the ring around a mask faint, even alpha covers, and how much thin lines do."""
    if NEAR * max(alpha.shape) < _LEAST_NEAR * REFERENCE_SIDE:
        return 0.0, 0.0
    outside, near = where.outside[where.reach], alpha[where.reach]
    ring = (outside > NEAR) & (outside <= FAR)
    thick = np.asarray(cv2.morphologyEx(near, cv2.MORPH_OPEN, _BLOCK), np.float32)
    return _share((thick > _TRACE) & (near < _FAINT), ring), _share(near - thick > _THIN, ring)


def _falls(core: FloatArray, alpha: FloatArray) -> float:
    """Return by how much an alpha falls on the way inwards, summed over the pixels of a mask's interior.

    At a soft edge, however wide, it rises all the way. It falls where something well inside is see-through.
    """
    near = around(core > EDGE, _BLURRED)
    core, alpha = core[near], alpha[near]
    across, down = _slope(cv2.GaussianBlur(alpha, (0, 0), 1))
    in_across, in_down = _slope(cv2.GaussianBlur(core, (0, 0), 2))
    steep = np.maximum(cv2.magnitude(in_across, in_down), np.float32(1e-3))
    fall = -(across * in_across + down * in_down) / steep
    return float(fall[(core > EDGE) & (fall > _STEP)].sum(dtype=np.float64))


def _slope(picture: object) -> tuple[FloatArray, FloatArray]:
    """Return the change of a picture (H, W) per pixel, across and down."""
    soft = np.asarray(picture, np.float32)
    return (
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32),
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32),
    )


def _remains(where: Regions, alpha: FloatArray) -> int:
    """Return the pixels of faint places outside a mask that hang together with no subject."""
    far = where.outside > EDGE
    if not ((alpha > _TRACE) & far).any():  # as a rule
        return 0
    count, places = cv2.connectedComponents((alpha > _TRACE).view(np.uint8), connectivity=8)
    held = np.zeros(count, bool)
    held[np.asarray(places)[where.mask | (alpha > _BODY)]] = True
    held[0] = True  # what has no alpha
    return int(np.count_nonzero(~held[np.asarray(places)] & far))


def _share(places: BoolArray, ring: BoolArray) -> float:
    size = np.count_nonzero(ring)
    return np.count_nonzero(places & ring) / size if size else 0.0
