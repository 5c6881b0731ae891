"""Finds, for every pixel of the unknown band, the pixels of a certain region whose colours may be mixed into it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.distances import distance_to

IndexArray = NDArray[np.intp]

_DIRECTIONS = 4
_LATTICE = 8  # neighbours within a square this wide look in different directions, so that together they see all round
_SHUFFLE = 99991  # prime: spreads consecutive places of the lattice over all directions
_MOST_STEPS = 64


@dataclass(frozen=True)
class Surroundings:
    """Where a certain region lies, seen from any pixel.

    Attributes:
        distance: (H, W), pixels, of every pixel to the region.
        nearest: (H, W), flat index of the nearest pixel of the region.
    """

    distance: FloatArray
    nearest: IndexArray

    def samples(self, y: IndexArray, x: IndexArray, depths: tuple[float, ...]) -> IndexArray:
        """Return flat pixel indices (K, N) into the region for N pixels outside it.

        The first is the nearest pixel of the region; the others lie on rays, where each ray enters the region and
        at the given depths behind that. A ray that finds nothing falls back on the nearest pixel. Rays and the
        rotated start directions follow Gastal and Oliveira, Shared Sampling for Real-Time Alpha Matting, 2010.

        Args:
            y, x: (N,), pixels.
            depths: pixels.
        """
        order = ((x % _LATTICE + y % _LATTICE * _LATTICE) * _SHUFFLE) % _LATTICE**2
        turns = np.arange(_DIRECTIONS)[:, None] * _LATTICE**2
        heading = np.take(_compass(), (order + turns).ravel(), axis=1)
        start = np.tile(np.stack([x, y]).astype(np.float32), _DIRECTIONS)
        at_once = np.tile(self.nearest[y, x], _DIRECTIONS)
        entry = _entry(self.distance, start, heading)
        width = self.distance.shape[1]
        inside = np.stack([entry % width, entry // width]).astype(np.float32)
        found = [np.where(entry < 0, at_once, entry)]
        for depth in depths:
            deeper = _within(self.distance, inside + np.float32(depth) * heading)
            found.append(np.where((entry < 0) | (deeper < 0), at_once, deeper))
        return np.concatenate([at_once[None, : x.size], np.reshape(found, (-1, x.size))])


def surroundings(region: BoolArray) -> Surroundings:
    """Return where `region` (H, W), which is not empty, lies."""
    return Surroundings(distance_to(region), _nearest(region))


def _compass() -> FloatArray:
    """Return all directions (2, 256) there are: those that each place of the lattice begins with, and their turns."""
    angle = 2 * np.pi * np.add.outer(np.arange(_DIRECTIONS) / _DIRECTIONS, np.arange(_LATTICE**2) / _LATTICE**2)
    return np.asarray(np.stack([np.cos(angle), np.sin(angle)]).reshape(2, -1), np.float32)


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
    flat = np.pad(distance, 1, constant_values=-1).ravel()  # below 0 outside the picture
    last = np.array([[width], [height]], np.float32)
    gap = _taken(flat, at, width)
    for _ in range(_MOST_STEPS):
        # Rounding to a pixel moved the point by up to 0.7.
        at = at + np.maximum(gap - np.float32(0.7), np.float32(1)) * heading
        pixel = np.clip(np.rint(at), np.float32(-1), last)
        gap = _taken(flat, pixel, width)
        hit, live = np.flatnonzero(gap == 0), np.flatnonzero(gap > 0)
        found[ray[hit]] = pixel[1, hit].astype(np.intp) * width + pixel[0, hit].astype(np.intp)
        if live.size == 0:
            break
        ray, gap, at, heading = ray[live], gap[live], np.take(at, live, axis=1), np.take(heading, live, axis=1)
    return found


def _taken(padded: FloatArray, pixel: FloatArray, width: int) -> FloatArray:
    """Return the values (N,) at whole pixels (2, N) of a flat picture with a rim of one pixel around its width."""
    x, y = pixel.astype(np.intp)
    return np.asarray(np.take(padded, (y + 1) * (width + 2) + x + 1))


def _within(distance: FloatArray, point: FloatArray) -> IndexArray:
    """Flat index (N,) of points (2, N) at distance 0; else -1."""
    height, width = distance.shape
    x, y = np.rint(point).astype(np.intp)
    seen = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    index = np.where(seen, y * width + x, 0)
    return np.where(seen & (np.take(distance, index) == 0), index, -1)
