"""Finds, for every pixel of the unknown band, the pixels of a certain region whose colours may be mixed into it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.engines.base import FloatArray
from videomama_server.engines.classic.trimap import BoolArray, distance_to

IndexArray = NDArray[np.intp]

_DIRECTIONS = 4
_LATTICE = 8  # neighbours within a square this wide look in different directions, so that together they see all round
_SHUFFLE = 99991  # prime: spreads consecutive places of the lattice over all directions
_MOST_STEPS = 64


def sample_pixels(region: BoolArray, band: BoolArray, depths: tuple[float, ...]) -> IndexArray:
    """Return flat pixel indices (K, N) into `region` for the N pixels of `band`, in the order of np.nonzero(band).

    The first is the nearest pixel of the region; the others lie on rays, where each ray enters the region and
    at the given depths behind that. A ray that finds nothing falls back on the nearest pixel. Rays and the
    rotated start directions follow Gastal and Oliveira, Shared Sampling for Real-Time Alpha Matting, 2010.

    Args:
        region: (H, W), not empty.
        band: (H, W), disjoint from `region`.
        depths: pixels.
    """
    width = region.shape[1]
    y, x = np.nonzero(band)
    distance = distance_to(region)
    nearest = _nearest(region)[y, x]
    order = ((x % _LATTICE + y % _LATTICE * _LATTICE) * _SHUFFLE) % _LATTICE**2
    rows = [nearest]
    for turn in range(_DIRECTIONS):
        angle = 2 * np.pi * (order / _LATTICE**2 + turn / _DIRECTIONS)
        step = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
        entry = _entry(distance, np.stack([x, y]).astype(np.float32), step)
        rows.append(np.where(entry < 0, nearest, entry))
        start = np.stack([entry % width, entry // width]).astype(np.float32)
        for depth in depths:
            deeper = _inside(region, start + np.float32(depth) * step)
            rows.append(np.where((entry < 0) | (deeper < 0), nearest, deeper))
    return np.stack(rows)


def _nearest(region: BoolArray) -> IndexArray:
    """Flat index (H, W) of the nearest pixel of `region`."""
    elsewhere = (~region).astype(np.uint8)
    labelled = cv2.distanceTransformWithLabels(elsewhere, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.asarray(labelled[1], np.intp)
    place = np.zeros(int(labels.max()) + 1, np.intp)
    place[labels[region]] = np.flatnonzero(region)
    return np.asarray(place[labels])


def _entry(distance: FloatArray, start: FloatArray, step: FloatArray) -> IndexArray:
    """Flat index (N,) of the first pixel at distance 0 on rays from `start` (2, N) along `step` (2, N); else -1.

    Sphere tracing (Hart, 1996): nothing can be nearer than the distance map says, so a ray may jump that far.
    """
    height, width = distance.shape
    found = np.full(start.shape[1], -1, np.intp)
    ray, at, heading = np.arange(start.shape[1]), start, step
    flat = distance.ravel()
    leap = np.ones(start.shape[1], np.float32)
    for _ in range(_MOST_STEPS):
        at = at + leap * heading
        x, y = np.rint(at).astype(np.int32)
        within = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        gap = np.where(within, np.take(flat, np.where(within, y * width + x, 0)), np.inf)
        hit = gap == 0
        found[ray[hit]] = y[hit] * np.intp(width) + x[hit]
        live = np.flatnonzero(within & ~hit)
        ray, at, heading = ray[live], np.take(at, live, axis=1), np.take(heading, live, axis=1)
        # Rounding to a pixel moved the point by up to 0.7.
        leap = np.maximum(np.take(gap, live) - np.float32(0.7), np.float32(1))
        if live.size == 0:
            break
    return found


def _inside(region: BoolArray, point: FloatArray) -> IndexArray:
    """Flat index (N,) of points (2, N) that lie in `region`; else -1."""
    height, width = region.shape
    x, y = np.rint(point).astype(np.intp)
    within = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    index = np.where(within, y * width + x, 0)
    return np.where(within & region.ravel()[index], index, -1)
