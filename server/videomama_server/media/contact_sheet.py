"""Lays pictures out as a contact sheet: named columns, captioned rows, cells of a bounded size; and makes the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.media.reduction import reduced_size
from videomama_server.media.srgb import to_display

Colour = tuple[int, int, int]

PAPER, INK, FAINT = (26, 26, 26), (214, 214, 214), (110, 110, 110)
MARK = (255, 96, 64)
GREEN = np.array((0.05, 0.42, 0.10), np.float32)  # linear, the green of a screen
BRIGHT, DARK = np.full(3, 0.8, np.float32), np.full(3, 0.005, np.float32)  # linear, plates that a comp is judged over
CELL = (640, 480)  # height and width, pixels, that no cell is larger than
GAP = 8  # between cells
HEADER, CAPTION = 34, 26  # heights
_SEAM = 4  # between the halves of a detail
_SQUARE = 16
_LIGHT, _DARK = 0.35, 0.18  # linear


@dataclass(frozen=True)
class LabelledRow:
    """One row of a sheet.

    Attributes:
        caption: stands above the cells; ASCII, as OpenCV's letters are.
        cells: one (h, w, 3) for each column, at most `CELL` large.
        is_marked: whether the caption is in the colour of a warning.
    """

    caption: str
    cells: Sequence[ByteArray]
    is_marked: bool = False


def lay_out(titles: Sequence[str], rows: Sequence[LabelledRow]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB: a column for each title, cells at its left."""
    step = CELL[1] + GAP
    width = GAP + step * len(titles)
    header = blank(HEADER, width)
    for column, title in enumerate(titles):
        label(header, title, (GAP + column * step + 2, HEADER - 11))
    bands = [header]
    for row in rows:
        caption = blank(CAPTION, width)
        label(caption, row.caption, (GAP + 2, CAPTION - 8), MARK if row.is_marked else INK)
        band = blank(max(len(cell) for cell in row.cells), width)
        for column, cell in enumerate(row.cells):
            left = GAP + column * step
            band[: len(cell), left : left + cell.shape[1]] = cell
        bands += [caption, band]
    return np.concatenate([*bands, blank(GAP, width)])


def spread(numbers: Sequence[int], count: int = 4) -> list[int]:
    """Choose up to `count` of the frame numbers, evenly spaced: first and last included, the first alone for 1."""
    places = np.linspace(0, len(numbers) - 1, min(count, len(numbers)))
    return [numbers[round(place)] for place in places]


def blank(height: int, width: int) -> ByteArray:
    """Return empty paper (height, width, 3)."""
    return np.full((height, width, 3), PAPER, np.uint8)


def label(picture: ByteArray, text: str, corner: tuple[int, int], colour: Colour = INK) -> None:
    """Write `text` into a picture (h, w, 3); `corner` is the (x, y) of its first letter's foot."""
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def as_cell(picture: FloatArray) -> ByteArray:
    """Return a picture (H, W) or (H, W, 3), display-referred, as a cell; see `fitted`."""
    return as_bytes(fitted(picture, cell_size(picture.shape)))


def cell_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the (height, width) of the cell for a picture of `shape`: as large as `CELL` allows, unstretched."""
    return reduced_size((shape[0], shape[1]), min(CELL[0] / shape[0], CELL[1] / shape[1]))


def fitted(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return a picture (H, W) or (H, W, C) at `size` (height, width), in 0..1: averaged, or enlarged smoothly."""
    how = cv2.INTER_AREA if picture.shape[0] > size[0] or picture.shape[1] > size[1] else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(picture, np.float32), (size[1], size[0]), interpolation=how)
    return np.asarray(np.clip(scaled, 0, 1), np.float32)


def grey(cover: FloatArray) -> FloatArray:
    """Return a mask or alpha (H, W) as a picture (H, W, 3)."""
    return np.repeat(cover[..., None], 3, axis=2)


def as_bytes(picture: FloatArray) -> ByteArray:
    """Return a picture (H, W) or (H, W, 3), display-referred, as 8-bit (H, W, 3)."""
    shown = picture if picture.ndim == 3 else grey(picture)
    return np.asarray(np.round(np.clip(shown, 0, 1) * 255), np.uint8)


def checkerboard(
    size: tuple[int, int],
    square: float = _SQUARE,
    corner: tuple[int, int] = (0, 0),
    shades: tuple[float, float] = (_LIGHT, _DARK),
) -> FloatArray:
    """Return grey squares (height, width, 1), by default linear, that a comp is judged over.

    Args:
        size: height and width, pixels.
        square: the side of one, pixels.
        corner: the (row, column) of the first pixel in the whole board, of which this is a part.
        shades: of the squares; that of the corner of the whole board is the second.
    """
    rows, columns = ((np.arange(side) + first) // square for side, first in zip(size, corner, strict=True))
    light, dark = map(np.float32, shades)
    return np.where((rows[:, None] + columns) % 2, light, dark)[..., None]


def comp_over(ground: FloatArray, foreground: FloatArray, cover: FloatArray) -> FloatArray:
    """Return a foreground (H, W, 3) over `ground` by a mask or alpha (H, W), mixed in linear light.

    Args:
        ground: linear; `GREEN`, a `checkerboard`, or anything that broadcasts to the foreground.
        foreground: linear, not premultiplied.
        cover: 0..1.

    Returns:
        (H, W, 3), display-referred sRGB, 0..1.
    """
    solid = cover[..., None]
    return to_display(np.clip(foreground * solid + ground * (1 - solid), 0, 1))


def detail(pictures: tuple[FloatArray, FloatArray], interest: FloatArray) -> ByteArray:
    """Return a cell with the part of two pictures that is of most interest, enlarged, side by side.

    Args:
        pictures: (H, W, 3) each, display-referred.
        interest: (H, W), not negative: how much a person would want to look at each pixel.
    """
    high, wide = cell_size(interest.shape)[0], (CELL[1] - _SEAM) // 2
    window = busiest(interest, _window(interest.shape, high / wide))
    left, right = (as_bytes(fitted(picture[window], (high, wide))) for picture in pictures)
    return np.concatenate([left, blank(high, _SEAM), right], axis=1)


def _window(shape: tuple[int, ...], slant: float) -> tuple[int, int]:
    """Return the (height, width) of what a detail shows: a third of the picture's height, `slant` times its width."""
    high = min(shape[0] / 3, shape[1] * slant)
    return max(1, round(high)), max(1, min(shape[1], round(high / slant)))


def busiest(interest: FloatArray, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the window of `size` (height, width), cut to the picture, that holds the most of `interest` (H, W)."""
    height, width = min(size[0], interest.shape[0]), min(size[1], interest.shape[1])
    sums: NDArray[np.float64] = np.asarray(cv2.integral(interest, sdepth=cv2.CV_64F), np.float64)
    held = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = (int(place) for place in np.unravel_index(int(np.argmax(held)), held.shape))
    return slice(top, top + height), slice(left, left + width)


def edges(alpha: FloatArray) -> FloatArray:
    """Return how much an alpha (H, W) changes at each pixel, (H, W): most where hair and other fine edges are."""
    steps = np.zeros_like(alpha)
    steps[1:] += np.abs(np.diff(alpha, axis=0))
    steps[:, 1:] += np.abs(np.diff(alpha, axis=1))
    return steps
