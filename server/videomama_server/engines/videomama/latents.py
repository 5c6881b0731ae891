"""Keeps the latents of pictures that were encoded, so that an unchanged plate is not encoded again for a new mask."""

from __future__ import annotations

import threading
from collections import OrderedDict

from torch import Tensor


class LatentStore:
    """Moments of latents by what they were encoded from, the least recently used forgotten first; for all threads.

    Args:
        limit_bytes: what all of them may take.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._moments: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str) -> Tensor | None:
        """Return the moments (8, h, w) kept under `key`, or None; the empty key is never kept."""
        with self._lock:
            moments = self._moments.get(key)
            if moments is not None:
                self._moments.move_to_end(key)
            return moments

    def keep(self, key: str, moments: Tensor) -> None:
        """Keep moments (8, h, w) on the host under `key`."""
        with self._lock:
            if not key or key in self._moments:
                return
            self._moments[key] = moments
            self._held += moments.nbytes
            while self._held > self._limit:
                _, oldest = self._moments.popitem(last=False)
                self._held -= oldest.nbytes

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._moments.clear()
            self._held = 0
