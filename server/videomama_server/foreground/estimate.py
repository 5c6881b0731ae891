"""Estimates the foreground's colour from a plate and its alpha: the mix at every soft pixel, taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray

IndexArray = NDArray[np.intp]

LARGEST = 65504.0  # of a half
_SMOOTHNESS = np.float32(1e-5)  # pull of a neighbour under the same alpha
_EDGE_PULL = np.float32(0.1)  # and what a whole step of alpha adds to it
_WHOLE = 256  # longest side, in pixels, up to which every pixel is solved, not the band alone
_SMALL = 32  # and up to which a level is solved often
_OFTEN, _SELDOM = 10, 4  # rounds per level
_AROUND = 5  # pixels across that a single bright one is compared with
_OUTSHINES = 4  # times as bright as those is no part of the picture
_REACH = 2  # pixels around soft alpha that belong to the band


def estimate(plate: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return the foreground's colour (H, W, 3), not multiplied by alpha.

    Multilevel estimation (Germer, Uelwer, Conrad and Harmeling, Fast Multi-Level Foreground Estimation, 2020): the
    foreground and background that add up to the plate and change least where alpha changes, solved on a small
    picture first, which is the start for the next larger one. Other than there, neighbours pull a tenth as much
    across a step of alpha, and fine levels have four rounds instead of two, in the order of a chessboard; once the
    picture is large, only the band of soft alpha is solved.

    The plate is passed through where alpha is 1. Where it is 0, beyond the band, the colour of the nearest foreground
    runs on smoothly, so that a blur of the result pulls no dark fringe in. All is linear in the plate: twice the
    light is twice the foreground.

    Args:
        plate: (H, W, 3), in linear light, of any range. NaN counts as 0, infinite values as the largest half.
        alpha: (H, W), 0..1. NaN counts as 0. Without any foreground the result is 0 everywhere.

    Example:
        >>> plate = np.full((8, 8, 3), 0.5, np.float32)
        >>> estimate(plate, np.ones((8, 8), np.float32)).shape
        (8, 8, 3)
    """
    light = np.array(plate, np.float32, order="C")
    np.clip(np.nan_to_num(light, copy=False, nan=0.0, posinf=LARGEST, neginf=-LARGEST), -LARGEST, LARGEST, out=light)
    cover = sane_alpha(alpha)
    if not cover.any():
        return np.zeros_like(light)
    bounds = min(0.0, float(light.min())), float(light.max())
    calm = _calm(light)
    mix = _means(calm, cover)
    for size in _sizes(cover.shape):
        grown = cv2.resize(mix, size, interpolation=cv2.INTER_LINEAR)
        mix = np.asarray(grown, np.float32).reshape(size[1], size[0], 6)
        is_whole = size == (cover.shape[1], cover.shape[0])
        _solve(_Level(_sampled(light if is_whole else calm, size), _sampled(cover, size)), mix, bounds)
    foreground = np.ascontiguousarray(mix[..., :3], np.float32)
    solid = cover >= 1
    foreground[solid] = light[solid]
    return foreground


def sane_alpha(alpha: FloatArray) -> FloatArray:
    """Return an alpha (H, W) in 0..1, with 0 for NaN."""
    return np.ascontiguousarray(np.clip(np.nan_to_num(alpha, nan=0.0), 0, 1), np.float32)


@dataclass(frozen=True)
class _Level:
    """The picture at one size."""

    light: FloatArray
    cover: FloatArray

    @property
    def rounds(self) -> int:
        return _OFTEN if max(self.cover.shape) <= _SMALL else _SELDOM

    def unknown(self) -> tuple[IndexArray, ...]:
        """Return rows and columns of the pixels to solve."""
        if max(self.cover.shape) <= _WHOLE:
            return np.nonzero(np.ones(self.cover.shape, np.bool_))
        soft = ((self.cover > 0) & (self.cover < 1)).astype(np.uint8)
        reach = 2 * _REACH + 1
        return np.nonzero(np.asarray(cv2.dilate(soft, np.ones((reach, reach), np.uint8))))


@dataclass(frozen=True)
class _Half:
    """Every other pixel of those to solve, as on a chessboard: none is the neighbour of another.

    Attributes:
        here: (N,) where they are in the flat picture.
        neighbours: four of (N,); a pixel at the rim is its own neighbour there.
        shares: four of (N, 1), how much each neighbour counts; they sum to 1.
        cover: (N, 1), the alpha.
        gains: of foreground and background, (N, 1) each: how much of what the mix lacks goes to which.
        light: (N, 3).
    """

    here: IndexArray
    neighbours: list[IndexArray]
    shares: list[FloatArray]
    cover: FloatArray
    gains: tuple[FloatArray, FloatArray]
    light: FloatArray

    def solve(self, mix: FloatArray, bounds: tuple[float, float]) -> None:
        """Set foreground and background of these pixels in a flat mix (P, 6), given those of their neighbours.

        With f and b the neighbours' weighted means and W the sum of their weights, the least squares solution is
        f + a r / (W + a² + (1 - a)²), and likewise b, where r = plate - a f - (1 - a) b.
        """
        new = self.shares[0] * mix[self.neighbours[0]]
        for share, neighbour in zip(self.shares[1:], self.neighbours[1:], strict=True):
            new += share * mix[neighbour]
        lacks = self.light - self.cover * new[:, :3] - (1 - self.cover) * new[:, 3:]
        new[:, :3] += self.gains[0] * lacks
        new[:, 3:] += self.gains[1] * lacks
        mix[self.here] = np.clip(new, *bounds, out=new)


def _calm(light: FloatArray) -> FloatArray:
    """Return the picture without single pixels that outshine all around them.

    On a small picture one of those, a firefly or an infinite value, would stand for a whole region.
    """
    middle = np.asarray(cv2.medianBlur(light, 3), np.float32)
    around = np.asarray(cv2.dilate(np.abs(middle), np.ones((_AROUND, _AROUND), np.uint8)), np.float32)
    return np.where(np.abs(light) > _OUTSHINES * around, middle, light)


def _means(light: FloatArray, cover: FloatArray) -> FloatArray:
    """Return the mean foreground and background as a picture (1, 1, 6) of one pixel."""
    means = []
    for share in (cover, 1 - cover):
        total = max(float(share.sum(dtype=np.float64)), 1e-6)
        means.append(np.einsum("hwc,hw->c", light, share, dtype=np.float64) / total)
    return np.concatenate(means).reshape(1, 1, 6).astype(np.float32)


def _sizes(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the (width, height) of all levels, from one pixel to the whole picture, in steps of two at most."""
    height, width = shape
    levels = max(1, ceil(log2(max(width, height))))
    for level in range(levels + 1):
        yield max(1, round(width ** (level / levels))), max(1, round(height ** (level / levels)))


def _sampled(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return single pixels of the picture: a mean would mix what is to be taken apart."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.float32)


def _solve(level: _Level, mix: FloatArray, bounds: tuple[float, float]) -> None:
    """Improve foreground and background (h, w, 6) of one level in place."""
    if max(level.cover.shape) > _WHOLE:
        solid, clear = level.cover >= 1, level.cover <= 0
        mix[solid, :3] = level.light[solid]
        mix[clear, 3:] = level.light[clear]
    rows, columns = level.unknown()
    odd = (rows + columns) % 2 == 1
    halves = [_half(level, rows[which], columns[which]) for which in (~odd, odd)]
    flat = mix.reshape(-1, 6)
    for _ in range(level.rounds):
        for half in halves:
            half.solve(flat, bounds)


def _half(level: _Level, rows: IndexArray, columns: IndexArray) -> _Half:
    height, width = level.cover.shape
    here = rows * width + columns
    neighbours = [
        here - width * (rows > 0),
        here + width * (rows < height - 1),
        here - (columns > 0),
        here + (columns < width - 1),
    ]
    covers = level.cover.reshape(-1, 1)
    cover = covers[here]
    weights = [_SMOOTHNESS + _EDGE_PULL * np.abs(cover - covers[neighbour]) for neighbour in neighbours]
    total = weights[0] + weights[1] + weights[2] + weights[3]
    spread = total + cover**2 + (1 - cover) ** 2
    return _Half(
        here=here,
        neighbours=neighbours,
        shares=[weight / total for weight in weights],
        cover=cover,
        gains=(cover / spread, (1 - cover) / spread),
        light=level.light.reshape(-1, 3)[here],
    )
