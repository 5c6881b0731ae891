"""A wine glass, a bottle and the smoke of an incense stick: subjects that are hardly there."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Layer, Stage, blurred, cloud_noise
from videomama_server.synthetic.paint.moving import empty

_GLASS = (
    (3, 0),
    (3, 60),
    (12, 64),
    (34, 72),
    (57, 98),
    (67, 140),
    (64, 185),
    (56, 228),
    (55, 232),
)  # half width, height
_BOTTLE = ((50, 0), (54, 5), (54, 160), (50, 190), (36, 216), (20, 240), (17, 262), (17, 298), (20, 301), (20, 316))
_FOOT = 476.0  # height of the table the things stand on, design units
_WINE = np.array([0.30, 0.012, 0.03], np.float32)
_PALE = np.array([0.62, 0.72, 0.70], np.float32)
_SMOKE = np.array([0.60, 0.62, 0.66], np.float32)


def vapour(stage: Stage, time: float) -> FloatArray:
    """Return glass, bottle and smoke, premultiplied linear (H, W, 4), at `time` in frames since the first."""
    picture = empty(stage)
    slide = 26 * np.sin(2 * np.pi * time / 40)
    Layer(_bottle(stage, -165 + slide * 0.5)).over(picture)
    Layer(_goblet(stage, -30 - slide, float(2.2 * np.sin(2 * np.pi * time / 18)))).over(picture)
    Layer(_stick(stage, 150.0)).over(picture)
    Layer(_plume(stage, 165.0, time)).over(picture)
    return picture


def _grid(stage: Stage) -> tuple[FloatArray, FloatArray]:
    """Column and row of every pixel's centre, design units."""
    x = ((np.arange(stage.width) + 0.5 - stage.width / 2) / stage.scale).astype(np.float32)
    y = ((np.arange(stage.height) + 0.5) / stage.scale).astype(np.float32)
    across, down = np.meshgrid(x, y)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _shell(
    stage: Stage, x: float, profile: tuple[tuple[float, float], ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coverage, place between the outlines (-1..1) and height over the table of a turned vessel, each (H, W)."""
    across, down = _grid(stage)
    height = _FOOT - down
    widths, levels = np.array(profile, np.float64).T
    table = np.linspace(levels[0], levels[-1], 2000)
    half = np.interp(height, table, PchipInterpolator(levels, widths)(table)).astype(np.float32)
    level = np.minimum(height, profile[-1][1] - height)
    inside = np.minimum(half - np.abs(across - x), level)
    cover = np.clip(inside * stage.scale + 0.5, 0, 1)
    place = (across - x) / np.maximum(half, 0.5)
    return np.asarray(cover, np.float32), np.asarray(np.clip(place, -1, 1), np.float32), np.asarray(height, np.float32)


def _glassy(cover: FloatArray, place: FloatArray, thin: float) -> FloatArray:
    """Coverage of one glass wall: little where it faces us, much where it turns away."""
    return np.asarray(cover * np.clip(thin + (0.92 - thin) * np.abs(place) ** 7, 0, 1), np.float32)


def _glint(place: FloatArray, at: float, wide: float) -> FloatArray:
    return np.asarray(np.exp(-(((place - at) / wide) ** 4)), np.float32)


def _joined(*parts: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Stack (alpha (H, W), colour (3,) or (H, W, 3)) from back to front into premultiplied (H, W, 4)."""
    height, width = parts[0][0].shape
    picture = np.zeros((height, width, 4), np.float32)
    for alpha, colour in parts:
        rgb = np.broadcast_to(colour, (height, width, 3)) * alpha[..., None]
        Layer(np.dstack([rgb, alpha]).astype(np.float32)).over(picture)
    return picture


def _goblet(stage: Stage, x: float, tilt: float) -> FloatArray:
    cover, place, height = _shell(stage, x, _GLASS)
    across, _ = _grid(stage)
    bowl = np.clip((height - 64) / 4, 0, 1)
    surface = 150 + tilt * (across - x) / 12
    wine = cover * np.clip((surface - height) * stage.scale + 0.5, 0, 1) * bowl * (np.abs(place) < 0.97)
    depth = np.sqrt(np.clip(1 - place**2, 0, 1))
    foot = np.clip((1 - np.hypot((across - x) / 44, (height + 0.5) / 6)) * 30, 0, 1)
    shine = (_glint(place, -0.6, 0.1) * 0.75 + _glint(place, 0.72, 0.04) * 0.5) * cover * bowl
    shine = shine * np.clip((205 - height) / 30, 0, 1) * np.clip((height - 84) / 20, 0, 1)
    stem = np.asarray(_glassy(cover, place, 0.35) * (1 - bowl), np.float32)
    lip = np.asarray(cover * np.exp(-(((height - 230) / 1.6) ** 2)) * 0.7, np.float32)
    return _joined(
        (np.asarray(foot * 0.38, np.float32), _PALE),
        (np.asarray(wine * (0.35 + 0.55 * depth), np.float32), _WINE * (0.6 + 0.8 * np.clip(place, 0, 1))[..., None]),
        (np.asarray(_glassy(cover, place, 0.07) * bowl, np.float32), _PALE),
        (stem, _PALE),
        (lip, _PALE * np.float32(1.3)),
        (np.asarray(shine, np.float32), np.array([1.6, 1.55, 1.45], np.float32)),
    )


def _bottle(stage: Stage, x: float) -> FloatArray:
    cover, place, height = _shell(stage, x, _BOTTLE)
    green = np.array([0.07, 0.20, 0.10], np.float32)
    wall = _glassy(cover, place, 0.34)
    label = cover * np.clip((130 - np.abs(height - 60) * 2.6) / 3, 0, 1) * (np.abs(place) < 0.985) * 0.96
    paper = np.array([0.62, 0.56, 0.43], np.float32) * (0.55 + 0.45 * np.sqrt(np.clip(1 - place**2, 0, 1)))[..., None]
    lines = 1 - 0.7 * ((np.abs((height % 13) - 6) < 1.6) & (np.abs(place) < 0.55))[..., None]
    shine = (_glint(place, -0.55, 0.09) * 0.7 + _glint(place, 0.66, 0.05) * 0.35) * cover
    return _joined(
        (wall, green),
        (np.asarray(label, np.float32), np.asarray(paper * lines, np.float32)),
        (np.asarray(shine * np.clip((236 - height) / 20, 0.25, 1), np.float32), np.array([1.3, 1.35, 1.2], np.float32)),
    )


def _stick(stage: Stage, x: float) -> FloatArray:
    across, down = _grid(stage)
    lean = x + (_FOOT - down) * 0.13
    body = np.clip((2.0 - np.abs(across - lean)) * stage.scale + 0.5, 0, 1)
    body = body * np.clip((down - 370) * stage.scale + 0.5, 0, 1) * np.clip((_FOOT - down) * stage.scale + 0.5, 0, 1)
    bowl = np.clip((1 - np.hypot((across - x) / 34, (down - _FOOT + 4) / 13)) * 18, 0, 1)
    ember = np.exp(-np.maximum(down - 370, 0) / 3)[..., None]
    wood = np.array([0.11, 0.06, 0.03], np.float32) * (1 - ember) + np.array([2.2, 0.5, 0.08], np.float32) * ember
    clay = np.array([0.20, 0.11, 0.07], np.float32) * (1 - 0.015 * (across - x))[..., None]
    return _joined((np.asarray(body, np.float32), wood), (np.asarray(bowl, np.float32), clay))


def _plume(stage: Stage, x: float, time: float) -> FloatArray:
    """Smoke from the tip of the stick: a thread that widens, folds over and thins out as it rises."""
    across, down = _grid(stage)
    rise = np.maximum((370 - down) / 370, 0)
    climb = 7.5 * time  # design units
    wave = np.sin((down + climb) / 46) * 34 * rise**1.1 + np.sin((down + climb) / 21 + 1) * 11 * rise
    warp_x, warp_y, wisps = (_drifted(stage, key, climb * speed) for key, speed in ((0, 0.8), (1, 1.0), (2, 1.15)))
    bend = across - (x - 4) - wave - 46 * rise * warp_x
    half = 1.6 + 62 * rise**1.25
    core = np.exp(-((bend / half) ** 2))
    folds = np.abs(np.sin(bend / half * 3.4 + 5 * warp_y * rise + (down + climb) / 60))
    strands = 1 - np.clip(rise * 4, 0, 1) * 0.72 * folds**0.7
    density = core * strands * (1 + 0.9 * wisps) * 5.5 / (1 + half / 9)
    density = density * np.clip((370 - down) / 5, 0, 1)
    alpha = np.asarray(1 - np.exp(-density * 0.95), np.float32)
    return _joined((alpha, _SMOKE * (1 + 0.35 * warp_y)[..., None]))


def _drifted(stage: Stage, key: int, climb: float) -> FloatArray:
    """A field (H, W), about -1..1, that rises by `climb` design units."""
    field = _field(stage, key)
    span = field.shape[0] - stage.height - 2
    swing = abs((climb * stage.scale / span + 1) % 2 - 1) * span  # long clips turn back at the end of the field
    matrix = np.array([[1, 0, 0], [0, 1, swing]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(field, matrix, (stage.width, stage.height), flags=flags), np.float32)


@lru_cache(maxsize=6)
def _field(stage: Stage, key: int) -> FloatArray:
    rng = stage.generator(60, key)
    return blurred(cloud_noise(rng, (stage.height * 3, stage.width), (120, 90, 46)[key] * stage.scale, 4), 1.0)
