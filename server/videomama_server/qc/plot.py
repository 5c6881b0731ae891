"""Draws the scores of a clip over time, with the thresholds that are fixed and the frames that were flagged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
from videomama_client.messages import QcFlag

from videomama_server.arrays import ByteArray
from videomama_server.media.contact_sheet import FAINT, INK, MARK, Colour, blank, label
from videomama_server.qc import flags as judging
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import THRESHOLDS

_WIDTH = 1280
_LEFT, _RIGHT = 70, 24
_PANEL, _GAP = 120, 34
_FOOT = 30
_SHADE = (70, 34, 28)
_CEILING = 4  # times the threshold; what is higher is drawn at the top
_COLOURS = ((110, 200, 255), (150, 150, 150))


@dataclass(frozen=True)
class Panel:
    """One diagram: its title, its curves, the flags that belong to it, the least top of its scale, a threshold."""

    title: str
    curves: tuple[Callable[[FrameScores], float | None], ...]
    kinds: tuple[str, ...]
    top: float
    threshold: float | None = None


PANELS = (
    Panel(
        "IoU of mask and alpha",
        (lambda f: f.iou,),
        (judging.MISMATCH, judging.INVERTED, judging.SWAPPED),
        1.0,
        THRESHOLDS.iou,
    ),
    Panel(
        "coverage of the alpha (grey: of the mask)",
        (lambda f: f.coverage, lambda f: f.mask),
        (judging.MASK_MISSED, judging.ALPHA_DROPPED, judging.SHORT),
        0.05,
    ),
    Panel("alpha outside the mask", (lambda f: f.outside,), (judging.SPILL,), 0.06),
    Panel("softness inside the mask", (lambda f: f.softness,), (judging.SEE_THROUGH,), 0.1),
    Panel("ragged inside the mask", (lambda f: f.ragged,), (judging.SEE_THROUGH,), 0.06, THRESHOLDS.ragged),
    Panel(
        "faint alpha around the subject (grey: loose patches)",
        (lambda f: f.veil, lambda f: f.remains),
        (judging.HAZE,),
        0.1,
    ),
    Panel("thin strands around", (lambda f: f.strands,), (judging.STRANDS,), 0.03),
    Panel("hole inside the mask", (lambda f: f.hole,), (judging.HOLE,), 0.02, THRESHOLDS.hole),
    Panel(
        "largest place that appears at once (grey: vanishes)",
        (lambda f: f.gain, lambda f: f.loss),
        (judging.PATCH,),
        0.06,
        THRESHOLDS.patch,
    ),
    Panel("flicker", (lambda f: f.flicker,), (judging.FLICKER,), 0.15, THRESHOLDS.flicker),
    Panel("seam: flicker compared with the frames around", (lambda f: f.seam,), (judging.SEAM,), 4.0, THRESHOLDS.seam),
)


def plot(scores: Sequence[FrameScores], flags: Sequence[QcFlag]) -> ByteArray:
    """Return the plot (h, w, 3), 8-bit sRGB; `scores` are not empty and ascend by frame."""
    sheet = blank(len(PANELS) * (_PANEL + _GAP) + _FOOT, _WIDTH)
    for row, panel in enumerate(PANELS):
        area = sheet[row * (_PANEL + _GAP) + _GAP :][:_PANEL]
        flagged = {frame for flag in flags if flag.kind in panel.kinds for frame in flag.frame_numbers}
        title = panel.title + ("  FLAGGED" if flagged else "")
        label(sheet, title, (_LEFT, row * (_PANEL + _GAP) + _GAP - 8), MARK if flagged else INK)
        _draw(area, panel, scores, flagged)
    foot = sheet.shape[0] - 9
    for found in scores[:: max(1, len(scores) // 12)]:
        label(sheet, str(found.frame), (_across(scores, found.frame) - 16, foot))
    return sheet


def _draw(area: ByteArray, panel: Panel, scores: Sequence[FrameScores], flagged: set[int]) -> None:
    curves = [[(found.frame, curve(found)) for found in scores] for curve in panel.curves]
    top = max([panel.top, *(value for curve in curves for _, value in curve if value is not None)])
    if panel.threshold is not None:
        top = min(top, _CEILING * panel.threshold)  # a frame without alpha would make a line of all others
    half = max(2, (_across(scores, scores[0].frame + 1) - _LEFT) // 2)
    for frame in flagged:
        x = _across(scores, frame)
        area[:, max(_LEFT, x - half) : min(_WIDTH - _RIGHT, x + half + 1)] = _SHADE
    cv2.rectangle(area, (_LEFT, 0), (_WIDTH - _RIGHT, _PANEL - 1), FAINT, 1)
    label(area, f"{top:.3g}", (6, 14), FAINT)
    label(area, "0", (6, _PANEL - 4), FAINT)
    if panel.threshold is not None:
        y = _down(panel.threshold, top)
        for x in range(_LEFT, _WIDTH - _RIGHT, 12):
            cv2.line(area, (x, y), (x + 5, y), MARK, 1)
    for curve, colour in zip(reversed(curves), reversed(_COLOURS[: len(curves)]), strict=True):
        points = [(_across(scores, frame), None if value is None else _down(value, top)) for frame, value in curve]
        _line(area, points, colour)


def _line(area: ByteArray, points: Sequence[tuple[int, int | None]], colour: Colour) -> None:
    """Draw a curve; it is interrupted where there is no score."""
    for x, y in points:
        if y is not None:
            cv2.circle(area, (x, y), 2, colour, -1, cv2.LINE_AA)
    for (x, y), (next_x, next_y) in pairwise(points):
        if y is not None and next_y is not None:
            cv2.line(area, (x, y), (next_x, next_y), colour, 1, cv2.LINE_AA)


def _across(scores: Sequence[FrameScores], frame: int) -> int:
    first, last = scores[0].frame, scores[-1].frame
    return _LEFT + round((frame - first) / max(1, last - first) * (_WIDTH - _RIGHT - _LEFT))


def _down(value: float, top: float) -> int:
    return _PANEL - 4 - round(min(1.0, value / top) * (_PANEL - 8))
