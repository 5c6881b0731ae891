"""Lets the band follow the plate: out along strands and blur that leave the outline, in along gaps that enter it.

Far outside the outline lies background, deep inside it subject. A pixel near the outline belongs to the band where its
colour is rare on its own side and lies between the two: outside, a colour that the background around has none of;
inside, one that the subject around has none of. What runs on through the picture, such as writing, nets or streaks, is
known from further out, and what the subject wears from further in: neither widens the band. Nor does light on the
subject's rim, which is no mix of the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from videomama_client.mask_presets import Outline

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, ByteArray, FloatArray
from videomama_server.distances import distance_to
from videomama_server.engines.classic.colour_grid import ColourGrid
from videomama_server.engines.classic.trimap import Trimap, local_depth
from videomama_server.media.reduction import averaged, reduced_size

# All lengths are in pixels of a plate 1920 wide.
FAR = 70.0  # outside, up to which strands are followed; what is further out is background
_DEEP, _INWARDS = 3.0, 4.0  # times the erosion: from where on it is subject, and up to where gaps are followed
_CORE = 0.5  # share of its depth from which a thin part is subject
_AROUND = 100.0  # further than the band, that colours are known from
_PLACE = 96.0  # within which, and
_TONE = (4.0, 3.0, 3.0)  # steps of CIE L, a and b, within which a colour is the same
_SUBJECT_MEAN, _BACKGROUND_MEAN = 30.0, 50.0  # sigma of the mean colours on both sides
_ENOUGH = 40000.0  # background around, as the grid counts: less than a third of what there can be does not say
_RARE_INSIDE, _RARE_OUTSIDE = 0.002, 0.001  # of the pixels around, as the grid counts, below which a colour is rare
_SOME, _MOST = 0.25, 0.8  # of the way from background to subject: what lies beyond is one of them, in another light
_ASIDE, _TOLERANCE = 0.5, 4.0  # of that way, and steps of CIE Lab, that a mix of both may lie off it
_NOISE = 4.0  # squared distance of two colours that are alike
_LARGEST = 960  # pixels of the long side of the view in which all this is found
_COARSE = 4  # times smaller, for the means


@dataclass(frozen=True)
class _View:
    """One frame as small as the band is looked for in.

    Attributes:
        colour: (h, w, 3), CIE Lab.
        distance: (h, w), to the outline, in pixels of a plate 1920 wide; negative inside.
        core, far: (h, w), what is certainly subject and background.
        scale: pixels per pixel of a plate 1920 wide.
    """

    colour: FloatArray
    distance: FloatArray
    core: BoolArray
    far: BoolArray
    scale: float


def widened(trimap: Trimap, plate: FloatArray, subject: BoolArray, least: Outline, long_side: int) -> Trimap:
    """Return a trimap whose band reaches further than the given one, where the plate says so.

    Args:
        trimap: (H, W), of `subject`, as wide as the band is at least.
        plate: (H, W, 3), 0..1, display-referred.
        subject: (H, W), where the mask says subject.
        least: how wide that trimap is. A side of the band that has no width stays without one.
        long_side: of the whole plate, pixels.
    """
    view = _view(plate, subject, least.trimap_erode, long_side)
    if view is None or not view.core.any() or not view.far.any():
        return trimap
    inside, outside = _strangers(view, least.trimap_erode)
    shape = view.distance.shape
    seed = averaged(trimap.unknown.astype(np.float32), shape) >= 0.5
    added = np.zeros(shape, np.uint8)
    for found, side in ((inside, view.distance < 0), (outside, view.distance > 0)):
        added |= _joined(found, seed & side) & side
    grown = cv2.dilate(added, np.ones((3, 3), np.uint8)).astype(np.float32)
    size = (subject.shape[1], subject.shape[0])
    band = np.asarray(cv2.resize(grown, size, interpolation=cv2.INTER_LINEAR) >= 0.5, np.bool_)
    return Trimap(
        trimap.foreground & ~band if least.trimap_erode else trimap.foreground,
        trimap.background & ~band if least.trimap_dilate else trimap.background,
    )


def _view(plate: FloatArray, subject: BoolArray, erode: float, long_side: int) -> _View | None:
    """Return the view of a frame; None where so small a picture shows no outline."""
    shrink = min(1.0, _LARGEST / long_side)
    if shrink < 1:
        size = reduced_size((subject.shape[0], subject.shape[1]), shrink)
        plate, subject = averaged(plate, size), averaged(subject.astype(np.float32), size) >= 0.5
    if subject.all() or not subject.any():
        return None
    scale = shrink * long_side / REFERENCE_SIDE
    depth, outside = distance_to(~subject), distance_to(subject)
    distance = np.where(subject, np.float32(0.5) - depth, outside - np.float32(0.5)) / np.float32(scale)
    core = depth > np.minimum(_DEEP * erode * scale, _CORE * local_depth(depth, scale))
    colour = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGB2Lab), np.float32)
    return _View(colour, distance.astype(np.float32), subject & core, distance > FAR, scale)


def _strangers(view: _View, erode: float) -> tuple[BoolArray, BoolArray]:
    """Return the pixels (h, w) inside and outside whose colours are rare on their side."""
    away = view.distance
    near = (away > -(_INWARDS * erode + _AROUND)) & (away < FAR + _AROUND)
    of_background, of_subject = (np.ones(away.shape, np.float32) for _ in range(2))
    of_background[near], of_subject[near] = _shares(view, near)
    along, aside, apart = _mixed(view)
    inside = (away < 0) & (away > -_INWARDS * erode) & (of_subject < _RARE_INSIDE) & (along < _MOST)
    outside = (away > 0) & (away < FAR) & (of_background < _RARE_OUTSIDE) & (along > _SOME)
    mixed = aside < _ASIDE * apart + _TOLERANCE
    return inside & mixed, outside & mixed


def _shares(view: _View, near: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return how large a share each colour (N,) has of the background around it, and of the subject around it.

    1 where too little is around to say so.
    """
    y, x = np.nonzero(near)
    place = np.stack([x, y], axis=1) / (_PLACE * view.scale)
    colours = ColourGrid(np.concatenate([place, view.colour[near] / np.array(_TONE, np.float32)], axis=1))
    places = ColourGrid(place)
    seen = (view.far[near].astype(np.float32), view.core[near].astype(np.float32))
    of_background, of_subject = (colours.total(of) / np.maximum(places.total(of), np.float32(1)) for of in seen)
    enough = places.total(seen[0]) > _ENOUGH * view.scale**2
    return np.where(enough, of_background, 1).astype(np.float32), of_subject.astype(np.float32)


def _mixed(view: _View) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how far (h, w) each colour is on the way from background to subject, how far off it, and how long it is.

    The two ends are the mean colours of what is around.
    """
    background = _mean(view.colour, view.far, _BACKGROUND_MEAN * view.scale)
    span = _mean(view.colour, view.core, _SUBJECT_MEAN * view.scale) - background
    offset = view.colour - background
    square = np.einsum("hwc,hwc->hw", span, span)
    along = np.einsum("hwc,hwc->hw", offset, span) / (square + np.float32(_NOISE))
    rest = offset - along[..., None] * span
    return along, np.sqrt(np.einsum("hwc,hwc->hw", rest, rest)), np.sqrt(square)


def _mean(colour: FloatArray, of: BoolArray, sigma: float) -> FloatArray:
    """Return the mean colour (h, w, 3) of the pixels `of` (h, w) around each pixel."""
    height, width = of.shape
    size = (-(-height // _COARSE), -(-width // _COARSE))
    counted = of.astype(np.float32)
    sums, count = averaged(colour * counted[..., None], size), averaged(counted, size)
    smooth = [np.asarray(cv2.GaussianBlur(part, (0, 0), sigma / _COARSE), np.float32) for part in (sums, count)]
    mean = smooth[0] / np.maximum(smooth[1], np.float32(1e-6))[..., None]
    return np.asarray(cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _joined(found: BoolArray, seed: BoolArray) -> ByteArray:
    """Return those of the found pixels (h, w) that are joined to the band; gaps of two pixels do not part them."""
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).astype(np.bool_)
    count, labels = cv2.connectedComponents((closed | seed).astype(np.uint8), connectivity=8)
    joined = np.zeros(count, np.bool_)
    joined[np.unique(labels[seed])] = True
    joined[0] = False
    return np.asarray(joined[labels] & closed, np.uint8)
