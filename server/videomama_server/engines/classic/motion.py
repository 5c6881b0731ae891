"""Follows motion between frames at most two apart, and says where that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray

REACH = 2  # frames
_SMALLEST = 32  # pixels; in a smaller picture the search reads past the end of its pyramid, and may crash


@dataclass(frozen=True)
class Trust:
    """What takes trust in a motion down to 1/e.

    Attributes:
        residual: display-referred colour difference after warping.
        round_trip: pixels of the view by which there and back disagree.
    """

    residual: float
    round_trip: float


@dataclass(frozen=True)
class Motion:
    """From one view to another.

    Attributes:
        flow: (h, w, 2), pixels of the view, x before y.
        trust: (h, w), 0..1.
    """

    flow: FloatArray
    trust: FloatArray


def motions(views: Mapping[int, FloatArray], trust: Trust) -> dict[tuple[int, int], Motion]:
    """Motion between every two views at most two frames apart, with trust by what each way leaves unexplained.

    Trust falls with the colour left over after warping and with the disagreement of the ways there and back.
    """
    flows = _flows(views)
    found = {}
    for (one, other), flow in flows.items():
        residual = _mean(np.abs(views[one] - moved(views[other], flow)))
        round_trip = flow + moved(flows[other, one], flow)
        distance = np.einsum("hwc,hwc->hw", round_trip, round_trip)
        doubt = (residual / trust.residual) ** 2 + distance / trust.round_trip**2
        found[one, other] = Motion(flow, np.exp(-doubt).astype(np.float32))
    return found


def _flows(views: Mapping[int, FloatArray]) -> dict[tuple[int, int], FloatArray]:
    """Flow (h, w, 2) by DIS (Kroeger et al., 2016) to the next view and the last; two frames away, chained."""
    flows: dict[tuple[int, int], FloatArray] = {}
    for number in sorted(views):
        for one, other in ((number, number + 1), (number + 1, number)):
            if number + 1 in views:
                flows[one, other] = _flow(views[one], views[other])
    for number in sorted(views):
        for step in (-1, 1):
            first, second = flows.get((number, number + step)), flows.get((number + step, number + 2 * step))
            if first is not None and second is not None:
                flows[number, number + 2 * step] = first + moved(second, first)
    return flows


def _flow(one: FloatArray, other: FloatArray) -> FloatArray:
    height, width = one.shape[:2]
    at_rest = np.zeros((height, width, 2), np.float32)
    if min(height, width) < _SMALLEST:
        return at_rest
    grey = [np.rint(_mean(view) * 255).astype(np.uint8) for view in (one, other)]
    heartbeat.beat()
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(search.calc(grey[0], grey[1], at_rest), np.float32)


def _mean(pixels: FloatArray) -> FloatArray:
    """Mean (H, W) of three channels (H, W, 3)."""
    return np.asarray((pixels[..., 0] + pixels[..., 1] + pixels[..., 2]) / np.float32(3), np.float32)


def moved(pixels: FloatArray, flow: FloatArray) -> FloatArray:
    """Pixels (H, W) or (H, W, C) fetched from where `flow` (H, W, 2) leads."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
