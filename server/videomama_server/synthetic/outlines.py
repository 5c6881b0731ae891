"""Draws outlines round an exact alpha as good masks have them: a careful roto's, and a network's.

All lengths are in pixels of a picture 1920 wide. What is drawn depends on the frame's index alone.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from videomama_server.arrays import REFERENCE_SIDE, ByteArray, FloatArray
from videomama_server.distances import signed_depth

_STRAY = 1.0  # pixels that a careful outline strays at most, on every frame elsewhere
_STRAY_CELLS = (12, 20)  # places, down and across, that stray each on its own
_GRID = 256  # cells a side of a network's answer, which is stretched over the whole picture
_ROUNDING = 0.9  # cells: sigma of what rounds corners and loses thin parts
_LASTING, _PASSING = 3.0, 1.5  # pixels that a network's outline wanders: over some frames, and on each
_WANDER_CELLS = (6, 9)
_FARTHEST = 5.0  # pixels it wanders at most
_TURN = 6  # frames after which it has wandered elsewhere
_SHORT = (2.0, 4.0)  # pixels before the picture's edge at which some networks' masks end
_BIAS, _LAST, _PASS, _STRAYED, _END = range(5)  # keys of the random streams


class Streams(Protocol):
    """Makes the random stream that belongs to some keys."""

    def __call__(self, *keys: int) -> np.random.Generator:
        """Make the stream, from its beginning."""
        ...


def hard(alpha: FloatArray) -> ByteArray:
    """Cut an alpha (H, W), 0..1, in half: 1 where an 8-bit alpha is above 127."""
    return (alpha >= 0.5).astype(np.uint8)


def careful(alpha: FloatArray, index: int, streams: Streams) -> ByteArray:
    """Return the mask (H, W) of somebody who draws every frame well: the exact one, strayed by up to a pixel.

    What is thin keeps its thickness, and the outline jitters, as nobody draws twice the same.

    Args:
        alpha: (H, W), 0..1, exact.
        index: of the frame.
        streams: makes the random streams.
    """
    height, width = alpha.shape
    rng = streams(_STRAYED, index)
    x, y = (_smooth_field(rng, _STRAY_CELLS, alpha.shape) for _ in range(2))
    length = _scale(alpha) * _STRAY / np.maximum(1, np.hypot(x, y))
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    away_x, away_y = (columns + x * length).astype(np.float32), (rows + y * length).astype(np.float32)
    return hard(np.asarray(cv2.remap(alpha, away_x, away_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)))


def network(alpha: FloatArray, index: int, streams: Streams, bias: tuple[float, float] = (-1.0, 1.0)) -> ByteArray:
    """Return the mask (H, W) that a segmenting network leaves.

    Its answer has few cells, so corners are rounded, and what is thinner than about ten pixels is lost. On top its
    outline wanders by up to five pixels, partly anew on every frame, and lies too far out or in as a whole.

    Args:
        alpha: (H, W), 0..1, exact.
        index: of the frame.
        streams: makes the random streams.
        bias: pixels, from and to, of which a clip draws by how much its outlines lie too far out; negative for in.
    """
    coarse = cv2.GaussianBlur(cv2.resize(alpha, (_GRID, _GRID), interpolation=cv2.INTER_AREA), (0, 0), _ROUNDING)
    subject = np.asarray(cv2.resize(coarse, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)) >= 0.5
    if subject.all() or not subject.any():
        return subject.astype(np.uint8)
    off = streams(_BIAS).uniform(*bias) + np.clip(_wandered(alpha.shape, index, streams), -_FARTHEST, _FARTHEST)
    return (signed_depth(subject) > -_scale(alpha) * off).astype(np.uint8)


def short_network(alpha: FloatArray, index: int, streams: Streams) -> ByteArray:
    """Return the mask (H, W) of a network that ends some pixels before the picture does; arguments as for `network`."""
    mask = network(alpha, index, streams)
    end = max(1, round(streams(_END).uniform(*_SHORT) * _scale(alpha)))
    inner = np.zeros_like(mask)
    inner[end:-end, end:-end] = mask[end:-end, end:-end]
    return mask if mask.all() else inner


def _wandered(shape: tuple[int, ...], index: int, streams: Streams) -> FloatArray:
    """Return how far (H, W) an outline has wandered: slowly from place to place, and a little on every frame."""
    turn, along = divmod(index, _TURN)
    before, after = (_smooth_field(streams(_LAST, turn + step), _WANDER_CELLS, shape) for step in (0, 1))
    share = along / _TURN
    lasting = (before * (1 - share) + after * share) / np.hypot(1 - share, share)
    passing = _smooth_field(streams(_PASS, index), _WANDER_CELLS, shape)
    return np.asarray(lasting * _LASTING + passing * _PASSING, np.float32)


def _smooth_field(rng: np.random.Generator, cells: tuple[int, int], shape: tuple[int, ...]) -> FloatArray:
    """Return smooth noise (H, W) about as strong as that of its cells, which is standard normal."""
    noise = rng.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _scale(picture: FloatArray) -> float:
    """Return how many of its pixels one pixel of a picture 1920 wide is."""
    return float(max(picture.shape)) / REFERENCE_SIDE
