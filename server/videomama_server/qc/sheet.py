"""Lays the frames that quality control would look at first out as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from videomama_client.messages import QcFlag

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.media import contact_sheet as sheets
from videomama_server.media.srgb import to_light
from videomama_server.qc.files import Loaded
from videomama_server.qc.scores import far_outside, holes

ROWS = 6
_TITLES = ("plate, mask outlined", "alpha; red: far outside the mask, blue: a hole", "over a checkerboard")
_RED, _BLUE = (1.0, 0.15, 0.1), (0.2, 0.4, 1.0)
_SEEN = 0.02  # alpha from which a pixel is marked


def chosen(numbers: Sequence[int], flags: Sequence[QcFlag], count: int = ROWS) -> list[int]:
    """Choose up to `count` frames, ascending: the worst of each flag, then more of the flagged ones, else a spread."""
    wanted = list(dict.fromkeys([*(flag.worst for flag in flags), *_by_turns([flag.frame_numbers for flag in flags])]))
    return sorted(wanted[:count]) if wanted else sheets.spread(numbers, count)


def contact_sheet(rows: Sequence[Loaded], flags: Sequence[QcFlag]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB: one row per frame, headed by its number and what was flagged."""
    return sheets.lay_out(_TITLES, [_row(row, flags) for row in rows])


def _row(row: Loaded, flags: Sequence[QcFlag]) -> sheets.LabelledRow:
    kinds = [flag.kind for flag in flags if row.frame in flag.frame_numbers]
    return sheets.LabelledRow(f"{row.frame}  {', '.join(kinds)}", _cells(row), is_marked=bool(kinds))


def _by_turns(lists: Sequence[Sequence[int]]) -> list[int]:
    longest = max(map(len, lists), default=0)
    return [members[turn] for turn in range(longest) for members in lists if turn < len(members)]


def _cells(row: Loaded) -> list[ByteArray]:
    size = sheets.cell_size(row.alpha.shape)
    plate, mask, alpha = (sheets.fitted(picture, size) for picture in (row.plate, row.mask, row.alpha))
    outlined = sheets.as_bytes(plate)
    edges, _ = cv2.findContours((mask >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(outlined, edges, -1, (255, 220, 0), 1, cv2.LINE_AA)
    comp = sheets.comp_over(sheets.checkerboard(size), to_light(plate), alpha)
    return [outlined, sheets.as_bytes(_marked(mask, alpha)), sheets.as_bytes(comp)]


def _marked(mask: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return an alpha (H, W) in grey, (H, W, 3), what the scores count as spill and hole in colour."""
    shown = sheets.grey(alpha)
    solid = mask >= 0.5
    spilt = far_outside(solid) & (alpha > _SEEN) if solid.any() else np.zeros_like(solid)
    shown[spilt] = np.asarray(_RED, np.float32) * (0.4 + 0.6 * alpha[spilt, None])
    shown[holes(solid, alpha)] = _BLUE
    return shown
