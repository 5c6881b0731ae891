"""The demo clip's background: an out-of-focus brick wall and sunlit foliage that the camera pans across."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Stage, blurred, cloud_noise

_OVERSCAN = 1.3  # how much wider the painted wall is than the picture
_PAN = 2.6  # design units per frame
_WALL_DEFOCUS, _HEDGE_DEFOCUS = 1.5, 2.6  # design units
_PEAK = 4.0  # linear value of 255 on the 8-bit painting, which holds square roots


def backdrop(stage: Stage, time: float) -> FloatArray:
    """Return the background (H, W, 3), linear, at `time` in frames since the first."""
    painting = _painting(stage)
    travel = painting.shape[1] - stage.width - 2
    # A triangle wave: any number of frames stays on the painting.
    swing = abs((_PAN * stage.scale * time / travel + 1) % 2 - 1) * travel
    lift = 3 * stage.scale * np.sin(time / 9)
    matrix = np.array([[1, 0, swing + 1], [0, 1, lift]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(painting, matrix, (stage.width, stage.height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


@lru_cache(maxsize=2)
def _painting(stage: Stage) -> FloatArray:
    width = int(stage.width * _OVERSCAN) + 4
    size = (stage.height, width)
    wall = blurred(_bricks(stage, size), _WALL_DEFOCUS * stage.scale)
    leaves, cover = (blurred(part, _HEDGE_DEFOCUS * stage.scale) for part in _foliage(stage, size))
    picture: FloatArray = wall * (1 - cover[..., None]) + leaves
    picture = picture + _sun_spots(stage, cover)
    picture.flags.writeable = False
    return picture


def _bricks(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """Running-bond wall (H, W, 3): bricks of many reds and browns, pale mortar, stains."""
    rng, scale = stage.generator(1), stage.scale
    mortar = np.array([0.26, 0.235, 0.20], np.float32)
    wall = np.broadcast_to(mortar, (*size, 3)).copy()
    course, length, joint = 21 * scale, 62 * scale, 2.6 * scale
    palette = np.array([[0.26, 0.115, 0.075], [0.21, 0.09, 0.065], [0.33, 0.17, 0.115], [0.17, 0.10, 0.085]])
    for row in range(int(size[0] / course) + 1):
        shift = length * (0.5 * (row % 2) + rng.uniform(-0.04, 0.04))
        for column in range(-1, int(size[1] / length) + 1):
            left, top = column * length + shift, row * course
            corners = np.array([[left, top], [left + length - joint, top + course - joint]])
            corners += rng.uniform(-0.8, 0.8, (2, 2)) * scale
            colour = palette[rng.choice(4, p=(0.52, 0.15, 0.28, 0.05))] * rng.uniform(0.75, 1.25)
            low, high = (tuple(int(v * 16) for v in corner) for corner in corners)
            cv2.rectangle(wall, low, high, colour.tolist(), -1, cv2.LINE_8, 4)
    grit = cloud_noise(rng, size, 9 * scale, 3) * 0.35 + cloud_noise(rng, size, 160 * scale, 3) * 0.45
    across = np.linspace(1.15, 1.45, size[1], dtype=np.float32)
    return np.asarray(wall * np.clip(1 + grit, 0.3, 1.8)[..., None] * across[None, :, None], np.float32)


def _foliage(stage: Stage, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Leaves over the right of the wall, premultiplied (H, W, 3), and how much they cover it (H, W)."""
    rng, scale = stage.generator(2), stage.scale
    paint = np.zeros((*size, 3), np.uint8)
    paint[:] = _code(np.array([0.018, 0.03, 0.012]))
    cover = np.zeros(size, np.uint8)
    border = _hedge_border(stage, size)
    count = 5200
    depth = np.sort(rng.random(count))  # far leaves first: darker, bluer, smaller
    spots = rng.random((count, 2)) * (size[1], size[0])
    for far, (x, y) in zip(1 - depth, spots, strict=True):
        if x < border[int(y)] + rng.normal(0, 26) * scale:
            continue
        green = np.array([0.075, 0.15, 0.036]) * rng.uniform(0.45, 1.5) * (1.25 - far)
        green *= (1 + 0.5 * max(0.0, rng.normal()), 1, 1 - 0.3 * rng.random())
        axes = np.array([rng.uniform(7, 17), rng.uniform(3, 7)]) * scale * (1.15 - 0.4 * far)
        place = (int(x * 16), int(y * 16)), tuple(int(a * 16) for a in axes), rng.normal(55, 38), 0, 360
        cv2.ellipse(paint, *place, _code(green), -1, cv2.LINE_AA, 4)
        cv2.ellipse(cover, *place, 255, -1, cv2.LINE_AA, 4)
    shade = 1 + 0.75 * cloud_noise(rng, size, 120 * scale, 3)
    deep = (np.arange(size[1])[None, :] > border[:, None] + 70 * scale).astype(np.float32)
    leaves = np.square(paint.astype(np.float32) / 255) * _PEAK * np.clip(shade, 0.3, 2)[..., None]
    covers = np.maximum(cover.astype(np.float32) / 255, blurred(deep, 20 * scale))
    return np.asarray(leaves * covers[..., None], np.float32), covers


def _hedge_border(stage: Stage, size: tuple[int, int]) -> NDArray[np.float64]:
    """Column (H,) at which the hedge begins, row by row."""
    rows = np.arange(size[0]) / stage.scale
    border = 0.51 * size[1] / stage.scale + 38 * np.sin(rows / 61) + 22 * np.sin(rows / 23 + 1) - 0.06 * rows
    return np.asarray(border * stage.scale, np.float64)


def _sun_spots(stage: Stage, cover: FloatArray) -> FloatArray:
    """Defocused glints of sky between the leaves (H, W, 3), linear, well above 1.0."""
    rng, scale = stage.generator(3), stage.scale
    size = cover.shape
    spots = np.zeros((*size, 3), np.float32)
    for _ in range(48):
        x, y = rng.uniform(0.62, 1) * size[1], rng.beta(1.0, 3.0) * size[0]
        if cover[min(int(y), size[0] - 1), min(int(x), size[1] - 1)] < 0.5:
            continue
        power = rng.lognormal(-0.2, 0.8) * np.array([1.0, 0.97, 0.82])
        cv2.circle(spots, (int(x * 16), int(y * 16)), int(rng.uniform(3, 9) * scale * 16), power.tolist(), -1, shift=4)
    return blurred(spots, 2.2 * scale)


def _code(colour: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(v) for v in np.sqrt(np.clip(colour / _PEAK, 0, 1)) * 255)
