"""Steadies alpha over time: blends a frame with its neighbours, moved along optical flow where that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server import heartbeat
from videomama_server.engines.base import FloatArray
from videomama_server.engines.classic.trimap import Trimap

_SHARES = (1.0, 0.5)  # most that a neighbour one or two frames away counts against the frame itself
_RESIDUAL = 0.03  # display-referred colour difference after warping at which trust is down to 1/e
_ROUND_TRIP = 1.5  # pixels of the view by which there and back may disagree before it is
_SMALLEST = 32  # pixels; in a smaller picture the search reads past the end of its pyramid, and may crash


@dataclass(frozen=True)
class PreparedFrame:
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


@dataclass(frozen=True)
class _Motion:
    """From one view to another.

    Attributes:
        flow: (h, w, 2), pixels of the view, x before y.
        trust: (h, w), 0..1.
    """

    flow: FloatArray
    trust: FloatArray


def steadied(frames: Sequence[PreparedFrame]) -> FloatArray:
    """Return the alphas (T, H, W), float32, 0..1, of T consecutive frames, blended with up to two neighbours each side.

    No result feeds another: a frame with two neighbours on either side comes out the same in every window.
    Only the unknown band changes.
    """
    motions = _motions({number: frame.view for number, frame in enumerate(frames) if frame.view is not None})
    return np.stack([_blended(frames, motions, number) for number in range(len(frames))])


def _blended(frames: Sequence[PreparedFrame], motions: dict[tuple[int, int], _Motion], number: int) -> FloatArray:
    frame = frames[number]
    height, width = frame.alpha.shape
    total, weights = frame.alpha.copy(), np.ones_like(frame.alpha)
    for reach, share in enumerate(_SHARES, start=1):
        for other in (number - reach, number + reach):
            motion = motions.get((number, other))
            if motion is None:
                continue
            trust = cv2.resize(motion.trust, (width, height), interpolation=cv2.INTER_LINEAR)
            weight = np.float32(share) * np.asarray(trust, np.float32)
            total += weight * _moved(frames[other].alpha, _enlarged(motion.flow, height, width))
            weights += weight
    return frame.trimap.hold(total / weights)


def _motions(views: dict[int, FloatArray]) -> dict[tuple[int, int], _Motion]:
    """Motion between every two views at most two frames apart, with trust by what each way leaves unexplained.

    Trust falls with the colour left over after warping and with the disagreement of the ways there and back.
    """
    flows = _flows(views)
    motions = {}
    for (one, other), flow in flows.items():
        residual = np.abs(views[one] - _moved(views[other], flow)).mean(axis=2)
        round_trip = flow + _moved(flows[other, one], flow)
        distance = np.einsum("hwc,hwc->hw", round_trip, round_trip)
        doubt = (residual / _RESIDUAL) ** 2 + distance / _ROUND_TRIP**2
        motions[one, other] = _Motion(flow, np.exp(-doubt).astype(np.float32))
    return motions


def _flows(views: dict[int, FloatArray]) -> dict[tuple[int, int], FloatArray]:
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
                flows[number, number + 2 * step] = first + _moved(second, first)
    return flows


def _flow(one: FloatArray, other: FloatArray) -> FloatArray:
    height, width = one.shape[:2]
    at_rest = np.zeros((height, width, 2), np.float32)
    if min(height, width) < _SMALLEST:
        return at_rest
    grey = [np.rint(view.mean(axis=2) * 255).astype(np.uint8) for view in (one, other)]
    heartbeat.beat()
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(search.calc(grey[0], grey[1], at_rest), np.float32)


def _enlarged(flow: FloatArray, height: int, width: int) -> FloatArray:
    """Flow (height, width, 2), in pixels of its new size."""
    ratio = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32) * ratio


def _moved(pixels: FloatArray, flow: FloatArray) -> FloatArray:
    """Pixels (H, W) or (H, W, C) fetched from where `flow` (H, W, 2) leads."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
