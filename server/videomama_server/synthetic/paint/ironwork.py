"""A swinging gate of crossed laths and a turning wheel with thin spokes: hundreds of holes to look through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Ink, Stage
from videomama_server.synthetic.paint.moving import empty

_BOX = ((-380.0, 30.0), (380.0, 560.0))
_GATE = (-330.0, 95.0, -10.0, 500.0)  # left, top, right, bottom, design units
_PITCH = 37.0
_GREEN = np.array([0.055, 0.16, 0.11], np.float32)
_STEEL = np.array([0.46, 0.47, 0.50], np.float32)
_TYRE = np.array([0.02, 0.02, 0.022], np.float32)
_SPOKES = 32
_FAR = 900.0  # design units to the camera


def ironwork(stage: Stage, time: float) -> FloatArray:
    """Return gate and wheel, premultiplied linear (H, W, 4), at `time` in frames since the first."""
    (left, top), (right, bottom) = stage.pixels(np.array(_BOX)).astype(int).tolist()
    ink = Ink((left, top, right, bottom))
    _gate(stage, ink, float(0.22 + 0.42 * np.sin(2 * np.pi * time / 36)))
    _wheel(stage, ink, (190 + 6 * np.sin(time / 6), 330 + 2 * np.sin(time / 3)), 0.11 * time)
    picture = empty(stage)
    ink.layer().over(picture)
    return picture


def _gate(stage: Stage, ink: Ink, yaw: float) -> None:
    left, top, right, bottom = _GATE
    slope = bottom - top
    for lean, tone in ((1, 0.7), (-1, 1.0)):
        for start in np.arange(left - slope, right + slope, _PITCH):
            lath = _clipped(np.array([[start, top], [start + lean * slope, bottom]]))
            if lath is not None:
                _bar(stage, ink, _swung(lath, yaw), 6.5, _GREEN * np.float32(tone))
    for edge in (
        [(left, top), (left, bottom)], [(right, top), (right, bottom)],
        [(left, top), (right, top)], [(left, bottom), (right, bottom)], [(left, 290), (right, 290)],
    ):  # fmt: skip
        _bar(stage, ink, _swung(np.array(edge), yaw), 15, _GREEN * np.float32(1.25))
    for x in np.arange(left + 26, right - 10, 30):
        for reach in (0.0, 0.5):  # scrolls on top
            turn = np.linspace(reach * np.pi, reach * np.pi + 1.6 * np.pi, 20)
            curl = np.column_stack([x + 12 * np.cos(turn), top - 17 + 12 * np.sin(turn)])
            _bar(stage, ink, _swung(curl, yaw), 2.6, _GREEN * np.float32(1.1))


def _wheel(stage: Stage, ink: Ink, centre: tuple[float, float], turn: float) -> None:
    angle = np.linspace(0, 2 * np.pi, 121)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    for spoke in range(_SPOKES):
        rim, side = 2 * np.pi * spoke / _SPOKES + turn, 1 if spoke % 2 else -1
        hub = rim + side * 1.15  # spokes leave the hub nearly along it, as on a real wheel
        ends = np.array([[15 * np.cos(hub), 15 * np.sin(hub)], [136 * np.cos(rim), 136 * np.sin(rim)]])
        _bar(stage, ink, ends + centre, 1.3, _STEEL * np.float32(1.0 + 0.4 * np.cos(rim + 2)))
    _bar(stage, ink, circle * 138 + centre, 7, _STEEL)
    _bar(stage, ink, circle * 147 + centre, 13, _TYRE)
    _bar(stage, ink, circle * 11 + centre, 7, _STEEL * np.float32(0.7))
    reflector = turn + 0.4
    at = np.array([[np.cos(reflector), np.sin(reflector)]]) * np.array([[78.0], [104.0]]) + centre
    _bar(stage, ink, at, 11, np.array([0.85, 0.26, 0.02], np.float32))


def _bar(stage: Stage, ink: Ink, path: NDArray[np.float64], wide: float, colour: FloatArray) -> None:
    """Draw a round bar: its body, and a line of light along it."""
    points = stage.pixels(path)[None]
    light = np.asarray(points + np.array([0.14, -0.16]) * wide * stage.scale, np.float32)
    for line, width, tone in ((points, wide, 0.75), (light, wide * 0.45, 1.7)):
        tint = np.clip(colour * np.float32(tone), 0, 0.99)[None]
        ink.lines(line, np.asarray(tint, np.float32), np.array([width * stage.scale]))


def _clipped(path: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Cut a line (2, 2) at the sides of the gate."""
    left, _, right, _ = _GATE
    (x0, y0), (x1, y1) = path
    low, high = sorted(((left - x0) / (x1 - x0), (right - x0) / (x1 - x0)))
    low, high = max(low, 0.0), min(high, 1.0)
    if high <= low:
        return None
    return np.array([[x0 + part * (x1 - x0), y0 + part * (y1 - y0)] for part in (low, high)])


def _swung(path: NDArray[np.float64], yaw: float) -> NDArray[np.float64]:
    """Turn points (N, 2) of the gate about its hinge on the left, seen in perspective."""
    hinge, eye = _GATE[0], 290.0
    out = path[:, 0] - hinge
    nearer = 1 / (1 + out * np.sin(yaw) / _FAR)
    return np.column_stack([hinge + out * np.cos(yaw) * nearer, eye + (path[:, 1] - eye) * nearer])
