"""Steadies the alphas of the classic engine over time; what is certain of them does not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from videomama_server.arrays import FloatArray
from videomama_server.engines.classic.trimap import Trimap
from videomama_server.engines.flow_filter import FlickeringFrame, blended


@dataclass(frozen=True)
class SolvedFrame:
    """One frame, solved on its own.

    Attributes:
        alpha: (H, W), 0..1.
        trimap: what of it is certain.
        view: (h, w, 3), 0..1, display-referred: the plate, perhaps reduced, to follow motion in; None when
            nothing is unknown.
    """

    alpha: FloatArray
    trimap: Trimap
    view: FloatArray | None


def steadied(frames: Mapping[int, SolvedFrame], wanted: Sequence[int]) -> list[FloatArray]:
    """Return the alphas (H, W), float32, 0..1, at the positions `wanted`, blended with up to two neighbours each side.

    Only the unknown band changes.

    Args:
        frames: by position, consecutive.
        wanted: positions of some of them.
    """
    alphas = blended({number: FlickeringFrame(frame.alpha, frame.view) for number, frame in frames.items()}, wanted)
    return [frames[position].trimap.hold(alpha) for position, alpha in zip(wanted, alphas, strict=True)]
