"""Lays the clips of a suite out as a contact sheet, a row per clip, so that a person sees what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.media import contact_sheet as sheets
from videomama_server.media.srgb import to_display

_TITLES = ("plate", "plate, later", "mask", "alpha", "foreground over green", "detail")


@dataclass(frozen=True)
class SheetRow:
    """One clip: its name, and pictures of one frame but for `later`.

    Attributes:
        name: printed above the row.
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
    return sheets.lay_out(_TITLES, [sheets.LabelledRow(row.name, _cells(row)) for row in rows])


def _cells(row: SheetRow) -> list[ByteArray]:
    plate, later, comp = (_shown(picture, row.exposure) for picture in (row.plate, row.later, row.comp))
    cells = [sheets.as_cell(picture) for picture in (plate, later, row.mask, row.alpha, comp)]
    return [*cells, sheets.detail((plate, comp), row.alpha * (1 - row.alpha))]


def _shown(picture: FloatArray, exposure: float) -> FloatArray:
    return to_display(np.clip(picture * np.float32(exposure), 0, 1))
