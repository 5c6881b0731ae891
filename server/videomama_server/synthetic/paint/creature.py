"""A furry animal: many thousand hairs combed over a few rounded bodies, ruffled by the wind."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Ink, Stage
from videomama_server.synthetic.paint.moving import chained, empty, rotation, shift

_BOX = ((-250.0, 90.0), (250.0, 640.0))  # all that a hair can reach, design units
_SUN = np.array([0.55, -0.62, 0.56])
_DARK, _LIGHT = np.array([0.055, 0.027, 0.012]), np.array([0.62, 0.37, 0.17])
_CREAM = np.array([0.80, 0.68, 0.50])
_POINTS = 5  # per hair
_GRAVITY = 0.55


class _Blob(NamedTuple):
    """An ellipse with fur on it: centre, radii, number of hairs, their length, how cream their colour is."""

    x: float
    y: float
    wide: float
    tall: float
    hairs: int
    length: float
    cream: float = 0.0


_BODY = (
    _Blob(-104, 472, 46, 92, 2400, 20),
    _Blob(104, 472, 46, 92, 2400, 20),
    _Blob(0, 470, 112, 150, 7500, 23),
    _Blob(0, 480, 62, 110, 2600, 18, 0.8),
)
_HEAD = (
    _Blob(-60, 190, 26, 30, 800, 13),
    _Blob(60, 190, 26, 30, 800, 13),
    _Blob(0, 258, 88, 78, 6000, 16),
    _Blob(0, 288, 40, 30, 1400, 9, 1.0),
)
_NECK = (0.0, 330.0)


class _Hairs(NamedTuple):
    """N hairs at rest, in design units: roots (N, 2), directions in radians (N,), lengths (N,), colours (N, 3)."""

    roots: NDArray[np.float64]
    angles: NDArray[np.float64]
    lengths: NDArray[np.float64]
    colours: FloatArray


def creature(stage: Stage, time: float) -> FloatArray:
    """Return the animal, premultiplied linear (H, W, 4), at `time` in frames since the first."""
    ink = Ink(_pixels_box(stage))
    breath = shift(6 * np.sin(2 * np.pi * time / 34), 2 * np.sin(2 * np.pi * time / 17))
    head = chained(
        breath,
        shift(*_NECK),
        rotation(float(0.16 * np.sin(2 * np.pi * time / 28 + 0.6))),
        shift(-_NECK[0], -_NECK[1]),
    )
    for key, (blobs, place) in enumerate(((_BODY, breath), (_HEAD, head))):
        for index, blob in enumerate(blobs):
            _skin(stage, ink, blob, place)
            _comb(stage, ink, _hairs(stage, blob, key * 10 + index), place, time)
    _face(stage, ink, head)
    picture = empty(stage)
    ink.layer().over(picture)
    return picture


def _comb(stage: Stage, ink: Ink, hairs: _Hairs, place: FloatArray, time: float) -> None:
    """Draw hairs: each sets out in its direction and bends towards the ground."""
    gust = np.sin(2 * np.pi * time / 9 - hairs.roots[:, 0] / 38 + hairs.roots[:, 1] / 60)
    angle = hairs.angles + 0.2 * gust + 0.1 * np.sin(2 * np.pi * time / 5.3 + hairs.roots[:, 0])
    steps = []
    for part in range(_POINTS - 1):
        heading = np.stack([np.cos(angle), np.sin(angle) + 0.22 * part], axis=-1)
        heading /= np.linalg.norm(heading, axis=-1, keepdims=True)
        steps.append(heading * hairs.lengths[:, None] / (_POINTS - 1))
    walk = np.concatenate([np.zeros((len(angle), 1, 2)), np.cumsum(np.stack(steps, axis=1), axis=1)], axis=1)
    points = stage.pixels((hairs.roots[:, None] + walk) @ place[:, :2].T + place[:, 2])
    half = _POINTS // 2
    thick = np.full(len(angle), 0.75 * stage.scale)
    for index in range(0, len(angle), 400):  # tips after the hairs beside them, not after all
        some = slice(index, index + 400)
        ink.lines(points[some, : half + 1], hairs.colours[some], thick[some])
        ink.lines(points[some, half:], hairs.colours[some] * np.float32(1.12), thick[some] * 0.5)


@lru_cache(maxsize=64)
def _hairs(stage: Stage, blob: _Blob, key: int) -> _Hairs:
    rng = stage.generator(50, key)
    turn = rng.uniform(-np.pi, np.pi, blob.hairs)
    out = np.where(rng.random(blob.hairs) < 0.3, rng.uniform(0.86, 0.99, blob.hairs), np.sqrt(rng.random(blob.hairs)))
    flat = np.column_stack([np.cos(turn), np.sin(turn)]) * out[:, None]
    normal = np.column_stack([flat, np.sqrt(np.maximum(1 - out**2, 0))])
    heading = flat + np.array([0, _GRAVITY])
    angles = np.arctan2(heading[:, 1], heading[:, 0]) + rng.normal(0, 0.28, blob.hairs)
    roots = flat * (blob.wide, blob.tall) + (blob.x, blob.y)
    tuft = np.sin(roots[:, 0] / 9 + 3 * np.sin(roots[:, 1] / 31)) * np.sin(roots[:, 1] / 13 + 2)
    light = (
        0.22 + 0.62 * np.clip(normal @ _SUN, 0, 1) + 0.5 * np.clip(1 - normal[:, 2], 0, 1) ** 3 * (flat[:, 0] > -0.2)
    )
    light = np.clip(light * (1 + 0.3 * tuft) * rng.lognormal(0, 0.3, blob.hairs), 0.02, 1.4)[:, None]
    base = _DARK + (_LIGHT - _DARK) * light
    colours = base * (1 - blob.cream) + _CREAM * light * blob.cream
    lengths = blob.length * rng.gamma(9, 1 / 9, blob.hairs)
    order = np.argsort(-roots[:, 1])  # upper hair lies over the roots of lower hair
    return _Hairs(roots[order], angles[order], lengths[order], np.clip(colours[order], 0, 0.88).astype(np.float32))


def _skin(stage: Stage, ink: Ink, blob: _Blob, place: FloatArray) -> None:
    """Fill what hair grows on, dark, so that nothing shines through the middle."""
    ink.fill(_round(stage, (blob.x, blob.y), (blob.wide * 0.97, blob.tall * 0.97), place), _DARK.astype(np.float32))


def _face(stage: Stage, ink: Ink, place: FloatArray) -> None:
    black, white = np.full(3, 0.008, np.float32), np.full(3, 0.9, np.float32)
    for side in (-1, 1):
        ink.fill(_round(stage, (side * 36, 248), (9, 10.5), place), black)
        ink.fill(_round(stage, (side * 36 + 3, 244), (2.6, 2.6), place), white)
    ink.fill(_round(stage, (0, 276), (13, 9), place), black)
    ink.fill(_round(stage, (3, 272), (4, 1.8), place), white * np.float32(0.35))


def _round(stage: Stage, centre: tuple[float, float], radii: tuple[float, float], place: FloatArray) -> FloatArray:
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * radii + centre
    return stage.pixels(points @ place[:, :2].T + place[:, 2])


def _pixels_box(stage: Stage) -> tuple[int, int, int, int]:
    (left, top), (right, bottom) = stage.pixels(np.array(_BOX)).astype(int).tolist()
    return left, top, right, bottom
