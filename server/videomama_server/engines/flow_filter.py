"""Steadies alpha over time: blends a frame with its neighbours, moved along optical flow where that can be trusted.

No result feeds another, so a frame with two neighbours on either side comes out the same among any others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.engines.motion import Motion, Trust, enlarged, motions, moved

_SHARES = (1.0, 0.5)  # most that a neighbour one or two frames away counts against the frame itself
_TRUST = Trust(residual=0.03, round_trip=1.5)


@dataclass(frozen=True)
class FlickeringFrame:
    """One frame, found on its own.

    Attributes:
        alpha: (H, W), 0..1.
        view: (h, w, 3), 0..1, display-referred: the plate, perhaps reduced, to follow motion in; None for a frame
            that neither gives nor takes.
    """

    alpha: FloatArray
    view: FloatArray | None


def blended(frames: Mapping[int, FlickeringFrame], wanted: Sequence[int]) -> list[FloatArray]:
    """Return the alphas (H, W), float32, at the positions `wanted`, blended with up to two neighbours each side.

    Args:
        frames: by position, consecutive.
        wanted: positions of some of them.
    """
    views = {number: frame.view for number, frame in frames.items() if frame.view is not None}
    followed = motions(views, _TRUST)
    return [_blended(frames, followed, number) for number in wanted]


def _blended(
    frames: Mapping[int, FlickeringFrame], followed: Mapping[tuple[int, int], Motion], number: int
) -> FloatArray:
    frame = frames[number]
    height, width = frame.alpha.shape
    total, weights = frame.alpha.copy(), np.ones_like(frame.alpha)
    for reach, share in enumerate(_SHARES, start=1):
        for other in (number - reach, number + reach):
            motion = followed.get((number, other))
            if motion is None:
                continue
            trust = cv2.resize(motion.trust, (width, height), interpolation=cv2.INTER_LINEAR)
            weight = np.float32(share) * np.asarray(trust, np.float32)
            total += weight * moved(frames[other].alpha, enlarged(motion.flow, height, width))
            weights += weight
    total /= weights
    return total
