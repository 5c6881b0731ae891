"""The colour guided filter: makes a mask follow the edges of its plate, and carries an alpha to a finer plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray

LIFT_RADIUS = 2
LIFT_EPSILON = 1e-5


@dataclass(frozen=True)
class LocalLines:
    """One affine map from colour to alpha per pixel: alpha = slope . colour + offset.

    Attributes:
        slope: (H, W, 3).
        offset: (H, W).
    """

    slope: FloatArray
    offset: FloatArray

    def of(self, plate: FloatArray) -> FloatArray:
        """Return the alpha (H, W), 0..1, of a plate (H, W, 3)."""
        alpha = np.einsum("hwc,hwc->hw", self.slope, plate) + self.offset
        return np.asarray(np.clip(alpha, 0, 1), np.float32)

    def at(self, where: BoolArray, colours: FloatArray) -> FloatArray:
        """Return the alphas (N,), 0..1, of the N pixels `where` (H, W) says, from their colours (N, 3)."""
        alpha = np.einsum("nc,nc->n", self.slope[where], colours) + self.offset[where]
        return np.asarray(np.clip(alpha, 0, 1), np.float32)

    def resized(self, height: int, width: int) -> LocalLines:
        """Return the same maps on a grid of height x width pixels."""
        size = (width, height)
        slope = cv2.resize(self.slope, size, interpolation=cv2.INTER_LINEAR)
        offset = cv2.resize(self.offset, size, interpolation=cv2.INTER_LINEAR)
        return LocalLines(np.asarray(slope, np.float32), np.asarray(offset, np.float32))


def guided_filter(plate: FloatArray, target: FloatArray, radius: int, epsilon: float) -> FloatArray:
    """Return `target` (H, W) filtered so that it follows the plate (H, W, 3); 0..1. See `fit_lines`."""
    return fit_lines(plate, target, radius, epsilon).of(plate)


def fit_lines(plate: FloatArray, target: FloatArray, radius: int, epsilon: float) -> LocalLines:
    """Fit affine maps from the plate to a target, window by window (He, Sun and Tang, Guided Image Filtering, 2013).

    OpenCV's own `ximgproc.guidedFilter` does not serve: it raises a small epsilon silently to 0.01, far
    too much for a plate of 0..1.

    Args:
        plate: (H, W, 3), 0..1.
        target: (H, W), 0..1.
        radius: half the width of the window, pixels.
        epsilon: variance of the plate's colour below which a window counts as flat.
    """
    colour = [np.ascontiguousarray(plate[..., channel]) for channel in range(3)]
    mean = [_box(channel, radius) for channel in colour]
    mean_target = _box(target, radius)
    with_target = [_box(c * target, radius) - m * mean_target for c, m in zip(colour, mean, strict=True)]
    covariance = {
        (i, j): _box(colour[i] * colour[j], radius) - mean[i] * mean[j] + np.float32(epsilon if i == j else 0)
        for i in range(3)
        for j in range(i, 3)
    }
    slope = _solved(covariance, with_target)
    offset = mean_target - sum(s * m for s, m in zip(slope, mean, strict=True))
    smooth = [_box(s, radius) for s in slope]
    return LocalLines(np.stack(smooth, axis=-1), _box(np.asarray(offset, np.float32), radius))


def lift_lines(plate: FloatArray, alpha: FloatArray) -> LocalLines:
    """Return the maps that carry an alpha (H, W), found on a reduced plate (H, W, 3), to the plate itself.

    Resize them and apply them to the finer plate (He and Sun, Fast Guided Filter, 2015).
    """
    return fit_lines(plate, alpha, LIFT_RADIUS, LIFT_EPSILON)


def _solved(matrix: dict[tuple[int, int], FloatArray], right: list[FloatArray]) -> list[FloatArray]:
    """Solve a symmetric positive 3 x 3 system per pixel; `matrix` holds the upper triangle.

    By elimination, not by the adjugate: where a plate is nearly grey the determinant drowns in rounding.
    """
    over_a = 1 / matrix[0, 0]
    b, c = matrix[0, 1] * over_a, matrix[0, 2] * over_a
    over_d = 1 / (matrix[1, 1] - b * matrix[0, 1])
    across = matrix[1, 2] - b * matrix[0, 2]
    e = across * over_d
    over_f = 1 / (matrix[2, 2] - c * matrix[0, 2] - e * across)
    x, y = right[0], right[1] - b * right[0]
    z = (right[2] - c * right[0] - e * y) * over_f
    y = y * over_d - e * z
    return [np.asarray(solution, np.float32) for solution in (x * over_a - b * y - c * z, y, z)]


def _box(pixels: FloatArray, radius: int) -> FloatArray:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(pixels, size, borderType=cv2.BORDER_REFLECT), np.float32)
