"""Says how far a mask's outline is off, from plate and mask alone. Pure functions of pixels.

Across the outline, the colours of the plate are read along short lines. Where a line crosses the subject's real edge
there is a step of colour, and two pieces that are each of one colour: how far both lie from the mask's outline says how
far that is off. Rough masks are told from others, and too large from too small; an exact mask is not told from a good
one, as strands that a mask has lost leave its outline where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.mask_presets import EXACT, FAIR, GOOD, ROUGH

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray
from videomama_server.distances import signed_depth
from videomama_server.media.reduction import averaged, reduced_size

UNSURE = "unsure"  # beside the presets
VERSION = 2  # of the figures: those of another one are measured again
LEAST_SIDE = 320  # pixels of the long side of a plate: in a smaller one all this comes to less than a pixel
_REACH = 48  # pixels at 1920 wide, that lines go to either side of the outline
_POINTS = 800  # lines of a frame at most
_LEAST_VALID = 24  # samples of a line
_CLEAR, _ALONE = 6.0, 1.6  # steps of CIE Lab that an edge has, and times any other edge on its line
_PIECE = 8  # samples of a piece, at least
_EXPLAINS, _STRONG = 0.55, 384.0  # of a line's variation that two pieces explain, and how much that is
_ENOUGH = 15  # lines with a clear edge, below which all count
_PROMINENT = 1.3  # below it, no place along the lines has more of an edge than any other
_AWAY = ((3.0, EXACT), (8.0, GOOD), (14.0, FAIR))  # pixels at 1920 wide up to which the outline is so far off
_BIASED = 3.0  # pixels at 1920 wide
# In texture every line has an edge somewhere, and only all of them together show where the subject ends.
_TOGETHER = 1.5  # prominence from which they do
_SCATTERED = 8.0  # pixels at 1920 wide that single lines must be further off than their common peak
_CLOSEST, _CLOSE = 2.0, 6.0  # pixels at 1920 wide that it may reach, of exact and of good masks
_HALF = 0.5  # of a peak's height above the median, down to which it reaches


@dataclass(frozen=True)
class Fit:
    """What one frame says of its mask's outline; distances in pixels of a plate 1920 wide, positive outwards.

    Attributes:
        edge: median place of the edge of colour.
        edge_away: 75th percentile of how far it is from the outline, either way.
        change: median place at which colours change from one piece to the other.
        change_away: likewise.
        prominence: of the place along the lines with the strongest edges, over the median place.
        reach: how far from the outline the places around it with strong edges reach, either way.
    """

    edge: float
    edge_away: float
    change: float
    change_away: float
    prominence: float
    reach: float


NUMBERS = len(fields(Fit))


@dataclass(frozen=True)
class Verdict:
    """How good the masks of a clip are.

    Attributes:
        quality: `EXACT`, `GOOD`, `FAIR` or `ROUGH`; `UNSURE` where the plates do not say.
        offset: how much too large they are, in pixels of a plate 1920 wide; negative for too small, 0 for neither.
    """

    quality: str
    offset: float = 0.0


def judged(fits: Sequence[Fit]) -> Verdict:
    """Return what the frames of a clip say together; without any, nobody knows."""
    if not fits:
        return Verdict(UNSURE)
    of = Fit(*(median(figures) for figures in zip(*map(astuple, fits), strict=True)))
    if of.prominence < _PROMINENT:
        return Verdict(UNSURE)
    away = min(of.edge_away, of.change_away)
    quality = next((name for most, name in _AWAY if away <= most), ROUGH)
    if quality in (FAIR, ROUGH) and of.prominence >= _TOGETHER and of.reach <= min(away - _SCATTERED, _CLOSE):
        return Verdict(EXACT if of.reach <= _CLOSEST else GOOD)
    nearer = min(of.edge, of.change, key=abs) if of.edge * of.change > 0 else 0.0
    return Verdict(quality, -nearer if abs(nearer) > _BIASED else 0.0)


def fit_of(plate: FloatArray, subject: BoolArray) -> Fit | None:
    """Return what a frame says of its mask; None where there is no outline to look at.

    Args:
        plate: (H, W, 3), 0..1, display-referred. It is looked at no larger than 1920, and says nothing when it is
            smaller than `LEAST_SIDE`.
        subject: (H, W), where the mask says subject.
    """
    long_side = max(subject.shape)
    if long_side < LEAST_SIDE:
        return None
    if long_side > REFERENCE_SIDE:
        size = reduced_size((subject.shape[0], subject.shape[1]), REFERENCE_SIDE / long_side)
        plate, subject = averaged(plate, size), averaged(subject.astype(np.float32), size) >= 0.5
    scale = max(subject.shape) / REFERENCE_SIDE
    points, normals = _outline(subject, scale)
    if not len(points):
        return None
    colours, valid = _lines(plate, subject, points, normals, scale)
    enough = valid.sum(axis=1) >= _LEAST_VALID
    if not enough.any():
        return None
    return _fit(colours[enough], valid[enough], max(4, round(1.5 / scale)))


def _outline(subject: BoolArray, scale: float) -> tuple[FloatArray, FloatArray]:
    """Return points (N, 2) on the outline and its normals (N, 2) there, outwards; x before y, in pixels."""
    found = cv2.findContours(subject.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    least = max(12, 60 * scale)
    contours = [np.asarray(contour, np.int64).reshape(-1, 2) for contour in found if len(contour) >= least]
    if not contours:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    points = np.concatenate(contours)
    points = points[:: -(-len(points) // _POINTS)]
    margin = 4 * scale + 2
    beyond = np.array(subject.shape[::-1]) - 1 - margin
    points = points[((points >= margin) & (points <= beyond)).all(axis=1)]
    smooth = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), max(1.2, 4 * scale))
    slopes = [np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order)) for order in ((1, 0), (0, 1))]
    inwards = np.stack([slope[points[:, 1], points[:, 0]] for slope in slopes], axis=1)
    length = np.linalg.norm(inwards, axis=1)
    sloped = length > 1e-6
    normals = -inwards[sloped] / length[sloped, None]
    return (points[sloped] + 0.5 * normals).astype(np.float32), normals.astype(np.float32)


def _lines(
    plate: FloatArray, subject: BoolArray, points: FloatArray, normals: FloatArray, scale: float
) -> tuple[FloatArray, BoolArray]:
    """Return the colours (N, S, 3), CIE Lab, along the lines, and which samples (N, S) count.

    Those count that lie in the frame, have no other stretch of the outline nearer, and are joined to the outline by
    others that do.
    """
    away = np.arange(-_REACH, _REACH + 1, dtype=np.float32)
    x, y = (points[:, axis, None] + normals[:, axis, None] * away * np.float32(scale) for axis in (0, 1))
    height, width = subject.shape
    smooth = cv2.GaussianBlur(plate, (0, 0), max(0.6, 1.2 * scale))
    lab = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2Lab), np.float32)
    distance = _sampled(-signed_depth(subject) / np.float32(scale), x, y)
    valid = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    valid &= np.abs(distance - away) <= 2 + 1.5 / scale + 0.35 * np.abs(away)
    outwards = np.logical_and.accumulate(valid[:, _REACH:], axis=1)
    inwards = np.logical_and.accumulate(valid[:, _REACH::-1], axis=1)[:, ::-1]
    joined = np.concatenate([inwards[:, :-1], outwards], axis=1) & valid[:, _REACH, None]
    return _sampled(lab, x, y), joined


def _sampled(picture: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    found = cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def _fit(colours: FloatArray, valid: BoolArray, side: int) -> Fit:
    """Return what lines say together; `side` is how many samples an edge is looked for on either side."""
    sums = np.concatenate([np.zeros_like(colours[:, :1]), np.cumsum(colours * valid[..., None], axis=1)], axis=1)
    counts = np.concatenate([np.zeros_like(valid[:, :1], np.int64), np.cumsum(valid, axis=1)], axis=1)
    strength = _edges(sums, counts, side)
    away = np.arange(-_REACH, _REACH + 1)
    at = strength.argmax(axis=1)
    strongest = strength.max(axis=1)
    elsewhere = np.abs(np.arange(away.size) - at[:, None]) > max(8, side)
    second = np.where(elsewhere, strength, 0).max(axis=1)
    edge, edge_away = _middle(away[at], (strongest > _CLEAR) & (strongest > _ALONE * second))
    between = _between_pieces(sums, counts)
    total = (np.square(colours).sum(axis=2) * valid).sum(axis=1)
    total -= np.square(sums[:, -1]).sum(axis=1) / counts[:, -1]
    most = between.max(axis=1)
    change, change_away = _middle(away[between.argmax(axis=1)] + 0.5, (most > _EXPLAINS * total) & (most > _STRONG))
    relative = (strength / np.maximum(1, strength.mean(axis=1, keepdims=True))).mean(axis=0)
    prominence = float(relative.max() / max(float(np.median(relative)), 1e-6))
    return Fit(edge, edge_away, change, change_away, prominence, _reach(relative, side))


def _reach(strength: FloatArray, side: int) -> float:
    """Return how far from the outline the strongest peak (S,) reaches, without the width that one edge would have."""
    usual, top = float(np.median(strength)), int(strength.argmax())
    low = np.flatnonzero(strength <= usual + _HALF * (float(strength[top]) - usual))
    first, last = low[low < top].max(initial=-1) + 1, low[low > top].min(initial=strength.size) - 1
    return float(max(0, abs(first - _REACH) - side + 1, abs(last - _REACH) - side + 1))


def _edges(sums: FloatArray, counts: NDArray[np.int64], side: int) -> FloatArray:
    """Return the difference (N, S) of the mean colours on both sides of every sample; 0 near the ends of what counts.

    Args:
        sums: (N, S + 1, 3), of the colours that count before each sample.
        counts: (N, S + 1), of them.
        side: samples on either side.
    """
    samples = sums.shape[1] - 1
    place = np.arange(samples)
    left, right = np.maximum(place - side, 0), np.minimum(place + 1 + side, samples)
    before, after = counts[:, place] - counts[:, left], counts[:, right] - counts[:, place + 1]
    low = (sums[:, place] - sums[:, left]) / np.maximum(before, 1)[..., None]
    high = (sums[:, right] - sums[:, place + 1]) / np.maximum(after, 1)[..., None]
    strength = np.linalg.norm(high - low, axis=2)
    counted = (before >= side - 1) & (after >= side - 1) & (place >= 4) & (place < samples - 4)
    return np.where(counted, strength, 0).astype(np.float32)


def _between_pieces(sums: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """Return the variation (N, S) between the two pieces of a line that is cut after every sample."""
    all_sum, all_count = sums[:, -1:], counts[:, -1:]
    before, first = counts[:, 1:], sums[:, 1:]
    after, second = all_count - before, all_sum - first
    apart = first / np.maximum(before, 1)[..., None] - second / np.maximum(after, 1)[..., None]
    between = before * after / all_count * np.square(apart).sum(axis=2)
    return np.where((before >= _PIECE) & (after >= _PIECE), between, 0).astype(np.float32)


def _middle(places: NDArray[np.generic], clear: BoolArray) -> tuple[float, float]:
    """Return the median place and how far the places are away, at the 75th percentile: of the clear ones, if enough."""
    taken = np.asarray(places[clear] if np.count_nonzero(clear) >= _ENOUGH else places, np.float64)
    return float(np.median(taken)), float(np.percentile(np.abs(taken), 75))
