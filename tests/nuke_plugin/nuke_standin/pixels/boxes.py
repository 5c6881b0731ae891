"""Formats and rectangles in Nuke's coordinates: y grows upwards, right and top are outside."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Box(NamedTuple):
    """Pixels x <= i < r, y <= j < t."""

    x: int
    y: int
    r: int
    t: int

    @property
    def width(self) -> int:
        return self.r - self.x

    @property
    def height(self) -> int:
        return self.t - self.y

    @property
    def empty(self) -> bool:
        return self.r <= self.x or self.t <= self.y

    def grown(self, by: int) -> Box:
        return Box(self.x - by, self.y - by, self.r + by, self.t + by)

    def joined(self, other: Box) -> Box:
        return Box(min(self.x, other.x), min(self.y, other.y), max(self.r, other.r), max(self.t, other.t))

    def common(self, other: Box) -> Box:
        """What both hold; one pixel at the corner of the overlap when that is nothing, for Nuke has no empty box."""
        box = Box(max(self.x, other.x), max(self.y, other.y), min(self.r, other.r), min(self.t, other.t))
        return Box(box.x, box.y, max(box.r, box.x + 1), max(box.t, box.y + 1))

    def scaled(self, sx: float, sy: float) -> Box:
        """The smallest box that holds this one after scaling about the origin."""
        return Box(_down(self.x * sx), _down(self.y * sy), _up(self.r * sx), _up(self.t * sy))


class Format(NamedTuple):
    """Size and pixel aspect of the whole picture."""

    width: int
    height: int
    aspect: float = 1.0
    name: str = ""

    @classmethod
    def of(cls, words: Any) -> Format:
        """From the list that a plan carries."""
        return cls(int(words[0]), int(words[1]), float(words[2]), str(words[3]))

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def scaled(self, by: float) -> Format:
        return Format(max(1, round(self.width * by)), max(1, round(self.height * by)), self.aspect, self.name)


def _down(value: float) -> int:
    return math.floor(value + 1e-6)


def _up(value: float) -> int:
    return math.ceil(value - 1e-6)
