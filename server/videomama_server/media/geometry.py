"""Rectangles and the windows of a picture: where pixels lie, with no pixels in sight."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """A rectangle of pixels, y down; (x, y) is its first pixel."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        """One past the last column."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """One past the last row."""
        return self.y + self.h

    @property
    def empty(self) -> bool:
        """Whether no pixel lies inside."""
        return self.w <= 0 or self.h <= 0

    def union(self, other: Rect) -> Rect:
        """Return the smallest rectangle that holds both; an empty one adds nothing."""
        if self.empty:
            return other
        if other.empty:
            return self
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def intersect(self, other: Rect) -> Rect:
        """Return what both hold; `empty` when they do not touch."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Rect(x, y, max(0, min(self.right, other.right) - x), max(0, min(self.bottom, other.bottom) - y))

    def holds(self, other: Rect) -> bool:
        """Whether every pixel of `other` lies inside."""
        return self.intersect(other) == other

    def grow(self, x: int, y: int) -> Rect:
        """Return the rectangle with `x` columns and `y` rows added on every side."""
        return Rect(self.x - x, self.y - y, self.w + 2 * x, self.h + 2 * y)

    def moved(self, x: int, y: int) -> Rect:
        """Return the rectangle `x` columns to the right and `y` rows down."""
        return Rect(self.x + x, self.y + y, self.w, self.h)

    def slices(self, inside: Rect) -> tuple[slice, slice]:
        """Return the (rows, columns) of this rectangle in an array that covers `inside`."""
        return (
            slice(self.y - inside.y, self.bottom - inside.y),
            slice(self.x - inside.x, self.right - inside.x),
        )


EMPTY = Rect(0, 0, 0, 0)


@dataclass(frozen=True)
class Geometry:
    """The windows of a picture file: its display window, its data window and the shape of its pixels."""

    display: Rect
    data: Rect
    pixel_aspect: float = 1.0

    @property
    def canvas(self) -> Rect:
        """Full frame when the data window lies inside the display window, the overscan when it is larger."""
        return self.display.union(self.data)
