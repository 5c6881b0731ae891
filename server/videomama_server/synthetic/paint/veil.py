"""The demo clip's semi-transparent part: the end of a sheer scarf that flutters over the left shoulder."""

from __future__ import annotations

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Layer, Stage

_ANCHOR = (-84.0, 302.0)  # where it comes out from under the hair, design units
_LENGTH = 145.0
_SHEER = 0.40  # coverage of one thickness of the cloth
_COLOUR = np.array([0.78, 0.66, 0.57], np.float32)


def veil(stage: Stage, moved: FloatArray, time: float) -> Layer:
    """Return the scarf, moved by a matrix (2, 3) in pixels.

    Its centre line is a height over x, so every pixel finds its place on the cloth directly: `along` from the
    neck to the free end, `across` from hem to hem.
    """
    low = stage.pixels(np.array([_ANCHOR[0] - _LENGTH - 30, _ANCHOR[1] - 60])).astype(int)
    high = stage.pixels(np.array([_ANCHOR[0] + 45, _ANCHOR[1] + 170])).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    anchor = moved[:, :2] @ stage.pixels(np.array(_ANCHOR)) + moved[:, 2]
    along = (anchor[0] - x) / (_LENGTH * stage.scale)
    middle, half = _course(along, time)
    across = ((y - anchor[1]) / stage.scale - middle) / half
    end = 1 + 0.05 * across + 0.03 * np.sin(5 * across + time / 3)
    inside = np.minimum((1 - np.abs(across)) * half, (end - along) * _LENGTH) * stage.scale
    edge = np.clip(inside + 0.5, 0, 1) * np.clip((along + 0.2) * 8, 0, 1)
    alpha = edge * _thickness(along, across, time, inside / stage.scale)
    shade = 0.82 + 0.22 * np.sin(6 * across + 7 * along - time / 4) + 0.10 * across
    rgb = _COLOUR * (shade * alpha)[..., None]
    return Layer(np.dstack([rgb, alpha]).astype(np.float32), int(low[0]), int(low[1]))


def _course(along: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Height of the centre line and half the width, design units, at `along`."""
    free = np.clip(along, 0, 1.2)
    flutter = np.sin(6.5 * free - 2 * np.pi * time / 15) * 17 + np.sin(13 * free - 2 * np.pi * time / 8.5) * 4
    return 62 * free + flutter * free, 8 + 12 * free + 2 * np.sin(9 * free - time / 3)


def _thickness(along: np.ndarray, across: np.ndarray, time: float, inside: np.ndarray) -> np.ndarray:
    """Coverage, 0..1: pleats double the cloth in places, the hem is folded over."""
    pleat = np.sin(5.5 * across + 3 * along + 0.8 * np.sin(7 * along - time / 5))
    layers = 1 + 0.45 * np.clip(pleat - 0.35, 0, 1) - 0.25 * np.clip(-pleat - 0.4, 0, 1)
    layers = layers + 0.7 * np.clip(1.5 - np.abs(inside - 1.8), 0, 1) + 0.8 * np.clip(0.35 - along, 0, 1) * 3
    return np.asarray(1 - (1 - _SHEER) ** layers)
