"""Transform: a picture moved, turned and scaled by a matrix, through one of Nuke's filters.

Moves by whole pixels are exact with every filter that keeps pixels as they are. The others are cubics of two
parameters, by the names that Nuke's documents have; where a picture shrinks they are widened, which is a hypothesis.
"""

from __future__ import annotations

import numpy as np

from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.combining import Inputs, Step, or_black
from nuke_standin.pixels.picture import Picture, PictureError, Plane

# B and C of the cubic filters, as Mitchell and Netravali count them.
_CUBICS = {"Cubic": (0, 0), "Keys": (0, 0.5), "Simon": (0, 0.75), "Rifman": (0, 1), "Mitchell": (1 / 3, 1 / 3),
           "Parzen": (1, 0), "Notch": (1.5, -0.25)}  # fmt: skip
_KEEPING = ("Impulse", "Cubic", "Keys", "Simon", "Rifman", "Lanczos4", "Lanczos6", "Sinc4")
_CLOSE = 1e-6


def transform(step: Step, inputs: Inputs) -> Picture:
    """The picture moved by the matrix a, b, c, d, e, f; outside it is black, or its edge is repeated."""
    source = or_black(inputs[0], inputs)
    a, b, c, d, e, f = step["matrix"]
    inner = _moved_box(source.box, step["matrix"])
    shift = np.asarray((c, f))
    plain = np.allclose((a, b, d, e), (1, 0, 0, 1), atol=_CLOSE) and np.allclose(shift, np.round(shift), atol=_CLOSE)
    if plain and step["filter"] in _KEEPING:
        across, up = (int(one) for one in np.round(shift))
        whole = source.whole
        inner = Box(source.box.x + across, source.box.y + up, source.box.r + across, source.box.t + up)
    elif step["filter"] == "Impulse" or step["filter"] in _CUBICS:

        def whole(name: str) -> Plane:
            return _sampled(source, name, inner, step)
    else:
        raise PictureError(f"{step['node']}: the stand-in has the filter {step['filter']} for whole pixels only")
    border = int(step["black_outside"] and not source.padded)
    return source.derived(lambda name: np.pad(whole(name), border), box=inner.grown(border),
                          padded=bool(border) or source.padded)  # fmt: skip


def _moved_box(box: Box, matrix: list[float]) -> Box:
    a, b, c, d, e, f = matrix
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (box.x, box.r) for y in (box.y, box.t)]
    low, high = np.min(corners, 0) + _CLOSE, np.max(corners, 0) - _CLOSE
    return Box(int(np.floor(low[0])), int(np.floor(low[1])), int(np.ceil(high[0])), int(np.ceil(high[1])))


def _sampled(source: Picture, name: str, box: Box, step: Step) -> Plane:
    """Each new pixel as the weighted mean of those around the place that it came from."""
    a, b, c, d, e, f = step["matrix"]
    size = a * e - b * d
    x, y = np.meshgrid(np.arange(box.x, box.r) + 0.5 - c, np.arange(box.y, box.t) + 0.5 - f)
    u, v = (e * x - b * y) / size - 0.5, (a * y - d * x) / size - 0.5
    pixels = _Pixels(source.whole(name), source.box, step["black_outside"])
    if step["filter"] == "Impulse":
        return pixels.at(np.floor(u + 0.5).astype(int), np.floor(v + 0.5).astype(int))
    wide, tall = max(1.0, np.hypot(e, b) / abs(size)), max(1.0, np.hypot(a, d) / abs(size))
    columns, rows = (_taps(at, reach, _CUBICS[step["filter"]]) for at, reach in ((u, wide), (v, tall)))
    total = np.zeros(u.shape)
    for row, weight in rows:
        total += weight * sum(part * pixels.at(column, row) for column, part in columns)
    return total.astype(np.float32)


def _taps(at: np.ndarray, reach: float, cubic: tuple[float, float]) -> list:
    """Pairs of pixel numbers and weights; the weights of a place sum to one."""
    radius = int(np.ceil(2 * reach))
    numbers = [np.floor(at).astype(int) + step for step in range(-radius + 1, radius + 1)]
    weights = [_cubic((number - at) / reach, *cubic) for number in numbers]
    total = np.sum(weights, axis=0)
    return [(number, weight / total) for number, weight in zip(numbers, weights)]


def _cubic(x: np.ndarray, b: float, c: float) -> np.ndarray:
    """The family of Mitchell and Netravali (1988)."""
    x = np.abs(x)
    near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)) / 6
    far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0))


class _Pixels:
    """A plane that can be asked for any pixel."""

    def __init__(self, plane: Plane, box: Box, black: bool) -> None:
        self._plane = np.pad(plane, 1, mode="constant" if black else "edge")
        self._box = box.grown(1)

    def at(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """The pixels at these places; outside, those of the edge."""
        across = np.clip(column - self._box.x, 0, self._box.width - 1)
        up = np.clip(row - self._box.y, 0, self._box.height - 1)
        return self._plane[up, across]
