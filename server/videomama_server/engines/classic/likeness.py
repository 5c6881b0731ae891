"""Says how far colours tell a subject from what lies around it, judged by what is certain on both sides.

Where the subject wears what it stands before, any method that looks at colours finds reasons to move an outline or to
make holes. So each certain pixel is put to the test: would its colour alone, by what else is certain around it, have
told its side?
"""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.distances import distance_to
from videomama_server.engines.classic.colour_grid import ColourGrid
from videomama_server.engines.classic.trimap import Trimap

# All lengths are in pixels of a plate 1920 wide.
_VIEW = 0.25  # pixels per such pixel of the view it is found in; a sharper plate is sampled, which keeps its texture
_NEAR = 100.0  # of the band, that are put to the test
_PLACE = 96.0  # within which, and
_TONE = (4.0, 3.0, 3.0)  # steps of CIE L, a and b, within which a colour is the same
_AROUND = 24.0  # sigma of the mean over what was tested
_FEW = 160.0  # as the grid counts: so little of a colour says half of what much of it does
_UNSEEN, _HALF = 1e-4, 0.75  # how little around a pixel is no test, and what is taken in its place
_LEEWAY = 0.04  # for each pixel at 1920 that an outline may be off: the worse the mask, the less evidence is asked for


def told(plate: FloatArray, trimap: Trimap, scale: float) -> FloatArray:
    """Return how far colours tell the sides apart around every pixel (H, W): 1 fully, 0 no better than guessing.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        trimap: what is certain of it.
        scale: pixels per pixel of a plate 1920 wide.
    """
    height, width = trimap.foreground.shape
    shrink = min(1.0, _VIEW / scale)
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = [_sampled(part, size) for part in (plate, trimap.foreground, trimap.background)]
    colour = np.asarray(cv2.cvtColor(small[0], cv2.COLOR_RGB2Lab), np.float32)
    found = told_colours(colour, Trimap(small[1] > 0, small[2] > 0), scale * shrink)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def told_colours(colour: FloatArray, trimap: Trimap, scale: float) -> FloatArray:
    """Return the same of colours (h, w, 3), CIE Lab, pixel by pixel; 1 where the trimap leaves nothing open."""
    unknown = trimap.unknown
    if not unknown.any():
        return np.ones(unknown.shape, np.float32)
    near = distance_to(unknown) < _NEAR * scale
    sides = [(side & near)[near].astype(np.float32) for side in (trimap.foreground, trimap.background)]
    right, counts = _tested(colour, near, (sides[0], sides[1]), scale)
    shares = []
    for side in sides:
        counted, passed = np.zeros(near.shape, np.float32), np.zeros(near.shape, np.float32)
        counted[near], passed[near] = counts * side, right * counts * side
        count, sums = (cv2.GaussianBlur(part, (0, 0), _AROUND * scale) for part in (counted, passed))
        shares.append((sums + np.float32(_UNSEEN * _HALF)) / (count + np.float32(_UNSEEN)))
    return np.asarray(np.clip(shares[0] + shares[1] - 1, 0, 1), np.float32)


def sufficient(evidence: FloatArray, slack: float) -> FloatArray:
    """Return evidence (H, W) as it counts against a mask whose outline may be off by `slack`, pixels at 1920 wide."""
    return np.asarray(evidence + np.float32(_LEEWAY * slack), np.float32)


def _tested(
    colour: FloatArray, near: BoolArray, sides: tuple[FloatArray, FloatArray], scale: float
) -> tuple[FloatArray, FloatArray]:
    """Return how likely (N,) each pixel's colour makes the side it is on, by all others, and how much that counts (N,).

    Both sides count the same, however much of each is around. Of a colour that hardly any other has nothing is known.
    """
    y, x = np.nonzero(near)
    place = np.stack([x, y], axis=1) / (_PLACE * scale)
    tone = colour[near] / np.array(_TONE, np.float32)
    colours, places = ColourGrid(np.concatenate([place, tone], axis=1)), ColourGrid(place)
    alike = [colours.total(side) - colours.own * side for side in sides]
    around = [np.maximum(places.total(side) - places.own * side, np.float32(1)) for side in sides]
    subject, background = (one / every for one, every in zip(alike, around, strict=True))
    both = subject + background
    right = np.where(sides[0] > 0, subject, background) / np.maximum(both, np.float32(1e-9))
    counts = both / (both + 2 * np.float32(_FEW) / np.minimum(around[0], around[1]))
    return np.asarray(right, np.float32), np.asarray(counts, np.float32)


def _sampled(pixels: FloatArray | BoolArray, size: tuple[int, int]) -> FloatArray:
    return np.asarray(cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST), np.float32)
