"""Lays a few frames out as a contact sheet, so that a person can judge an alpha at a glance; makes no alpha itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.foreground import estimate
from videomama_server.media import contact_sheet as sheets
from videomama_server.media import frames as pictures
from videomama_server.media.srgb import to_light

_TITLES = ("plate", "mask", "alpha", "over green", "detail: by the mask | by the alpha")


@dataclass(frozen=True)
class SheetFrame:
    """One row of the sheet, all float32 in 0..1.

    Attributes:
        number: frame number, printed above the row.
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
    return sheets.lay_out(_TITLES, [sheets.LabelledRow(str(row.number), _cells(row)) for row in rows])


def write_contact_sheet(path: Path, rows: Sequence[SheetFrame]) -> None:
    """Write `contact_sheet` as an 8-bit PNG at `path`; see `frames.write_picture` for errors."""
    pictures.write_picture(path, contact_sheet(rows), dtype="uint8")


def _cells(row: SheetFrame) -> list[ByteArray]:
    light = to_light(np.clip(row.plate, 0, 1))
    by_alpha = sheets.comp_over(sheets.GREEN, estimate(light, row.alpha), row.alpha)
    by_mask = sheets.comp_over(sheets.GREEN, light, row.mask)
    flats = [sheets.as_cell(picture) for picture in (row.plate, row.mask, row.alpha, by_alpha)]
    return [*flats, sheets.detail((by_mask, by_alpha), sheets.edges(row.alpha))]
