"""Moves painted parts about the picture and gathers light as a camera does: shutter, lens, dark; paints nothing."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Layer, Stage


def rotation(turn: float) -> FloatArray:
    """Matrix (2, 3) that turns clockwise by `turn` radians about the origin."""
    return np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]], np.float32)


def shift(x: float, y: float) -> FloatArray:
    """Matrix (2, 3) that moves by x, y."""
    return np.array([[1, 0, x], [0, 1, y]], np.float32)


def scaling(x: float, y: float) -> FloatArray:
    """Matrix (2, 3) that scales about the origin."""
    return np.array([[x, 0, 0], [0, y, 0]], np.float32)


def chained(*matrices: FloatArray) -> FloatArray:
    """Matrix (2, 3) that applies the last matrix first."""
    whole = np.eye(3, dtype=np.float32)
    for matrix in matrices:
        whole = whole @ np.vstack([matrix, np.array([0, 0, 1], np.float32)])
    return np.asarray(whole[:2], np.float32)


def in_pixels(stage: Stage, matrix: FloatArray) -> FloatArray:
    """Matrix (2, 3) in pixels of one in design units; the origin of what it moves stays its own origin."""
    centre = stage.pixels(matrix[:, 2])
    return np.asarray(np.column_stack([matrix[:, :2], centre]), np.float32)


def moved(sprite: Layer, matrix: FloatArray, size: tuple[int, int]) -> Layer:
    """Move a sprite by a matrix (2, 3) in pixels; only what lands on a picture of `size` (width, height) is made."""
    height, width = sprite.rgba.shape[:2]
    right, bottom = sprite.left + width, sprite.top + height
    corners = np.array([[x, y] for x in (sprite.left, right) for y in (sprite.top, bottom)])
    there = corners @ matrix[:, :2].T + matrix[:, 2]
    low = np.clip(np.floor(there.min(axis=0)) - 1, 0, size).astype(int)
    high = np.clip(np.ceil(there.max(axis=0)) + 1, 0, size).astype(int)
    wide, tall = (high - low).tolist()
    if wide <= 0 or tall <= 0:
        return Layer(np.zeros((0, 0, 4), np.float32))
    # Pixel edges are at integers here, pixel centres in OpenCV: half a pixel goes in and comes out.
    into = shift(sprite.left + 0.5, sprite.top + 0.5)
    out = shift(-float(low[0]) - 0.5, -float(low[1]) - 0.5)
    whole = chained(out, matrix, into)
    rgba = cv2.warpAffine(sprite.rgba, whole, (wide, tall), flags=cv2.INTER_LINEAR)
    return Layer(np.asarray(rgba, np.float32), int(low[0]), int(low[1]))


def exposed(draw: Callable[[float], FloatArray], time: float, shutter: float, samples: int) -> FloatArray:
    """Average what `draw` paints, premultiplied (H, W, 4), while a shutter is open for `shutter` frames about `time`.

    Coverage and premultiplied colour are both averaged, which is what a camera does, so the alpha stays exact.
    """
    instants = time + shutter * ((np.arange(samples) + 0.5) / samples - 0.5)
    total = draw(float(instants[0])).copy()
    for instant in instants[1:]:
        total += draw(float(instant))
    return np.asarray(total / samples, np.float32)


def defocused(rgba: FloatArray, radius: float) -> FloatArray:
    """Spread premultiplied (H, W, C) over a disc of `radius` pixels, as a round lens out of focus does."""
    if radius < 0.5:
        return rgba
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    kernel = (disc / disc.sum()).astype(np.float32)
    spread = cv2.filter2D(rgba, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.maximum(spread, 0), np.float32)  # large kernels pass through a Fourier transform


def empty(stage: Stage) -> FloatArray:
    """Return a clear picture (H, W, 4)."""
    return np.zeros((stage.height, stage.width, 4), np.float32)
