"""Closed-form matting: spreads the certain alpha through the unknown band along lines of colour."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.classic.trimap import Trimap

_EPSILON = 1e-6  # variance of colour added to each window, linear light: about that of grain in the shadows
_ITERATIONS = 150
_TOLERANCE = 3e-4  # what is left over, of the right side: alphas are then off by 0.001 on average, 0.004 seldom
_WINDOW = 9  # pixels of a 3 x 3 window
_MEMBERS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]  # of a window, from its centre
_REACH = 2  # pixels, along either axis, within which two pixels share a window
_SPAN = 2 * _REACH + 1
_ITSELF = _SPAN**2 // 2  # which of those pixels the pixel itself is
_BLOCK = 1 << 14  # windows whose affinities are computed at a time: bounds memory, and suits the processor's cache

IndexArray = NDArray[np.int64]


def closed_form(plate: FloatArray, trimap: Trimap, prior: FloatArray, pull: float) -> FloatArray:
    """Solve for the alpha that is, in every 3 x 3 window, as near as can be to an affine map of colour.

    Levin, Lischinski and Weiss, A Closed-Form Solution to Natural Image Matting, 2008. Only the unknown pixels are
    solved for, by conjugate gradients with Jacobi's preconditioner; after a bounded number of steps the iterate is
    taken as it is.

    A hole that the subject encloses has no certain background of its own; there the prior decides, which is too
    weak to matter where colours tell. It also bounds how far alpha leaks from the nearer side of a band into the
    wider one.

    Args:
        plate: (H, W, 3), 0..1, linear light, in which a mix of two colours is an affine map of alpha.
        trimap: with some foreground, some background and some unknown.
        prior: (H, W), 0..1, the alpha expected before colours are spread; the iteration starts from it.
        pull: weight of the prior; a window's affinities are of the order of 1.

    Returns:
        (H, W), 0..1; 1 and 0 where the trimap is certain.
    """
    unknown = trimap.unknown
    band = _band_of(unknown)
    weights = _laplacian_rows(plate, band)
    first = prior[unknown].astype(np.float32)
    right = pull * first - _of_known(weights, band, trimap.foreground)
    weights[:, _ITSELF] += pull
    alpha = trimap.foreground.astype(np.float32)
    alpha[unknown] = np.clip(_solved(_of_unknown(weights, band), right, first), 0, 1)
    return alpha


@dataclass(frozen=True)
class _Band:
    """The U unknown pixels of a plate with a rim of two pixels around it.

    Attributes:
        number: (rows * width,), which of the unknown pixels each pixel is; U when it is known.
        pixels: (U,), flat indices into `number`.
        centres: (N,), likewise: of the windows that hold an unknown pixel.
        width: of the plate with its rim.
    """

    number: NDArray[np.int32]
    pixels: IndexArray
    centres: IndexArray
    width: int

    def offsets(self) -> IndexArray:
        """Return how far (25,) the pixels that share a window with one lie from it in `number`, in rising order."""
        reach = np.arange(-_REACH, _REACH + 1)
        return np.asarray(np.add.outer(reach * self.width, reach).ravel(), np.int64)


def _band_of(unknown: BoolArray) -> _Band:
    pixels = np.flatnonzero(np.pad(unknown, _REACH))
    size = tuple(side + 2 * _REACH for side in unknown.shape)
    number = np.full(size[0] * size[1], pixels.size, np.int32)
    number[pixels] = np.arange(pixels.size, dtype=np.int32)
    centre = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    return _Band(number, pixels, np.flatnonzero(np.pad(centre, _REACH + 1)), size[1])


def _of_known(weights: FloatArray, band: _Band, foreground: BoolArray) -> FloatArray:
    """Return the rows (U, 25) times the alpha of the known pixels, (U,)."""
    certain = np.pad(foreground, _REACH).ravel()
    product = np.zeros(len(weights), np.float32)
    for place, offset in enumerate(band.offsets()):
        product += weights[:, place] * certain[band.pixels + offset]
    return product


def _of_unknown(weights: FloatArray, band: _Band) -> sparse.csr_matrix:
    """Return the rows (U, 25) as a matrix (U, U), without the known pixels."""
    count = len(weights)
    column = np.stack([band.number[band.pixels + offset] for offset in band.offsets()], axis=1)
    kept = column < count
    starts = np.zeros(count + 1, np.int32)
    np.cumsum(kept.sum(axis=1), out=starts[1:])
    return sparse.csr_matrix((weights[kept], column[kept], starts), shape=(count, count))


def _solved(system: sparse.csr_matrix, right: FloatArray, first: FloatArray) -> FloatArray:
    """Solve for (U,) by conjugate gradients from `first`, for as many steps as are allowed.

    Not by scipy: its dot products come from a BLAS that shares them out among its threads, and the number of
    threads would show in the last bits.
    """
    jacobi = 1 / system.diagonal()
    solved, rest = first.copy(), right - system @ first
    direction, before = np.zeros_like(first), 1.0
    enough = _TOLERANCE**2 * np.sum(right * right)
    for _ in range(_ITERATIONS):
        if np.sum(rest * rest) <= enough:
            break
        scaled = jacobi * rest
        now = np.sum(rest * scaled)
        direction *= now / before
        direction += scaled
        image = system @ direction
        step = now / np.sum(direction * image)
        solved += np.multiply(step, direction, out=scaled)
        rest -= np.multiply(step, image, out=image)
        before = now
    return np.asarray(solved, np.float32)


def _laplacian_rows(plate: FloatArray, band: _Band) -> FloatArray:
    """Return the matting Laplacian's rows (U, 25) of the unknown pixels, for the pixels at the band's offsets.

    Of two pixels in one window it holds -(1 + u . v) / 9, u and v being their colours in units of the window's
    spread; of a pixel with itself 1 more.
    """
    colours = np.pad(plate, ((_REACH, _REACH), (_REACH, _REACH), (0, 0))).reshape(-1, 3)
    colour = np.ascontiguousarray(colours.T, np.float64)
    rows = np.zeros((band.pixels.size + 1) * _SPAN**2, np.float32)  # and one that takes what is said of known pixels
    reach = np.array([y * band.width + x for y, x in _MEMBERS])
    for first in range(0, band.centres.size, _BLOCK):
        members = reach[:, None] + band.centres[first : first + _BLOCK]
        spread = _in_units_of_spread(np.take(colour, members, axis=1))
        row = band.number[members].astype(np.int64) * _SPAN**2
        for one, other in combinations_with_replacement(range(_WINDOW), 2):
            alike = (spread[:, one] * spread[:, other]).sum(axis=0)
            share = (1 + alike) / _WINDOW - (one == other)
            (y, x), (v, u) = _MEMBERS[one], _MEMBERS[other]
            there = _ITSELF + (v - y) * _SPAN + u - x
            rows[row[one] + there] -= share
            if one != other:
                rows[row[other] + 2 * _ITSELF - there] -= share
    return rows.reshape(-1, _SPAN**2)[:-1]


def _in_units_of_spread(colour: NDArray[np.float64]) -> FloatArray:
    """Return the colours (3, 9, N) of N windows as offsets (3, 9, N) along axes in which their covariance is 1.

    By Cholesky's factors of each window's covariance, written out: there are very many of them, all 3 x 3.
    """
    offset = colour - colour.mean(axis=1, keepdims=True)
    (aa, ab, ac), (_, bb, bc), (_, _, cc) = np.einsum("ikn,jkn->ijn", offset, offset) / _WINDOW
    floor = _EPSILON / _WINDOW
    a = np.sqrt(aa + floor)
    b, c = ab / a, ac / a
    d = np.sqrt(bb + floor - b * b)
    e = (bc - b * c) / d
    f = np.sqrt(cc + floor - c * c - e * e)
    first = offset[0] / a
    second = (offset[1] - b * first) / d
    return np.stack([first, second, (offset[2] - c * first - e * second) / f]).astype(np.float32)
