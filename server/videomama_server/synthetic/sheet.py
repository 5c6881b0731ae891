"""Lays the clips of a suite out as a contact sheet, a row per clip, so that a person sees what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.media import color

ByteArray = NDArray[np.uint8]

_CELL = 480  # width of one picture, pixels
_GAP = 8
_PAPER, _INK = 26, (230, 230, 230)
_TITLES = ("plate", "plate, later", "mask", "alpha", "foreground over green", "detail")


@dataclass(frozen=True)
class SheetRow:
    """One clip: its name, and pictures of one frame but for `later`.

    Attributes:
        name: printed on the plate.
        plate: (H, W, 3), linear.
        later: (H, W, 3), linear, the plate of another frame.
        mask: (H, W).
        alpha: (H, W).
        comp: (H, W, 3), linear, the foreground over green.
        exposure: factor that makes the clip bright enough to see.
    """

    name: str
    plate: FloatArray
    later: FloatArray
    mask: FloatArray
    alpha: FloatArray
    comp: FloatArray
    exposure: float = 1.0


def contact_sheet(rows: Sequence[SheetRow]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB; the detail is where the alpha is softest, plate beside comp."""
    width = _GAP + (_CELL + _GAP) * len(_TITLES)
    header = np.full((30, width, 3), _PAPER, np.uint8)
    for column, title in enumerate(_TITLES):
        _label(header, title, (_GAP + column * (_CELL + _GAP), 21))
    bands = [header]
    for row in rows:
        cells = _cells(row)
        gap = np.full((cells[0].shape[0], _GAP, 3), _PAPER, np.uint8)
        spaced = np.concatenate([gap, *(part for cell in cells for part in (cell, gap))], axis=1)
        bands += [spaced, np.full((_GAP, width, 3), _PAPER, np.uint8)]
    return np.concatenate(bands, axis=0)


def _cells(row: SheetRow) -> list[ByteArray]:
    plate, later, comp = (_shown(picture, row.exposure) for picture in (row.plate, row.later, row.comp))
    mask, alpha = (np.repeat(cover[..., None], 3, axis=2) for cover in (row.mask, row.alpha))
    size = (_CELL, max(2, round(_CELL * plate.shape[0] / plate.shape[1])))
    cells = [_fitted(picture, size) for picture in (plate, later, mask, alpha, comp)]
    _label(cells[0], row.name, (8, 20))
    window = _busiest(row.alpha)
    half = (_CELL // 2, size[1])
    return [*cells, np.concatenate([_fitted(picture[window], half) for picture in (plate, comp)], axis=1)]


def _busiest(alpha: FloatArray) -> tuple[slice, slice]:
    """Find the window, a third as high as the alpha (H, W), where most of it is neither 0 nor 1."""
    height, width = alpha.shape
    tall = max(2, height // 3)
    wide = min(width, max(2, width // 6))
    sums = cv2.boxFilter(alpha * (1 - alpha), -1, (wide, tall), normalize=False, borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(int(np.argmax(sums)), sums.shape)
    top = int(np.clip(row - tall // 2, 0, height - tall))
    left = int(np.clip(column - wide // 2, 0, width - wide))
    return slice(top, top + tall), slice(left, left + wide)


def _shown(picture: FloatArray, exposure: float) -> FloatArray:
    return color.display_transform(color.LINEAR, 0.0)(np.asarray(picture * np.float32(exposure), np.float32))


def _fitted(picture: FloatArray, size: tuple[int, int]) -> ByteArray:
    how = cv2.INTER_AREA if picture.shape[1] > size[0] else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(picture, np.float32), size, interpolation=how)
    return np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _label(picture: ByteArray, text: str, corner: tuple[int, int]) -> None:
    for offset, colour in ((1, (0, 0, 0)), (0, _INK)):  # the shadow keeps it legible on a bright plate
        place = (corner[0] + offset, corner[1] + offset)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
