"""Follows motion between frames, and says where that can be trusted; for all engines that look along time."""

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
        found[one, other] = judged((views[one], views[other]), (flow, flows[other, one]), trust)
    return found


def judged(views: tuple[FloatArray, FloatArray], flows: tuple[FloatArray, FloatArray], trust: Trust) -> Motion:
    """Return the motion from one view to another with its trust.

    Args:
        views: (h, w, 3), 0..1, display-referred: the one and the other.
        flows: (h, w, 2), pixels: from the one to the other, and back.
        trust: what takes trust down.
    """
    flow, back = flows
    residual = _mean(np.abs(views[0] - moved(views[1], flow)))
    round_trip = flow + moved(back, flow)
    distance = np.einsum("hwc,hwc->hw", round_trip, round_trip)
    doubt = (residual / trust.residual) ** 2 + distance / trust.round_trip**2
    return Motion(flow, np.exp(-doubt).astype(np.float32))


def _flows(views: Mapping[int, FloatArray]) -> dict[tuple[int, int], FloatArray]:
    """Flow (h, w, 2) by DIS (Kroeger et al., 2016) to the next view and the last; two frames away, chained."""
    flows: dict[tuple[int, int], FloatArray] = {}
    for number in sorted(views):
        for one, other in ((number, number + 1), (number + 1, number)):
            if number + 1 in views:
                flows[one, other] = flow_between(views[one], views[other])
    for number in sorted(views):
        for step in (-1, 1):
            first, second = flows.get((number, number + step)), flows.get((number + step, number + 2 * step))
            if first is not None and second is not None:
                flows[number, number + 2 * step] = chained(first, second)
    return flows


def flow_between(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the flow (h, w, 2), pixels, x before y, from one view (h, w, 3), 0..1, to another, by DIS.

    It is 0 in views that are too small to search.
    """
    height, width = one.shape[:2]
    at_rest = np.zeros((height, width, 2), np.float32)
    if min(height, width) < _SMALLEST:
        return at_rest
    grey = [np.rint(_mean(view) * 255).astype(np.uint8) for view in (one, other)]
    heartbeat.beat()
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(search.calc(grey[0], grey[1], at_rest), np.float32)


def chained(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the flow (h, w, 2) that leads where `second` leads from where `first` leads."""
    return first + moved(second, first)


def enlarged(flow: FloatArray, height: int, width: int) -> FloatArray:
    """Return a flow (height, width, 2), in pixels of its new size."""
    larger = np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    larger[..., 0] *= np.float32(width / flow.shape[1])
    larger[..., 1] *= np.float32(height / flow.shape[0])
    return larger


def _mean(pixels: FloatArray) -> FloatArray:
    """Mean (H, W) of three channels (H, W, 3)."""
    return np.asarray((pixels[..., 0] + pixels[..., 1] + pixels[..., 2]) / np.float32(3), np.float32)


def moved(pixels: FloatArray, flow: FloatArray) -> FloatArray:
    """Pixels (H, W) or (H, W, C) fetched from where `flow` (H, W, 2) leads."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
