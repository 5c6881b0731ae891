"""Corrects the outline of a rough mask: moves it to where the colours of several frames say it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray
from videomama_server.distances import signed_depth
from videomama_server.engines.classic.colour_grid import ColourGrid
from videomama_server.engines.classic.grain import UNSEEN, grain_of, smoothed
from videomama_server.engines.classic.likeness import sufficient, told_colours
from videomama_server.engines.classic.trimap import Trimap
from videomama_server.engines.motion import REACH, Trust, motions, moved
from videomama_server.media.reduction import averaged, reduced_size
from videomama_server.media.srgb import to_light

WORKING = 480  # long side, in pixels, of the view that outlines are corrected in
_PLACE = 24.0  # pixels of the view, within which
_TIME = 2.0  # frames, within which, and
_TONE = (4.0, 3.0, 3.0)  # steps of CIE L, a and b, within which a colour is taken to be of one thing
_SHIFTS = (0.0, 0.5)  # of the grid, in cells: what lies on the border of two cells in one lies amidst one in the other
_ROUNDS = 2
_STANDS_OUT = 1.5  # times the texture inside, from which an outline is taken for a real one
_TRUST = Trust(residual=0.08, round_trip=3.0)
_WEIGHTS = (1.0, 0.95, 0.8)  # of a mask so many frames away
_LEAST_TRUST = 0.3  # a neighbour counts where it cannot be followed, too: rough masks err anew in every frame
_ENOUGH = 0.7  # how far colours must tell the sides apart before an outline moves
_NEARBY = 16.0  # pixels at 1920 that an outline may be off, up to which the middle of its blur matters
_GRAIN = 70.0  # how much stronger its edges must be for each unit of grain
_WIDE = 3.0  # sigma in pixels of the view
_SOFT = 1.6  # times as strong as it is once blurred that far: an edge below it is blurred in the plate
_FLAT = 1.4  # fine detail, CIE Lab, below which there is no texture
_FINE, _NEAR = 1.5, 6.0  # sigma in pixels of the view, of what is no fine detail, and of the mean around
_DOUBT = 0.02  # neither place nor colour is ever surer than this
_MOST_SMOOTHING = 2.5  # sigma in pixels of the view, for grain


@dataclass(frozen=True)
class SmallFrame:
    """One frame, as small as its outline is corrected at.

    Attributes:
        colour: (h, w, 3), CIE Lab.
        subject: (h, w), where the mask says subject: somewhere, and not everywhere.
        detail: (h, w), strength of fine detail with its grain, CIE Lab.
        scale: pixels per pixel of a plate 1920 wide.
        grain: its standard deviation, display-referred, above what does no harm.
    """

    colour: FloatArray
    subject: BoolArray
    detail: FloatArray
    scale: float
    grain: float


def small_size(size: tuple[int, int], long_side: int, working: int = WORKING) -> tuple[int, int]:
    """Return (h, w) of the view of a region of (H, W) pixels of a plate with that long side."""
    return reduced_size(size, min(1.0, working / long_side))


def small_frame(plate: FloatArray, subject: BoolArray, long_side: int, working: int = WORKING) -> SmallFrame | None:
    """Return the view of a frame; None where so small a picture shows no outline.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        subject: (H, W).
        long_side: of the whole plate, pixels.
        working: of the view of a whole plate.
    """
    size = small_size((subject.shape[0], subject.shape[1]), long_side, working)
    small = averaged(subject.astype(np.float32), size) >= 0.5
    if small.all() or not small.any():
        return None
    grainy = averaged(plate, size)
    grain = grain_of(grainy)
    colour = cv2.cvtColor(smoothed(grainy, grain, _MOST_SMOOTHING), cv2.COLOR_RGB2Lab)
    scale = min(1.0, working / long_side) * long_side / REFERENCE_SIDE
    harm = max(0.0, grain - UNSEEN)
    return SmallFrame(np.asarray(colour, np.float32), np.asarray(small, np.bool_), _detail(grainy), scale, harm)


def likelihood(views: Sequence[SmallFrame | None], slack: float) -> list[FloatArray | None]:
    """Return how likely each pixel is to be subject, (h, w), 0..1, in consecutive frames; None where there is no view.

    By Bayes: what the masks of the frame and its neighbours say, by the distance to their outlines, times what the
    colour says. That is the share of subject among pixels like it in colour, place and time, over the share among
    those like it in place and time alone; where colours tell nothing both are the same, and the mask stands. Then
    once more, from what came of it.

    Args:
        views: all of one size.
        slack: how far outlines may be off, pixels of a plate 1920 wide; above 0.
    """
    times = [time for time, view in enumerate(views) if view is not None]
    seen = [view for view in views if view is not None]
    found: list[FloatArray | None] = [None] * len(views)
    if not seen:
        return found
    prior = _log_odds(np.concatenate([of.ravel() for of in _agreed(dict(zip(times, seen, strict=True)), slack)]))
    subject = np.concatenate([view.subject.ravel() for view in seen]).astype(np.float32)
    pairs = _grids(seen, times)
    for _ in range(_ROUNDS):
        colour = sum(_log_odds(every.mean(subject)) - _log_odds(place.mean(subject)) for every, place in pairs)
        subject = np.asarray(expit(prior + colour / np.float32(len(pairs))), np.float32)
    for time, part in zip(times, np.split(subject, len(seen)), strict=True):
        found[time] = part.reshape(seen[0].subject.shape)
    return found


def corrected(mask: FloatArray, threshold: float, view: SmallFrame, likely: FloatArray, slack: float) -> FloatArray:
    """Return a mask (H, W), 0..1, with what is likely wrong of it replaced by 0 or 1.

    Each stretch that the likelihood would move is moved only if the outline then lies on stronger edges of the plate:
    an exact mask keeps its outline where colours are alike on both sides. A mask that is off by little keeps its
    outline wherever colours do not tell the sides apart.

    Args:
        mask: (H, W), 0..1.
        threshold: from where it says subject.
        view: of the frame.
        likely: (h, w), 0..1.
        slack: as for `likelihood`.
    """
    wrong = _on_edges(view, np.where(_told(view, slack), likely >= 0.5, view.subject), slack)
    added, removed = wrong & ~view.subject, wrong & view.subject
    return np.where(
        mask >= threshold,
        np.where(_enlarged(removed, view.subject, mask.shape), np.float32(0), mask),
        np.where(_enlarged(added, ~view.subject, mask.shape), np.float32(1), mask),
    ).astype(np.float32)


def _told(view: SmallFrame, slack: float) -> BoolArray:
    """Return where (h, w) the plate may speak against the mask: where colours tell, or no texture could lead astray."""
    depth, reach = signed_depth(view.subject), slack * view.scale
    known = Trimap(depth > reach, depth < -reach)
    enough = sufficient(told_colours(view.colour, known, view.scale), slack) >= _ENOUGH
    return np.asarray(enough | (_texture(view.detail, known) < _FLAT), np.bool_)


def _detail(plate: FloatArray) -> FloatArray:
    colour = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGB2Lab), np.float32)
    fine = colour - cv2.GaussianBlur(colour, (0, 0), _FINE)
    return np.asarray(np.sqrt(np.einsum("hwc,hwc->hw", fine, fine)), np.float32)


def _texture(detail: FloatArray, known: Trimap) -> FloatArray:
    """Return the mean detail (h, w) around every pixel that is on one side for certain."""
    certain = (~known.unknown).astype(np.float32)
    sums, count = (cv2.GaussianBlur(part, (0, 0), _NEAR) for part in (detail * certain, certain))
    return np.asarray(sums / np.maximum(count, np.float32(1e-3)), np.float32)


def _enlarged(stretch: BoolArray, side: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    """Return a stretch (h, w) on one side of the outline at full size, leaving no gap where it meets the outline."""
    beyond = cv2.dilate(stretch.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~side
    whole = (stretch | beyond).astype(np.float32)
    grown = cv2.resize(whole, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown >= 0.5, np.bool_)


def _on_edges(view: SmallFrame, proposed: BoolArray, slack: float) -> BoolArray:
    """Return (h, w), where a proposed outline differs from the mask's and lies on stronger edges.

    A stretch that closes a hole or drops an island has no new outline; the old one must then stand out little from
    the texture that it encloses. An outline that is off by little has two more tests to pass. In blur its edges must be
    stronger in linear light, too: those of visible colour are strongest on the darker side. In grain, which has edges
    everywhere, they must be so by far.
    """
    count, found = cv2.connectedComponents((proposed != view.subject).astype(np.uint8), connectivity=4)
    stretch = np.asarray(found, np.intp)
    near = np.asarray(cv2.dilate(stretch.astype(np.float32), np.ones((3, 3))), np.intp)
    old, new = _rim(view.subject), _rim(proposed)

    def weaker(strength: FloatArray, margin: float = 1.0) -> BoolArray:
        before = _mean_of(strength, near, old & ~new, count)
        after = _mean_of(strength, near, new & ~old, count)
        texture = _STANDS_OUT * _mean_of(strength, stretch, stretch > 0, count)
        known = np.where(np.isnan(after), before >= texture, margin * before >= after)
        return np.asarray(known, np.bool_)  # False of what had no outline before

    strength = _edges(view.colour)
    if slack <= _NEARBY:
        wide = _mean_of(_edges(view.colour, _WIDE), near, old | new, count)
        soft = _mean_of(strength, near, old | new, count) < _SOFT * wide
        refused = weaker(strength, 1 + _GRAIN * view.grain) | (soft & weaker(_edges(_light(view))))
    else:
        refused = weaker(strength)
    return np.asarray(~refused[stretch] & (stretch > 0), np.bool_)


def _mean_of(strength: FloatArray, stretch: NDArray[np.intp], where: BoolArray, count: int) -> NDArray[np.float64]:
    """Return the mean strength (count,) of each stretch there; NaN where it has no pixel."""
    sums = np.bincount(stretch[where], strength[where], minlength=count)
    pixels = np.bincount(stretch[where], minlength=count)
    return np.where(pixels > 0, sums / np.maximum(pixels, 1), np.nan)


def _rim(region: BoolArray) -> BoolArray:
    return np.asarray(
        cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0, np.bool_
    )


def _light(view: SmallFrame) -> FloatArray:
    """Return the view (h, w, 3) in linear light, in which the middle of a blurred edge is the steepest."""
    pixels = cv2.cvtColor(view.colour, cv2.COLOR_Lab2RGB)
    return np.asarray(to_light(np.clip(pixels, 0, 1)), np.float32)


def _edges(colour: FloatArray, sigma: float = 1.0) -> FloatArray:
    """Return the strength (h, w) of edges of colour, once blurred by `sigma` pixels."""
    smooth = cv2.GaussianBlur(colour, (0, 0), sigma)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt((across * across + down * down).sum(axis=2)), np.float32)


def _grids(views: Sequence[SmallFrame], times: Sequence[int]) -> list[tuple[ColourGrid, ColourGrid]]:
    """Return, for each shift, the grid of colour, place and time, and that of place and time alone."""
    height, width = views[0].subject.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    place = [np.stack([x / _PLACE, y / _PLACE, np.full(x.size, time / _TIME)], axis=1) for time in times]
    tone = [view.colour.reshape(-1, 3) / np.array(_TONE, np.float32) for view in views]
    places = np.concatenate([np.concatenate(pair, axis=1) for pair in zip(place, tone, strict=True)])
    return [(ColourGrid(places + shift), ColourGrid(places[:, :3] + shift)) for shift in _SHIFTS]


def _agreed(views: Mapping[int, SmallFrame], slack: float) -> list[FloatArray]:
    """Return how likely each pixel of a frame is to be subject, (h, w), by its mask and those of its neighbours.

    These are moved along the motion of the plate, and count as far as that can be trusted.
    """
    followed = motions({time: _lightness(view) for time, view in views.items()}, _TRUST)
    own = {time: _by_distance(view, slack) for time, view in views.items()}
    agreed = []
    for time in views:
        total, weights = own[time].copy(), np.ones_like(own[time])
        for other in range(time - REACH, time + REACH + 1):
            motion = followed.get((time, other))
            if motion is not None:
                weight = np.maximum(motion.trust, np.float32(_LEAST_TRUST)) * np.float32(_WEIGHTS[abs(time - other)])
                total += weight * moved(own[other], motion.flow)
                weights += weight
        agreed.append(total / weights)
    return agreed


def _lightness(view: SmallFrame) -> FloatArray:
    """Return (h, w, 3), 0..1: motion is followed where grain is smoothed."""
    return np.repeat(view.colour[..., :1] / np.float32(100), 3, axis=2)


def _by_distance(view: SmallFrame, slack: float) -> FloatArray:
    """Return how likely each pixel is to be subject (h, w) by the signed distance to the mask's outline."""
    return np.asarray(expit(signed_depth(view.subject) * np.float32(2 / (slack * view.scale))), np.float32)


def _log_odds(likely: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(likely, _DOUBT, 1 - _DOUBT)), np.float32)
