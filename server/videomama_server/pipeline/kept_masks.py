"""Keeps masks that a survey has read until their frames are loaded, so that most files are read once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray, HalfArray
from videomama_server.cache.memo import FileId
from videomama_server.media.frames import Picture

MOST_BYTES = 96 << 20  # of one job, whatever the length of its clip
_LEAST_GAIN = 8  # times smaller than its pixels; grain is not worth its memory
_NOTHING = np.zeros((0, 0, 1), np.float32)


@dataclass(frozen=True)
class _Runs:
    """Equal values in a row, over all rows of a picture: how often each of them comes, and the values."""

    lengths: NDArray[np.uint32]
    values: FloatArray | HalfArray

    @property
    def nbytes(self) -> int:
        return self.lengths.nbytes + self.values.nbytes


@dataclass(frozen=True)
class _Kept:
    file: FileId
    picture: Picture  # without its pixels
    shape: tuple[int, ...]
    runs: _Runs


class KeptMasks:
    """Masks of one job by frame, as runs of equal values. Every method may be called from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._masks: dict[int, _Kept] = {}
        self._lock = threading.Lock()

    def keep(self, frame: int, file: FileId, mask: Picture) -> None:
        """Keep a mask that was read from a file, where it is smaller that way and there is room."""
        runs = _runs_of(mask.pixels)
        if runs is None:
            return
        with self._lock:
            if runs.nbytes <= self._left and frame not in self._masks:
                self._left -= runs.nbytes
                self._masks[frame] = _Kept(file, replace(mask, pixels=_NOTHING), mask.pixels.shape, runs)

    def take(self, frame: int, file: FileId) -> Picture | None:
        """Return a mask as it was read, bit by bit, and let go of it; None where it was not kept or changed."""
        with self._lock:
            kept = self._masks.pop(frame, None)
            self._left += kept.runs.nbytes if kept else 0
        if kept is None or kept.file != file:
            return None
        pixels = np.repeat(kept.runs.values.astype(np.float32), kept.runs.lengths).reshape(kept.shape)
        return replace(kept.picture, pixels=pixels)


def _runs_of(pixels: FloatArray) -> _Runs | None:
    """Return the runs of a picture (H, W, C); None where they would hardly be smaller than its pixels."""
    flat = np.ascontiguousarray(pixels).reshape(-1)
    bits = flat.view(np.uint32)  # as numbers, NaN would differ from itself, and -0 would not from 0
    begins = bits[1:] != bits[:-1]
    if not flat.size or 8 * (np.count_nonzero(begins) + 1) * _LEAST_GAIN > flat.nbytes:
        return None
    starts = np.concatenate([[0], np.flatnonzero(begins) + 1])
    values = flat[starts]
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    exact = np.array_equal(halves.astype(np.float32).view(np.uint32), values.view(np.uint32))
    return _Runs(np.diff(starts, append=flat.size).astype(np.uint32), halves if exact else values)
