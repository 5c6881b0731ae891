"""Cuts pictures of any size into blocks with room around them, so that work on them takes bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SIDE = 1024  # pixels


@dataclass(frozen=True)
class Block:
    """A part of a picture.

    Attributes:
        own: rows and columns of the picture that the block answers for.
        around: the same with a margin, as far as the picture reaches.
        inner: where `own` lies within `around`.
    """

    own: tuple[slice, slice]
    around: tuple[slice, slice]
    inner: tuple[slice, slice]


def blocks(size: tuple[int, int], margin: int, side: int = SIDE) -> Iterator[Block]:
    """Yield the blocks of a picture, row by row.

    Args:
        size: (height, width), pixels.
        margin: pixels around each block that work on it looks at.
        side: of a block, pixels.
    """
    for top in range(0, size[0], side):
        for left in range(0, size[1], side):
            rows, columns = _cut(top, side, margin, size[0]), _cut(left, side, margin, size[1])
            yield Block((rows[0], columns[0]), (rows[1], columns[1]), (rows[2], columns[2]))


def _cut(start: int, side: int, margin: int, length: int) -> tuple[slice, slice, slice]:
    stop, first = min(start + side, length), max(0, start - margin)
    last = min(stop + margin, length)
    return slice(start, stop), slice(first, last), slice(start - first, stop - first)
