"""States that walks through a clip are resumed from, kept as files beside the entries: sealed, and never too many."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import InternalError
from videomama_client.whole_files import replacing

from videomama_server.cache import layout, seal

log = logging.getLogger(__name__)

MOST_BYTES = 2 << 30  # of all states in a folder
_PREFIX = "state."  # of the names of arrays: some mean something to numpy


class KeptStates:
    """States by key under one folder. Losing one costs time, never a result: what cannot be kept is logged.

    Args:
        root: of the cache.
        most_bytes: of all states there; the least recently used go first.
    """

    def __init__(self, root: Path, most_bytes: int = MOST_BYTES) -> None:
        self._root = root
        self._most_bytes = most_bytes

    def has(self, key: str) -> bool:
        """Whether there is a file for a state; only `load` finds out whether it is whole."""
        return layout.state(self._root, key).exists()

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return a state as it was kept; None where there is none, or it is damaged, which removes it."""
        path = layout.state(self._root, key)
        try:
            content = seal.unsealed_bytes(path)
            if content is None:
                log.warning("the kept state %s is damaged and counts as missing", path)
                path.unlink(missing_ok=True)
                return None
            os.utime(path)
        except OSError as error:
            log.debug("the kept state %s cannot be read: %s", path, error)
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name.removeprefix(_PREFIX): arrays[name] for name in arrays.files}

    def keep(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a state, and let go of others where there are too many.

        Raises:
            InternalError: an array holds objects, which no file of ours may.
        """
        if any(array.dtype.hasobject for array in arrays.values()):
            raise InternalError("the engine gave a state of objects to keep", "Ask the engine's author to correct it.")
        held = io.BytesIO()
        np.savez(held, **{f"{_PREFIX}{name}": array for name, array in arrays.items()})  # type: ignore[arg-type]
        content = seal.sealed_bytes(key, held.getvalue())
        path = layout.state(self._root, key)
        try:
            if self._make_room(len(content)):
                path.parent.mkdir(parents=True, exist_ok=True)
                with replacing(path) as temporary:
                    temporary.write_bytes(content)
        except OSError as error:
            log.warning("a state cannot be kept: %s", error)

    def _make_room(self, size: int) -> bool:
        """Remove the least recently used states until another of this size fits; return whether it does."""
        if size > self._most_bytes:
            log.warning("a state of %d bytes is too large to be kept", size)
            return False
        found = []
        for path in layout.within(self._root / layout.STATES, layout.KEPT):
            with suppress(OSError):  # another process removed it
                now = path.stat()
                found.append((now.st_mtime_ns, now.st_size, path))
        total = sum(bytes_ for _, bytes_, _ in found)
        for _, bytes_, path in sorted(found):
            if total + size <= self._most_bytes:
                break
            path.unlink(missing_ok=True)
            total -= bytes_
        return True
