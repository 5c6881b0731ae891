"""The suite's backgrounds: paintings wider than the picture that the camera pans across."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.backdrop import backdrop
from videomama_server.synthetic.paint.canvas import Stage, blurred, cloud_noise, smooth_noise
from videomama_server.synthetic.paint.moving import defocused

_OVERSCAN = 1.3  # how much wider a painting is than the picture
_PAN = 2.2  # design units per frame


def background(name: str, stage: Stage, time: float) -> FloatArray:
    """Return the background called `name` (H, W, 3), linear, at `time` in frames since the first."""
    if name == "wall":
        return backdrop(stage, time)
    painting = _painting(name, stage)
    travel = painting.shape[1] - stage.width - 2
    # A triangle wave: any number of frames stays on the painting.
    swing = abs((_PAN * stage.scale * time / travel + 0.6) % 2 - 1) * travel
    matrix = np.array([[1, 0, swing + 1], [0, 1, 2 * stage.scale * np.sin(time / 8)]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(painting, matrix, (stage.width, stage.height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.float32)


@lru_cache(maxsize=2)
def _painting(name: str, stage: Stage) -> FloatArray:
    picture = _PAINTERS[name](stage, (stage.height, int(stage.width * _OVERSCAN) + 4))
    picture.flags.writeable = False
    return picture


def _studio(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """A grey paper roll, lit from the left, with a faint stain here and there."""
    rng = stage.generator(30)
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / size[0]
    light = 0.34 * np.exp(-(((x - 0.7) / 1.1) ** 2) - ((y - 0.35) / 0.9) ** 2) + 0.10
    light = light * (1 - 0.25 * np.clip((y - 0.86) / 0.1, 0, 1))
    stain = 1 + 0.05 * cloud_noise(rng, size, 180 * stage.scale, 4)
    return np.asarray((light * stain)[..., None] * np.array([1.0, 0.97, 0.93], np.float32), np.float32)


def _sky(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """Clouds before a blue gradient, above a ridge of hills and a meadow."""
    rng, scale = stage.generator(31), stage.scale
    down = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    picture = np.array([0.16, 0.32, 0.72]) * (1 - down) + np.array([0.62, 0.72, 0.86]) * down
    cloud = np.clip(cloud_noise(rng, size, 210 * scale, 6) * 1.7 + 0.12, 0, 1)[..., None] ** 1.3
    lit = np.clip(1.25 + 0.5 * cloud_noise(rng, size, 70 * scale, 4), 0.6, 2.2)[..., None]
    picture = picture * (1 - cloud) + lit * np.array([1.0, 0.98, 0.95]) * cloud
    for level, colour, rough in ((0.70, (0.11, 0.17, 0.20), 60), (0.80, (0.07, 0.13, 0.05), 24)):
        line = level * size[0] + 0.7 * rough * scale * smooth_noise(rng, (1, size[1]), (1, 190 * scale))[0]
        line = line + 0.2 * rough * scale * cloud_noise(rng, (1, size[1]), 30 * scale, 4)[0]
        ground = np.clip(np.arange(size[0])[:, None] - line[None, :] + 0.5, 0, 1)[..., None]
        texture = np.clip(1 + 0.6 * cloud_noise(rng, size, 26 * scale, 5), 0.2, 2)[..., None]
        picture = picture * (1 - ground) + np.array(colour) * texture * ground
    return np.asarray(picture, np.float32)


def _shelf(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """Bookshelves in focus: many upright edges, many colours."""
    rng, scale = stage.generator(32), stage.scale
    picture = np.full((*size, 3), (0.018, 0.012, 0.008), np.float32)
    pitch = 108 * scale
    for row in range(int(size[0] / pitch) + 1):
        floor = (row + 1) * pitch
        x = -rng.uniform(0, 20) * scale
        while x < size[1]:
            wide, tall = rng.uniform(8, 27) * scale, rng.uniform(68, 94) * scale
            if rng.random() < 0.93:
                _book(picture, rng, (x, floor - 10 * scale, wide, tall), scale)
            x += wide + rng.choice([0.8, 0.8, 4.0]) * scale
        board = slice(max(0, round(floor - 10 * scale)), round(floor))
        picture[board] = np.array([0.21, 0.105, 0.045]) * rng.uniform(0.8, 1.1)
    grain = np.clip(1 + 0.35 * cloud_noise(rng, size, 40 * scale, 5), 0.3, 2)[..., None]
    return blurred(np.asarray(picture * grain, np.float32), 0.5 * scale)


def _book(
    picture: FloatArray, rng: np.random.Generator, place: tuple[float, float, float, float], scale: float
) -> None:
    left, floor, wide, tall = place
    hue, tone = rng.random(3), rng.lognormal(-2.0, 0.7)
    colour = np.clip((0.35 + hue) * tone, 0, 0.9)
    _slab(picture, (left, floor - tall, left + wide, floor), colour)
    _slab(picture, (left, floor - tall, left + 0.18 * wide, floor), colour * 0.6)
    for height in rng.uniform(0.1, 0.9, int(rng.integers(0, 4))):
        at = floor - height * tall
        _slab(picture, (left + 0.1 * wide, at, left + 0.9 * wide, at + rng.uniform(1.5, 7) * scale), 0.9 - colour)


def _slab(picture: FloatArray, edges: tuple[float, float, float, float], colour: NDArray[np.float64]) -> None:
    low, high = ((int(edges[i] * 16), int(edges[i + 1] * 16)) for i in (0, 2))
    cv2.rectangle(picture, low, high, np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_8, 4)


def _city(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """A street at night far out of focus: discs of many colours, some of them far above 1.0."""
    rng, scale = stage.generator(33), stage.scale
    picture = np.full((*size, 3), (0.012, 0.014, 0.022), np.float32)
    glow = np.clip(cloud_noise(rng, size, 200 * scale, 3), 0, 1)[..., None]
    picture += glow * np.array([0.05, 0.035, 0.03], np.float32)
    lamps = np.zeros((*size, 3), np.float32)
    palette = np.array([[1, 0.62, 0.25], [1, 0.22, 0.12], [0.35, 0.6, 1], [1, 0.9, 0.7], [0.3, 1, 0.55]])
    for _ in range(230):
        x, y = rng.uniform(0, size[1]), size[0] * np.clip(rng.normal(0.52, 0.2), 0, 1)
        power = rng.lognormal(1.6, 0.9) * palette[rng.choice(5, p=(0.4, 0.2, 0.12, 0.2, 0.08))]
        cv2.circle(lamps, (int(x * 16), int(y * 16)), int(1.6 * scale * 16), power.tolist(), -1, shift=4)
    return np.asarray(picture + defocused(lamps, 13 * scale) * 4, np.float32)


def _meadow(stage: Stage, size: tuple[int, int]) -> FloatArray:
    """Tall grass in focus: thin strokes of many greens, as busy as hair."""
    rng, scale = stage.generator(34), stage.scale
    finer = 2
    sheet = np.full((size[0] * finer, size[1] * finer, 3), (36, 60, 26), np.uint8)
    roots = np.sort(rng.uniform(-0.1, 1.25, 9000)) * size[0]
    for depth, root in zip(np.linspace(0.45, 1.25, len(roots)), roots, strict=True):
        x, tall = rng.uniform(0, size[1]), rng.uniform(30, 95) * scale
        lean = rng.normal(0.15, 0.35) * tall
        path = np.array([[x, root], [x + 0.25 * lean, root - 0.6 * tall], [x + lean, root - tall]]) * finer * 16
        tone = np.array([88, 118, 40]) * depth * rng.uniform(0.5, 1.25) + rng.uniform(0, 26, 3)
        width = max(1, round(rng.uniform(0.8, 2.2) * scale * finer))
        cv2.polylines(sheet, [path.astype(np.int32)], False, np.clip(tone, 0, 255).tolist(), width, cv2.LINE_AA, 4)
    small = cv2.resize(np.square(sheet.astype(np.float32) / 255), (size[1], size[0]), interpolation=cv2.INTER_AREA)
    shade = np.clip(1.3 + 0.5 * cloud_noise(rng, size, 150 * scale, 3), 0.4, 2.2)[..., None]
    return np.asarray(small * shade, np.float32)


_PAINTERS: dict[str, Callable[[Stage, tuple[int, int]], FloatArray]] = {
    "studio": _studio,
    "sky": _sky,
    "shelf": _shelf,
    "city": _city,
    "meadow": _meadow,
}
BACKGROUNDS = ("wall", *_PAINTERS)
