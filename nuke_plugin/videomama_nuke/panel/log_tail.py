"""Reads the last lines of the server's log, and only when it has changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

LINES = 200
_BYTES = 128 * 1024


class LogTail:
    """The end of a growing file; for one thread."""

    def __init__(self) -> None:
        self._seen: Optional[tuple[str, int, int]] = None
        self._lines: tuple[str, ...] = ()

    def read(self, named: str, fallback: Path) -> tuple[str, tuple[str, ...]]:
        """Return the file and its last lines: the named one where this machine can read it, else the fallback.

        Both are empty when neither can be read.
        """
        for path in (named, str(fallback)):
            lines = self._tail(path) if path else None
            if lines is not None:
                return path, lines
        return "", ()

    def _tail(self, path: str) -> Optional[tuple[str, ...]]:
        try:
            return self._read(path)
        except OSError:  # on another machine, or not there yet
            return None

    def _read(self, path: str) -> tuple[str, ...]:
        with Path(path).open("rb") as file:
            found = os.fstat(file.fileno())
            seen = (path, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                file.seek(max(0, found.st_size - _BYTES))
                self._lines = _last_lines(file.read(_BYTES), found.st_size > _BYTES)
                self._seen = seen
        return self._lines


def _last_lines(content: bytes, cut: bool) -> tuple[str, ...]:
    lines = content.decode("utf-8", "replace").splitlines()
    return tuple(lines[1 if cut and len(lines) > 1 else 0 :][-LINES:])
