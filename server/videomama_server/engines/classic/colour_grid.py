"""The colour grid: averages over pixels that are near each other in the picture, in time and in colour."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from videomama_server.arrays import FloatArray

_CENTRE = 2.0  # weight of a cell in its own mean along one axis; that of each neighbour is 1


class ColourGrid:
    """Cells of a space of many axes, of which only those that hold a pixel are kept.

    The bilateral grid of Chen, Paris and Durand, Real-time Edge-aware Image Processing with the Bilateral Grid, 2007;
    kept sparsely, as by Barron and Poole, The Fast Bilateral Solver, 2016.
    """

    def __init__(self, places: NDArray[np.floating[Any]]) -> None:
        """Sort pixels into cells.

        Args:
            places: (N, D), where each pixel lies, in cells.
        """
        cells = np.floor(places).astype(np.int64)
        cells -= cells.min(axis=0, initial=0) - 1
        sides = cells.max(axis=0, initial=0) + 2  # a cell to spare on either side: no neighbour is in another row
        strides = np.cumprod([1, *sides[:0:-1]])[::-1]
        self._keys, self._cell_of = np.unique(cells @ strides, return_inverse=True)
        self._axes = [self._along(int(stride)) for stride in strides]
        self.own = _CENTRE ** len(strides)  # how much a pixel counts in its own total

    def mean(self, values: FloatArray) -> FloatArray:
        """Return for each pixel the weighted mean (N,) of `values` (N,) over its cell and the neighbours of that."""
        return np.asarray((self._blurred(self._sums(values)) / self._weights)[self._cell_of], np.float32)

    def total(self, values: FloatArray) -> FloatArray:
        """Return for each pixel the weighted sum (N,) of `values` (N,) over its cell and the neighbours of that."""
        return np.asarray(self._blurred(self._sums(values))[self._cell_of], np.float32)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return self._blurred(self._sums(np.ones(self._cell_of.size, np.float32)))

    def _sums(self, values: FloatArray) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self._cell_of, values, minlength=self._keys.size), np.float64)

    def _blurred(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        for axis in self._axes:
            sums = axis @ sums
        return sums

    def _along(self, stride: int) -> sparse.csr_matrix:
        """Return the matrix (cells, cells) that blurs along one axis."""
        here = np.arange(self._keys.size)
        there = np.searchsorted(self._keys, self._keys + stride)
        found = np.take(self._keys, there, mode="clip") == self._keys + stride
        one, other = here[found], there[found]
        weights = np.concatenate([np.full(here.size, _CENTRE), np.ones(2 * one.size)])
        places = (np.concatenate([here, one, other]), np.concatenate([here, other, one]))
        return sparse.csr_matrix((weights, places), shape=(here.size, here.size))
