"""How a still foreground moves over a picture, and how it lies there: turned, zoomed and shifted, as published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.train.data.drawn import Request

_TURN = 2 * np.pi
_SPEED = 1.25  # degrees a frame, at most
_TILT = 25.0  # degrees that it may begin with
_SCALE = (0.6, 1.3)  # of its longer side, in those of the picture
_SWING = (0.1, 0.3)  # of the picture's sides
_SMALLEST, _LARGEST = (0.8, 1.0), (1.0, 1.2)  # zoom
_PERIOD = 60  # frames of a swing, at least


@dataclass(frozen=True)
class Trajectory:
    """Where a foreground is at any time, in frames; every value is drawn once for a sample.

    Attributes:
        moves: False for foregrounds that bring their own motion; these only lie somewhere.
    """

    moves: bool
    scale: float
    place: tuple[float, float]
    tilt: float
    speed: float
    zoom: tuple[float, float]
    swing: tuple[float, float]
    periods: tuple[float, float, float]
    phases: tuple[float, float, float]
    mirrored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, moves: bool) -> Trajectory:
        """Draw a trajectory."""
        smallest, largest = rng.uniform(*_SMALLEST), rng.uniform(*_LARGEST)
        periods = rng.uniform(_PERIOD, 2 * _PERIOD, 3)
        phases = rng.uniform(0, _TURN, 3)
        return cls(
            moves=moves,
            scale=rng.uniform(*_SCALE),
            place=(rng.uniform(-0.2, 0.2), rng.uniform(-0.1, 0.2)),
            tilt=rng.uniform(-_TILT, _TILT) if moves and rng.random() < 0.5 else 0.0,
            speed=rng.uniform(0.2, 1) * _SPEED * rng.choice([-1, 1]),
            zoom=((smallest + largest) / 2, (largest - smallest) / 2),
            swing=(rng.uniform(*_SWING) * rng.choice([-1, 1]), rng.uniform(*_SWING) * rng.choice([-1, 1])),
            periods=(float(periods[0]), float(periods[1]), float(periods[2])),
            phases=(float(phases[0]), float(phases[1]), float(phases[2])),
            mirrored=bool(rng.random() < 0.5),
        )

    def matrix(self, time: float, shape: tuple[int, int], wanted: Request) -> FloatArray:
        """Return the affine map (2, 3) from a foreground's pixels to the picture's.

        Args:
            time: in frames from the first of the sample.
            shape: height and width of the foreground.
            wanted: the picture.
        """
        height, width = shape
        zoom, angle, (x, y) = self._zoom(time), self._angle(time), self._shift(time)
        scale = self.scale * max(wanted.size) / max(shape) * zoom
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        flip = -1.0 if self.mirrored else 1.0
        turn = np.array([[cos * flip, -sin], [sin * flip, cos]])
        middle = np.array([wanted.width * (0.5 + x), wanted.height * (0.5 + y)])
        shift = middle - turn @ np.array([width / 2, height / 2])
        return np.asarray(np.column_stack([turn, shift]), np.float32)

    def _zoom(self, time: float) -> float:
        centre, reach = self.zoom
        return centre + reach * self._wave(0, time) if self.moves else 1.0

    def _angle(self, time: float) -> float:
        return float(np.deg2rad(self.tilt + self.speed * time)) if self.moves else 0.0

    def _shift(self, time: float) -> tuple[float, float]:
        x, y = self.place
        if not self.moves:
            return x, y
        return x + self.swing[0] * self._wave(1, time), y + self.swing[1] * self._wave(2, time)

    def _wave(self, which: int, time: float) -> float:
        return float(np.sin(_TURN * time / self.periods[which] + self.phases[which]))
