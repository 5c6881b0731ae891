"""Lays a few frames out as a contact sheet, so that a person can judge an alpha at a glance; makes no alpha itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.foreground import estimate
from videomama_server.media import frames as pictures
from videomama_server.media.srgb import to_display, to_light

ByteArray = NDArray[np.uint8]

_CELL = 480  # width of one picture, pixels
_GAP = 8
_HEADER = 34
_PAPER, _INK = 26, (214, 214, 214)
_GREEN = (0.05, 0.42, 0.10)  # linear, the green of a screen
_TITLES = ("plate", "mask", "alpha", "over green", "detail: by the mask | by the alpha")


@dataclass(frozen=True)
class SheetFrame:
    """One row of the sheet, all float32 in 0..1.

    Attributes:
        number: frame number, printed on the plate.
        plate: (H, W, 3), display-referred sRGB.
        mask: (H, W).
        alpha: (H, W).
    """

    number: int
    plate: FloatArray
    mask: FloatArray
    alpha: FloatArray


def contact_sheet(rows: Sequence[SheetFrame]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB: one row per frame, in columns named at the top.

    Both comps are made in linear light, over green: by the mask with the plate's own colours, by the alpha with the
    foreground's, estimated from plate and alpha (see `videomama_server.foreground`).
    The detail is the part of the frame where the alpha has most edges, which is where the hair is.
    """
    bands = [_header()]
    for row in rows:
        cells = _cells(row)
        gap = np.full((cells[0].shape[0], _GAP, 3), _PAPER, np.uint8)
        spaced = [part for cell in cells for part in (cell, gap)]
        bands += [np.concatenate([gap, *spaced], axis=1), np.full((_GAP, bands[0].shape[1], 3), _PAPER, np.uint8)]
    return np.concatenate(bands, axis=0)


def write_contact_sheet(path: Path, rows: Sequence[SheetFrame]) -> None:
    """Write `contact_sheet` as an 8-bit PNG at `path`; see `frames.write_picture` for errors."""
    pictures.write_picture(path, contact_sheet(rows), dtype="uint8")


def spread(numbers: Sequence[int], count: int = 4) -> list[int]:
    """Choose up to `count` of the frame numbers, first and last included, evenly spaced."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[round(i * (len(numbers) - 1) / (count - 1))] for i in range(count)]


def _header() -> ByteArray:
    strip = np.full((_HEADER, _GAP + (_CELL + _GAP) * len(_TITLES), 3), _PAPER, np.uint8)
    for column, title in enumerate(_TITLES):
        _label(strip, title, (_GAP + column * (_CELL + _GAP) + 2, _HEADER - 11))
    return strip


def _label(picture: ByteArray, text: str, corner: tuple[int, int]) -> None:
    shadow = (corner[0] + 1, corner[1] + 1)  # keeps the text legible on a bright plate
    for place, colour in ((shadow, (0, 0, 0)), (corner, _INK)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)


def _cells(row: SheetFrame) -> list[ByteArray]:
    height, width = row.alpha.shape
    size = (_CELL, max(2, round(_CELL * height / width)))
    light = to_light(np.clip(row.plate, 0, 1))
    by_alpha = _over_green(estimate(light, row.alpha), row.alpha)
    by_mask = _over_green(light, row.mask)
    window = _busiest(row.alpha, (max(2, height // 3), max(2, round(height / 3 * size[0] / 2 / size[1]))))
    half = (_CELL // 2 - _GAP // 4, size[1])
    seam = np.full((size[1], _CELL - 2 * half[0], 3), _PAPER, np.uint8)
    details = [_bytes(_fitted(comp[window], half)) for comp in (by_mask, by_alpha)]
    plate = _bytes(_fitted(row.plate, size))
    _label(plate, str(row.number), (8, size[1] - 10))
    flats = [_bytes(np.repeat(_fitted(cover, size)[..., None], 3, axis=2)) for cover in (row.mask, row.alpha)]
    return [plate, *flats, _bytes(_fitted(by_alpha, size)), np.concatenate([details[0], seam, details[1]], axis=1)]


def _over_green(foreground: FloatArray, cover: FloatArray) -> FloatArray:
    """Comp a linear foreground (H, W, 3) over green by an alpha or mask (H, W); display-referred result."""
    solid = cover[..., None]
    mixed = foreground * solid + np.array(_GREEN, np.float32) * (1 - solid)
    return to_display(np.clip(mixed, 0, 1))


def _busiest(alpha: FloatArray, size: tuple[int, int]) -> tuple[slice, slice]:
    """Find the window of `size` (h, w) with the longest, finest edges in an alpha (H, W)."""
    height, width = min(size[0], alpha.shape[0]), min(size[1], alpha.shape[1])
    steps = np.zeros_like(alpha)
    steps[1:] += np.abs(np.diff(alpha, axis=0))
    steps[:, 1:] += np.abs(np.diff(alpha, axis=1))
    sums = cv2.integral(steps)
    totals = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(int(np.argmax(totals)), totals.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def _fitted(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    shrinks = picture.shape[1] > size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(picture, np.float32), size, interpolation=how), np.float32)


def _bytes(picture: FloatArray) -> ByteArray:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
