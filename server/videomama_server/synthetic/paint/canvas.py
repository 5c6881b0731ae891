"""Drawing tools of the demo clip: supersampled ink, layers, noise and relief shading; knows nothing of the subject."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray

UNITS = 540  # the scene is designed on a picture this high, with x = 0 at its centre
_SHIFT = 4  # fractional bits of the coordinates that OpenCV draws with


@dataclass(frozen=True)
class Stage:
    """Pixel geometry of the demo picture, and the seed of everything that is random and does not move."""

    width: int
    height: int
    seed: int

    @property
    def scale(self) -> float:
        """Pixels per design unit."""
        return self.height / UNITS

    def pixels(self, points: NDArray[np.floating]) -> FloatArray:
        """Map points (..., 2), x and y in design units, to pixels (pixel edges at integers)."""
        return np.asarray(points * self.scale + (self.width / 2, 0), np.float32)

    def generator(self, *keys: int) -> np.random.Generator:
        """Return the random stream of one part, the same on every call."""
        return np.random.Generator(np.random.PCG64([self.seed, *keys]))


@dataclass(frozen=True)
class Layer:
    """Premultiplied linear RGBA (h, w, 4) float32 whose top left pixel is at (left, top) of the picture."""

    rgba: FloatArray
    left: int = 0
    top: int = 0

    def over(self, under: FloatArray) -> None:
        """Composite onto a premultiplied picture (H, W, 4) in place; what hangs outside it is cut off."""
        height, width = under.shape[:2]
        top, left = max(self.top, 0), max(self.left, 0)
        bottom = min(self.top + self.rgba.shape[0], height)
        right = min(self.left + self.rgba.shape[1], width)
        if bottom <= top or right <= left:
            return
        own = self.rgba[top - self.top : bottom - self.top, left - self.left : right - self.left]
        region = under[top:bottom, left:right]
        region *= 1 - own[..., 3:]
        region += own


class Ink:
    """An 8-bit premultiplied RGBA sheet, finer than the picture, that antialiased lines are drawn on.

    Drawing a line (r, g, b, 255) onto a cleared sheet is the `over` operation in premultiplied form, so one
    sheet gives colour and coverage together. The 8 bits per fine pixel average out in `layer`.
    """

    def __init__(self, box: tuple[int, int, int, int], finer: int = 4, peak: float = 1.0) -> None:
        """Cover the pixels (left, top, right, bottom), `finer` sub-pixels a side; `peak` is the linear value at 255."""
        self._left, self._top, right, bottom = box
        self._size = (right - self._left, bottom - self._top)
        self._finer, self._peak = finer, peak
        self._sheet = np.zeros((self._size[1] * finer, self._size[0] * finer, 4), np.uint8)

    def lines(self, points: FloatArray, colours: FloatArray, widths: NDArray[np.floating]) -> None:
        """Draw N polylines of points (N, P, 2) in pixels, in linear colours (N, 3), `widths` (N,) in pixels."""
        thickness = np.maximum(1, np.round(widths * self._finer)).astype(int).tolist()
        codes = np.column_stack([np.clip(colours * (255 / self._peak), 0, 255), np.full(len(colours), 255)]).tolist()
        for path, code, thick in zip(self._fixed(points), codes, thickness, strict=True):
            cv2.polylines(self._sheet, [path], False, code, thick, cv2.LINE_AA, _SHIFT)

    def fill(self, points: FloatArray, colour: FloatArray) -> None:
        """Fill the polygon of points (P, 2) in pixels with a linear colour (3,)."""
        code = [*np.clip(colour * (255 / self._peak), 0, 255).tolist(), 255]
        cv2.fillPoly(self._sheet, [self._fixed(points)], code, cv2.LINE_AA, _SHIFT)

    def layer(self) -> Layer:
        """Average the sheet down to picture pixels."""
        small = cv2.resize(self._sheet.astype(np.float32), self._size, interpolation=cv2.INTER_AREA)
        small *= np.array([self._peak / 255] * 3 + [1 / 255], np.float32)
        return Layer(np.asarray(small, np.float32), self._left, self._top)

    def _fixed(self, points: FloatArray) -> NDArray[np.int32]:
        # OpenCV's coordinates name pixel centres, ours name pixel edges: half a fine pixel apart.
        fine = (points - (self._left, self._top)) * self._finer - 0.5
        return np.round(fine * (1 << _SHIFT)).astype(np.int32)


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cell: tuple[float, float]) -> FloatArray:
    """Random field (H, W), about -1..1, that varies over `cell` = (vertical, horizontal) pixels."""
    rows, columns = (max(2, int(np.ceil(n / max(c, 1.0))) + 2) for n, c in zip(size, cell, strict=True))
    grid = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def cloud_noise(rng: np.random.Generator, size: tuple[int, int], cell: float, octaves: int = 4) -> FloatArray:
    """Sum of `smooth_noise` at halving cells and weights: random detail at all sizes, about -1..1."""
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        total += smooth_noise(rng, size, (cell / 2**octave, cell / 2**octave)) * 0.5**octave
    return np.asarray(total / 2, np.float32)


def blurred(pixels: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of (H, W) or (H, W, C); `sigma` in pixels, the border is replicated."""
    if sigma < 0.2:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def relief(coverage: FloatArray, depth: float, bumps: FloatArray | None = None) -> FloatArray:
    """Normals (H, W, 3), unit length, x right, y down, z to the camera, of a flat shape inflated like a cushion.

    Args:
        coverage: (H, W), 0..1, the shape.
        depth: pixels from the outline over which the surface turns towards the camera.
        bumps: (H, W) heights in pixels added to the cushion, wrinkles for example.
    """
    inside = (coverage > 0.5).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)
    rise = np.clip(distance / depth, 0, 1)
    height = blurred(depth * np.sqrt(np.maximum(1 - (1 - rise) ** 2, 0)), 1 + depth / 12)
    if bumps is not None:
        height = height + bumps
    slope_y, slope_x = np.gradient(height)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(height)], axis=-1)
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float32)


def lit(albedo: FloatArray, normal: FloatArray) -> FloatArray:
    """Shade albedo (H, W, 3) under the demo's light: warm sun from the upper right behind, cool sky from above."""
    sun_from = np.array([0.72, -0.55, 0.42], np.float32)
    sun = np.maximum(normal @ (sun_from / np.linalg.norm(sun_from)), 0)
    rim = np.clip(1.15 - normal[..., 2], 0, 1) ** 3 * np.clip(normal[..., 0] * 0.8 - normal[..., 1] * 0.5, 0, 1)
    sky = 0.5 - 0.5 * normal[..., 1]
    light = sun[..., None] * np.array([1.25, 1.10, 0.90], np.float32)
    light = light + sky[..., None] * np.array([0.36, 0.41, 0.48], np.float32) + 0.12
    return np.asarray(albedo * light + rim[..., None] * np.array([0.9, 0.78, 0.6], np.float32), np.float32)
