"""The demo clip's hair: a cached, swaying mass and several hundred single strands drawn anew on every frame."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, blurred

_HEAD = (-20.0, 152.0)  # centre, design units
_HEAD_RADII = (74.0, 92.0)
_BOX = ((-330.0, 20.0), (150.0, 500.0))  # everything that hair can reach, design units
_DARK = np.array([0.030, 0.017, 0.010])
_LIGHT = np.array([0.36, 0.185, 0.085])
_PEAK = 0.8  # brightest linear value that a strand has
_POINTS = 16  # per loose strand


def sway(height: NDArray[np.float64], time: float) -> NDArray[np.float64]:
    """Sideways shift in design units that the wind gives hair at rest at `height` (y, design units)."""
    free = np.clip((height - 140) / 250, 0, 1.3)
    gust = 1 + 0.5 * np.sin(2 * np.pi * time / 23)
    shift = -16 * gust * free**1.7 + 7 * free**1.4 * np.sin(2 * np.pi * time / 13 - 2.4 * free)
    return np.asarray(shift, np.float64)


def hair_mass(stage: Stage, moved: FloatArray, time: float) -> Layer:
    """Return the closed body of hair, bent by the wind, then moved by a matrix (2, 3) in pixels."""
    sprite = _mass_sprite(stage)
    height, width = sprite.rgba.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    back = np.asarray(cv2.invertAffineTransform(moved), np.float32)
    x, y = x + (sprite.left + 0.5), y + (sprite.top + 0.5)
    rest_x = back[0, 0] * x + back[0, 1] * y + back[0, 2]
    rest_y = back[1, 0] * x + back[1, 1] * y + back[1, 2]
    rows = np.arange(0, 700.0)  # the shift depends on the height alone, so it is a table
    table = sway(rows, time) * stage.scale
    rest_x -= np.interp(rest_y / stage.scale, rows, table).astype(np.float32)
    here_x, here_y = rest_x - (sprite.left + 0.5), rest_y - (sprite.top + 0.5)
    return Layer(
        np.asarray(cv2.remap(sprite.rgba, here_x, here_y, cv2.INTER_LINEAR), np.float32), sprite.left, sprite.top
    )


def loose_strands(stage: Stage, moved: FloatArray, time: float) -> Layer:
    """Return the single strands around the mass, each with its own sway, as thin as a quarter of a pixel."""
    strands = _strands(stage)
    ink = Ink(_box(stage), peak=_PEAK)
    paths = stage.pixels(_paths(strands, time)) @ moved[:, :2].T + moved[:, 2]
    half = _POINTS // 2
    colours, widths = _colours(strands.shine), strands.width * stage.scale
    ink.lines(paths[:, : half + 1], colours, widths)
    ink.lines(paths[:, half:], colours, widths * 0.6)  # hair thins towards its tip
    return ink.layer()


@dataclass(frozen=True)
class _Strands:
    """N loose strands at rest, every field (N,); lengths in design units, angles in radians.

    A strand sets out from its root at `lean` (0 straight down, positive to the left), turns by `bend` up to its tip,
    and winds by `curl` on the way; `loose` is how far the wind turns it and `phase` when.
    """

    root_x: NDArray[np.float64]
    root_y: NDArray[np.float64]
    length: NDArray[np.float64]
    lean: NDArray[np.float64]
    bend: NDArray[np.float64]
    curl: NDArray[np.float64]
    phase: NDArray[np.float64]
    loose: NDArray[np.float64]
    width: NDArray[np.float64]
    shine: NDArray[np.float64]  # 0 the darkest, 1 the brightest colour of hair


def _paths(strands: _Strands, time: float) -> NDArray[np.float64]:
    """Points (N, P, 2) in design units, each strand walked from its root along a bending direction."""
    along = np.linspace(0, 1, _POINTS)[None, :]
    phase = strands.phase[:, None]
    blown = np.sin(2 * np.pi * time / 11 + phase - 3 * along) + 0.5 * np.sin(2 * np.pi * time / 6.3 + 2 * phase)
    angle = strands.lean[:, None] + strands.bend[:, None] * along
    angle = angle + strands.curl[:, None] * np.sin(7 * along + 3 * phase)
    angle = angle + strands.loose[:, None] * along * (blown + 0.4)
    step = strands.length[:, None] / (_POINTS - 1)
    walk = np.stack([-np.sin(angle) * step, np.cos(angle) * step], axis=-1)
    walk[:, 0] = 0
    start = np.column_stack([strands.root_x + sway(strands.root_y, time), strands.root_y])
    points = start[:, None, :] + np.cumsum(walk, axis=1)
    return np.asarray(points, np.float64)


@lru_cache(maxsize=2)
def _strands(stage: Stage) -> _Strands:
    rng = stage.generator(20)
    parts = [_halo(rng, 170), _sides(rng, 260), _hem(rng, 130)] + [_lock(rng, 15) for _ in range(14)]
    return _Strands(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Strands)))


def _halo(rng: np.random.Generator, count: int) -> _Strands:
    """Short flyaways on top of the head, lit from behind."""
    angle = rng.uniform(-1.75, 1.75, count)
    inset = rng.uniform(0.93, 0.99, count)
    side = np.where(rng.random(count) < 0.5, 1.0, -1.0)
    return _Strands(
        root_x=_HEAD[0] + np.sin(angle) * _HEAD_RADII[0] * inset,
        root_y=_HEAD[1] - np.cos(angle) * _HEAD_RADII[1] * inset,
        length=rng.gamma(3, 9, count),
        lean=np.pi - angle + side * rng.uniform(0.5, 1.4, count),
        bend=side * rng.uniform(0.2, 1.4, count),
        curl=rng.normal(0, 0.15, count),
        phase=rng.uniform(0, 6.3, count),
        loose=rng.uniform(0.05, 0.2, count),
        width=rng.uniform(0.24, 0.4, count),
        shine=np.clip(rng.normal(0.35, 0.2, count) + 0.2 * np.sin(angle), 0.05, 1),
    )


def _sides(rng: np.random.Generator, count: int) -> _Strands:
    """Long strands that leave the mass at its sides, most of them on the lee side."""
    left = rng.random(count) < 0.68
    height = rng.uniform(130, 370, count)
    edge = _half_width(height) * rng.uniform(0.86, 1.0, count)
    return _Strands(
        root_x=_HEAD[0] + np.where(left, -edge, edge),
        root_y=height,
        length=np.clip(rng.normal(78, 30, count), 25, 150),
        lean=np.where(left, rng.normal(0.30, 0.22, count), rng.normal(-0.25, 0.2, count)),
        bend=np.where(left, rng.normal(0.25, 0.35, count), rng.normal(0.30, 0.3, count)),
        curl=rng.normal(0, 0.22, count),
        phase=rng.uniform(0, 6.3, count),
        loose=rng.uniform(0.08, 0.3, count),
        width=rng.uniform(0.26, 0.6, count),
        shine=np.clip(rng.normal(0.12, 0.10, count) + np.where(left, 0, 0.1), 0, 1),
    )


def _hem(rng: np.random.Generator, count: int) -> _Strands:
    """Tips below the mass, over the back of the jacket."""
    height = rng.uniform(345, 395, count)
    return _Strands(
        root_x=_HEAD[0] + rng.uniform(-0.95, 0.9, count) * _half_width(height),
        root_y=height,
        length=rng.uniform(25, 75, count),
        lean=rng.normal(0.2, 0.2, count),
        bend=rng.normal(0.2, 0.4, count),
        curl=rng.normal(0, 0.2, count),
        phase=rng.uniform(0, 6.3, count),
        loose=rng.uniform(0.08, 0.2, count),
        width=rng.uniform(0.3, 0.7, count),
        shine=np.clip(rng.normal(0.15, 0.12, count), 0.02, 1),
    )


def _lock(rng: np.random.Generator, count: int) -> _Strands:
    """One lock that the wind lifts off to the left: strands that share a course and fan out a little."""
    height = rng.uniform(120, 350) + rng.normal(0, 6, count)
    return _Strands(
        root_x=_HEAD[0] - _half_width(height) * rng.uniform(0.84, 0.97, count),
        root_y=height,
        length=rng.uniform(80, 140) * rng.uniform(0.6, 1.1, count),
        lean=rng.normal(rng.normal(0.30, 0.12), 0.07, count),
        bend=rng.normal(rng.normal(0.28, 0.28), 0.15, count),
        curl=rng.normal(rng.normal(0, 0.22), 0.05, count),
        phase=rng.normal(rng.uniform(0, 6.3), 0.25, count),
        loose=np.full(count, rng.uniform(0.15, 0.3)),
        width=rng.uniform(0.3, 0.75, count),
        shine=np.clip(rng.normal(0.10, 0.08, count), 0, 1),
    )


def _colours(shine: NDArray[np.float64]) -> FloatArray:
    """Linear colours (N, 3) of hair that shines by (N,), 0..1."""
    return np.asarray(_DARK + (_LIGHT - _DARK) * shine[:, None], np.float32)


def _half_width(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the width of the mass at `height`, design units: the skull, then hair that hangs and narrows."""
    skull = _HEAD_RADII[0] * np.sqrt(np.clip(1 - ((height - _HEAD[1]) / _HEAD_RADII[1]) ** 2, 0, 1))
    hanging = np.interp(height, [0, 152, 200, 270, 340, 400, 440], [74, 74, 78, 86, 80, 62, 40])
    return np.asarray(np.where(height < _HEAD[1], skull, hanging), np.float64)


def _box(stage: Stage) -> tuple[int, int, int, int]:
    (left, top), (right, bottom) = stage.pixels(np.array(_BOX)).astype(int)
    return int(left), int(top), int(right), int(bottom)


@lru_cache(maxsize=2)
def _mass_sprite(stage: Stage) -> Layer:
    """Thousands of strands that fan out from the crown and fall, painted over a dark, closed shape."""
    rng = stage.generator(21)
    ink = Ink(_box(stage), finer=3, peak=_PEAK)
    rows = np.linspace(_HEAD[1] - _HEAD_RADII[1] + 0.1, 346, 80)
    half = _half_width(rows) * 0.965
    outline = np.concatenate([np.column_stack([_HEAD[0] - half, rows]), np.column_stack([_HEAD[0] + half, rows])[::-1]])
    ink.fill(stage.pixels(outline), (_DARK * 0.8).astype(np.float32))
    locks = rng.uniform(0, 1, 64)  # neighbours share a lock: how bright it is and how far it falls
    pieces, shines = [], []
    for turn in rng.uniform(-np.pi, np.pi, 2200):
        lock = float(np.interp((turn / np.pi + 1) * 31.5, np.arange(64), locks))
        path, shine = _fall(rng, turn, lock)
        tone = lock * rng.uniform(0.35, 1.0)
        # Two steps of the path share a colour: few enough to draw, short enough for a smooth highlight.
        begins = np.arange(0, len(path) - 2, 2)
        pieces.append(path[begins[:, None] + np.arange(3)])
        shines.append(np.clip(tone * (0.06 + 0.5 * shine[begins]), 0, 1))
    colours = _colours(np.concatenate(shines))
    ink.lines(stage.pixels(np.concatenate(pieces)), colours, np.full(len(colours), 0.7 * stage.scale))
    layer = ink.layer()
    return Layer(blurred(layer.rgba, 0.35 * stage.scale), layer.left, layer.top)


def _fall(rng: np.random.Generator, turn: float, lock: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Course (P, 2) of one strand of the mass in design units, and its shine (P,), 0..1.

    Down to the equator of the skull the strand is a meridian of an ellipsoid whose pole, the crown, leans
    towards the camera; from there it hangs. `turn` is the meridian, 0 towards the camera.
    """
    lean = 0.62
    polar = np.linspace(rng.uniform(0.03, 0.2), np.pi / 2, 18)
    high, near = np.cos(polar), np.sin(polar) * np.cos(turn)
    seen = high * np.sin(lean) + near * np.cos(lean) > -0.1
    skull = np.column_stack([np.sin(polar) * np.sin(turn), near * np.sin(lean) - high * np.cos(lean)])[seen]
    skull = _HEAD + skull * (np.array(_HEAD_RADII) * 0.985) + rng.normal(0, 1.2, 2)
    ring = np.exp(-(((polar - 0.84 - 0.16 * lock - rng.normal(0, 0.09)) / 0.3) ** 2))[seen]
    if abs(turn) > np.pi / 2 + 0.1:
        return skull, ring * 0.7
    end = 372 + 26 * lock - 26 * np.sin(turn) ** 2 + rng.normal(0, 15)
    height = np.linspace(skull[-1, 1], end, int(rng.integers(13, 19)))[1:]
    across = np.sin(turn) * _half_width(height) + 3.5 * np.sin(height / 27 + 7 * lock) * np.clip(height / 150 - 1, 0, 1)
    path = np.concatenate([skull, np.column_stack([_HEAD[0] + across, height])])
    lower = ring[-1] * np.exp(-(height - skull[-1, 1]) / 26) + 0.34 * np.exp(
        -(((height - 285 + 22 * np.sin(turn) + 26 * lock) / 38) ** 2)
    )
    return path, np.concatenate([ring, lower]) + 0.25 * np.clip((np.sin(turn) - 0.8) / 0.2, 0, 1)
