# ruff: noqa: N802, N815 - these are Nuke's names
"""Frame ranges, and frame numbers in paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_RANGE = re.compile(r"^\s*(-?\d+)(?:\s*-\s*(-?\d+)(?:\s*x\s*(-?\d+))?)?\s*$")
_PADDING = re.compile(r"%(0?)(\d*)d|#+")
_VIEWS = re.compile(r"%[Vv]")


class FrameRange:
    """First, last and increment."""

    def __init__(self, first: Any = 0, last: Any = None, increment: int = 1) -> None:
        if isinstance(first, str):
            first, last, increment = _parse(first)
        self._first = int(first)
        self._last = int(first if last is None else last)
        self._increment = int(increment)
        if self._increment == 0:
            raise ValueError("a frame range cannot step by 0")
        if (self._last - self._first) * self._increment < 0:
            self._increment = -self._increment

    def first(self) -> int:
        return self._first

    def last(self) -> int:
        return self._last

    def increment(self) -> int:
        return self._increment

    stepFrame = increment

    def setFirst(self, n: int) -> None:
        self._first = int(n)

    def setLast(self, n: int) -> None:
        self._last = int(n)

    def setIncrement(self, n: int) -> None:
        self._increment = int(n)

    def frames(self) -> int:
        return len(self._range())

    def getFrame(self, n: int) -> int:
        return self._first + n * self._increment

    def minFrame(self) -> int:
        return min(self._range())

    def maxFrame(self) -> int:
        return max(self._range())

    def isInRange(self, n: int) -> bool:
        return n in self._range()

    def _range(self) -> range:
        return range(self._first, self._last + (1 if self._increment > 0 else -1), self._increment)

    def __iter__(self) -> Iterator[int]:
        return iter(self._range())

    def __str__(self) -> str:
        if self._first == self._last:
            return str(self._first)
        step = "" if self._increment == 1 else f"x{self._increment}"
        return f"{self._first}-{self._last}{step}"

    def __repr__(self) -> str:
        return f"<FrameRange {self}>"


def _parse(text: str) -> tuple[int, int, int]:
    found = _RANGE.match(text)
    if found is None:
        raise RuntimeError(f"Invalid frame range specified: {text!r}")
    first, last, step = found.groups()
    return int(first), int(last if last is not None else first), int(step or 1)


class FrameRanges:
    """Several ranges, in order."""

    def __init__(self, ranges: Any = ()) -> None:
        if isinstance(ranges, str):
            ranges = ranges.replace(",", " ").split()
        elif isinstance(ranges, FrameRange):
            ranges = [ranges]
        self._ranges = [self._one(item) for item in ranges]
        self._at = 0

    @staticmethod
    def _one(item: Any) -> FrameRange:
        if isinstance(item, FrameRange):
            return item
        return FrameRange(item if isinstance(item, str) else int(item))

    def add(self, r: FrameRange) -> None:
        self._ranges.append(self._one(r))

    def clear(self) -> None:
        self._ranges.clear()

    def size(self) -> int:
        return len(self._ranges)

    def getRange(self, n: int = 0) -> FrameRange:
        return self._ranges[n]

    def minFrame(self) -> int:
        return min(item.minFrame() for item in self._ranges)

    def maxFrame(self) -> int:
        return max(item.maxFrame() for item in self._ranges)

    def toFrameList(self) -> list[int]:
        """Return every frame once, in order."""
        return sorted({frame for item in self._ranges for frame in item})

    def compact(self) -> None:
        """Sort the frames and write them as few ranges."""
        runs: list[list[int]] = []
        for frame in self.toFrameList():
            if runs and frame == runs[-1][1] + 1:
                runs[-1][1] = frame
            else:
                runs.append([frame, frame])
        self._ranges = [FrameRange(first, last, 1) for first, last in runs]

    def __iter__(self) -> Iterator[FrameRange]:
        return iter(self._ranges)

    def __str__(self) -> str:
        return " ".join(str(item) for item in self._ranges)


def has_padding(path: str) -> bool:
    """Tell whether a path has a place for the frame number."""
    return _PADDING.search(path) is not None


def with_frame(path: str, frame: float) -> str:
    """Put the frame number in: `%04d`, `%d` and `####` mean the same kind of place."""
    return _PADDING.sub(lambda found: _number(found, round(frame)), path)


def _number(found: Any, frame: int) -> str:
    hashes = found.group(0).count("#")
    width = hashes or (int(found.group(2) or 0) if found.group(1) else 0)
    return f"{frame:0{width}d}" if width else str(frame)


def normal_padding(path: str) -> str:
    """Write every place for a frame number as %0Nd."""
    return re.sub(r"#+", lambda found: f"%0{len(found.group(0))}d", path)


def with_view(path: str, view: str) -> str:
    """Put the view's name in: %V whole, %v its first letter."""
    return _VIEWS.sub(lambda found: view if found.group(0) == "%V" else view[:1], path)
