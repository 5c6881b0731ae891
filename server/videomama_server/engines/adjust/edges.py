"""Grows, softens, moves and grades one alpha. Pure functions; each returns its input where it is asked for nothing."""

from __future__ import annotations

from math import floor

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.disks import extreme_in_disk, half_width

_ROUNDER = 0.3  # pixels: with these beyond its radius a disk of pixels reaches nearly as far along diagonals


def grown(alpha: FloatArray, radius: float) -> FloatArray:
    """Return an alpha grown by grey-scale morphology; never smaller for a larger radius.

    Between two whole radii it is mixed from both, so that a straight edge moves by the very distance. What lies
    outside the picture counts as being like its rim: a subject cut by the frame stays cut by it.

    Args:
        alpha: (H, W), 0..1.
        radius: pixels; negative shrinks.
    """
    rows, columns = (np.flatnonzero((alpha > 0).any(axis=axis)) for axis in (1, 0))
    if not radius or not rows.size:
        return alpha
    whole = floor(abs(radius))
    extreme, margin = np.maximum if radius > 0 else np.minimum, whole + 2
    held = np.s_[
        max(0, rows[0] - margin) : rows[-1] + 1 + margin, max(0, columns[0] - margin) : columns[-1] + 1 + margin
    ]
    near = _extreme(alpha[held], extreme, whole)
    changed = alpha.copy()
    changed[held] = near
    share = np.float32(abs(radius) - whole)
    if share:
        changed[held] += share * (_extreme(alpha[held], extreme, whole + 1) - near)
    return changed


def _extreme(alpha: FloatArray, extreme: np.ufunc, radius: int) -> FloatArray:
    if not radius:
        return alpha
    margin = half_width(radius + _ROUNDER, 0)
    padded = cv2.copyMakeBorder(alpha, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    return extreme_in_disk(np.asarray(padded, np.float32), extreme, radius + _ROUNDER)


def feathered(alpha: FloatArray, deviation: float) -> FloatArray:
    """Return an alpha (H, W), 0..1, blurred by a Gaussian of a standard deviation in pixels; what is solid stays 1."""
    if not deviation:
        return alpha
    exact = alpha.astype(np.float64)  # in float32 the weights' sum would take the last bit off a solid 1
    return np.asarray(cv2.GaussianBlur(exact, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE), np.float32)


def shifted(alpha: FloatArray, right: float, down: float) -> FloatArray:
    """Return an alpha (H, W), 0..1, moved by pixels; by whole ones without a change of values.

    Fractions are interpolated by Catmull-Rom splines, which keep fine hair. The rim follows what leaves it.
    """
    for axis, distance in ((1, right), (0, down)):
        alpha = _shifted_along(alpha, distance, axis)
    return alpha


def _shifted_along(alpha: FloatArray, distance: float, axis: int) -> FloatArray:
    if not distance:
        return alpha
    whole = floor(distance)
    places, last = np.arange(alpha.shape[axis]) - whole, alpha.shape[axis] - 1
    if distance == whole:
        return alpha.take(places.clip(0, last), axis)
    total = np.zeros(alpha.shape, np.float64)
    for place, weight in zip((-2, -1, 0, 1), _catmull_rom(1 - (distance - whole)), strict=True):
        total += weight * alpha.take((places + place).clip(0, last), axis)
    return np.asarray(total.clip(0, 1), np.float32)


def _catmull_rom(at: float) -> tuple[float, float, float, float]:
    """Return the weights of four values in a row for the place `at`, 0..1, between the second and the third."""
    square, cube = at * at, at * at * at
    return (
        square - (at + cube) / 2,
        1 - 2.5 * square + 1.5 * cube,
        at / 2 + 2 * square - 1.5 * cube,
        (cube - square) / 2,
    )


def levelled(alpha: FloatArray, black: float, white: float) -> FloatArray:
    """Return an alpha (H, W), 0..1, in which `black` became 0 and `white` became 1."""
    if (black, white) == (0, 1):
        return alpha
    spread = (alpha - np.float32(black)) / np.float32(white - black)
    return np.asarray(spread.clip(0, 1), np.float32)
