"""Steadies an alpha over time: an average over neighbours, moved along the plate's motion as far as that is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.engines.motion import Motion, Trust, chained, enlarged, flow_between, judged, moved
from videomama_server.media.reduction import averaged, fitted_size

_VIEW = 960  # long side, in pixels, of the plate that motion is followed in
_GRAIN = 1.0  # pixels of the view: standard deviation of the blur that quietens grain
_TRUST = Trust(residual=0.06, round_trip=1.5)


@dataclass
class View:
    """A small plate to follow motion in, and the flows that were found from it.

    Attributes:
        number: absolute frame number.
        pixels: (h, w, 3), 0..1, display-referred.
    """

    number: int
    pixels: FloatArray
    _flows: dict[int, FloatArray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, number: int, plate: FloatArray) -> View:
        """Make the view of a plate (H, W, 3), 0..1, display-referred."""
        small = averaged(plate, fitted_size(plate.shape[:2], _VIEW))
        return cls(number, np.asarray(cv2.GaussianBlur(small, (0, 0), _GRAIN), np.float32))

    def flow_to(self, neighbour: View) -> FloatArray:
        """Return the flow (h, w, 2) to the next view or the one before; kept, as several frames need it."""
        if neighbour.number not in self._flows:
            self._flows[neighbour.number] = flow_between(self.pixels, neighbour.pixels)
        return self._flows[neighbour.number]


def steadied(
    alphas: Sequence[FloatArray], views: Sequence[View], position: int, strength: float, radius: int
) -> FloatArray:
    """Return the alpha (H, W), 0..1, at one position, mixed with its average over time.

    It depends on the frames within `radius` alone, whichever others are there. Near an end it looks at fewer.

    Args:
        alphas: (H, W), 0..1, of consecutive frames.
        views: of the same frames.
        position: in them.
        strength: share of the average, 0..1.
        radius: frames on either side.
    """
    alpha = alphas[position]
    height, width = alpha.shape
    total, weights = alpha.copy(), np.ones_like(alpha)
    for other, motion in _motions(views, position, radius):
        trust = np.asarray(cv2.resize(motion.trust, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        weight = np.float32(1 - abs(other - position) / (radius + 1)) * trust
        total += weight * moved(alphas[other], enlarged(motion.flow, height, width))
        weights += weight
    mixed = alpha + np.float32(strength) * (total / weights - alpha)
    return np.asarray(mixed.clip(0, 1), np.float32)


def _motions(views: Sequence[View], position: int, radius: int) -> Iterator[tuple[int, Motion]]:
    """Yield the positions within `radius` and the motion to each, by the flows from neighbour to neighbour."""
    here = views[position]
    for step in (-1, 1):
        reach = range(position + step, position + step * (radius + 1), step)
        there = back = None
        for other in (place for place in reach if 0 <= place < len(views)):
            before, last = views[other - step], views[other]
            onward, homeward = before.flow_to(last), last.flow_to(before)
            there = onward if there is None else chained(there, onward)
            back = homeward if back is None else chained(homeward, back)
            yield other, judged((here.pixels, last.pixels), (there, back), _TRUST)
