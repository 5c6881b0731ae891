"""Closed-form matting: spreads the certain alpha through the unknown band along lines of colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from videomama_server.engines.base import FloatArray
from videomama_server.engines.classic.trimap import BoolArray, Trimap

_EPSILON = 1e-5  # variance of colour added to each window, of a plate 0..1: about that of grain
_PULL = 0.01  # weight of the prior; a window's affinities are of the order of 1
_ITERATIONS = 150
_TOLERANCE = 1e-4
_WINDOW = 9  # pixels of a 3 x 3 window
_BATCH = 1 << 16  # windows whose affinities are computed at a time: bounds memory


def closed_form(plate: FloatArray, trimap: Trimap, prior: FloatArray) -> FloatArray:
    """Solve for the alpha that is, in every 3 x 3 window, as near as can be to an affine map of colour.

    Levin, Lischinski and Weiss, A Closed-Form Solution to Natural Image Matting, 2008. Only the unknown pixels are
    solved for, by conjugate gradients with Jacobi's preconditioner; after a bounded number of steps the iterate is
    taken as it is.

    A hole that the subject encloses has no certain background of its own; there the prior decides, which is too
    weak to matter where colours tell.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        trimap: with some foreground, some background and some unknown.
        prior: (H, W), 0..1, the alpha expected before colours are spread; the iteration starts from it.

    Returns:
        (H, W), 0..1; 1 and 0 where the trimap is certain.
    """
    unknown = trimap.unknown.ravel()
    rows = _laplacian_rows(plate, trimap.unknown)
    certain = trimap.foreground.ravel().astype(np.float64)
    first = prior.ravel()[unknown].astype(np.float64)
    system = rows[:, np.flatnonzero(unknown)] + _PULL * sparse.identity(first.size)
    right = _PULL * first - rows @ certain
    alpha = trimap.foreground.astype(np.float32)
    alpha[trimap.unknown] = np.clip(_solved(system, right, first), 0, 1)
    return alpha


def _solved(system: sparse.csr_matrix, right: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve for (U,) by conjugate gradients from `first`, for as many steps as are allowed.

    Not by scipy: its dot products come from a BLAS that shares them out among its threads, and the number of
    threads would show in the last bits.
    """
    jacobi = 1 / system.diagonal()
    solved, rest = first, right - system @ first
    direction, before = np.zeros_like(first), 1.0
    enough = _TOLERANCE**2 * np.sum(right * right)
    for _ in range(_ITERATIONS):
        if np.sum(rest * rest) <= enough:
            break
        scaled = jacobi * rest
        now = np.sum(rest * scaled)
        direction = scaled + now / before * direction
        image = system @ direction
        step = now / np.sum(direction * image)
        solved, rest, before = solved + step * direction, rest - step * image, now
    return solved


def _laplacian_rows(plate: FloatArray, unknown: BoolArray) -> sparse.csr_matrix:
    """Return the matting Laplacian's rows of the unknown pixels, (U, H*W)."""
    height, width = unknown.shape
    flat = np.arange(height * width, dtype=np.int32).reshape(height, width)
    number = np.full(height * width, -1, np.int32)
    number[unknown.ravel()] = np.arange(np.count_nonzero(unknown), dtype=np.int32)
    windows = _windows(flat)[_windows(unknown).any(axis=1)]
    colours = plate.reshape(-1, 3)
    shape = (int(unknown.sum()), height * width)
    total = sparse.csr_matrix(shape, dtype=np.float64)
    for first in range(0, len(windows), _BATCH):
        members = windows[first : first + _BATCH]
        values = _affinities(colours[members].astype(np.float64))
        row, column = np.repeat(number[members], _WINDOW, axis=1), np.tile(members, (1, _WINDOW))
        kept = row.ravel() >= 0
        entries = (values.reshape(-1)[kept], (row.ravel()[kept], column.ravel()[kept]))
        total = total + sparse.coo_matrix(entries, shape=shape).tocsr()
    return total


def _affinities(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each window's part of the Laplacian, (N, 9, 9), from its colours (N, 9, 3)."""
    offset = colours - colours.mean(axis=1, keepdims=True)
    covariance = np.einsum("nki,nkj->nij", offset, offset) / _WINDOW
    inverse = np.linalg.inv(covariance + np.eye(3) * (_EPSILON / _WINDOW))
    alike = np.einsum("nki,nij,nlj->nkl", offset, inverse, offset, optimize=True)
    return np.asarray(np.eye(_WINDOW) - (1.0 + alike) / _WINDOW, np.float64)


def _windows(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return every 3 x 3 window of (H, W) as a row, (N, 9)."""
    if min(pixels.shape) < 3:
        return np.zeros((0, _WINDOW), pixels.dtype)
    return np.lib.stride_tricks.sliding_window_view(pixels, (3, 3)).reshape(-1, _WINDOW)
