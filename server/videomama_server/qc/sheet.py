"""Lays the frames that quality control would look at first out as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from videomama_client.messages import QcFlag

from videomama_server.arrays import BoolArray, ByteArray, FloatArray
from videomama_server.media import contact_sheet as sheets
from videomama_server.media.srgb import to_light
from videomama_server.qc.files import Loaded
from videomama_server.qc.regions import far_outside, holes

ROWS = 6
_TITLES = (
    "plate, mask outlined",
    "alpha; red: far outside the mask, blue: a hole",
    "over a checkerboard",
    "closer, over a bright plate: holes show",
    "closer, over a dark plate: haze shows",
)
_TRIMAP_TITLE = "trimap; orange: unknown, refined"
_RED, _BLUE = (1.0, 0.15, 0.1), (0.2, 0.4, 1.0)
_ORANGE = np.asarray((1.0, 0.5, 0.0), np.float32)
_UNKNOWN = (0.25, 0.75)  # values of a trimap between which a pixel is unknown
_SEEN = 0.02  # alpha from which a pixel is marked
_BESIDE = 0.04  # of the frame that is shown on each side of the subject, at least, where it is seen nearer


def chosen(numbers: Sequence[int], flags: Sequence[QcFlag], count: int = ROWS) -> list[int]:
    """Choose up to `count` frames, ascending: the worst of each flag, then more of the flagged ones, else a spread."""
    more = _by_turns([sheets.spread(flag.frame_numbers, count) for flag in flags])
    wanted = list(dict.fromkeys([*(flag.worst for flag in flags), *more]))
    return sorted(wanted[:count]) if wanted else sheets.spread(numbers, count)


def contact_sheet(rows: Sequence[Loaded], flags: Sequence[QcFlag]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB: one row per frame, headed by its number and what was flagged.

    Where there are trimaps, they have a column of their own.
    """
    with_trimaps = any(row.trimap is not None for row in rows)
    titles = (*_TITLES, _TRIMAP_TITLE) if with_trimaps else _TITLES
    return sheets.lay_out(titles, [_row(row, flags) for row in rows])


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
    comps = [sheets.comp_over(sheets.checkerboard(size), to_light(plate), alpha), *_near(row, size)]
    trimap = [] if row.trimap is None else [_shown_trimap(row.plate, row.trimap)]
    return [outlined, sheets.as_bytes(_marked(mask, alpha)), *map(sheets.as_bytes, comps), *trimap]


def _shown_trimap(plate: FloatArray, trimap: FloatArray) -> ByteArray:
    """Return a cell of a trimap (H, W): black and white where it is certain, else the plate (H, W, 3) in orange."""
    unknown = (trimap > _UNKNOWN[0]) & (trimap < _UNKNOWN[1])
    shown = sheets.grey(np.rint(trimap))
    shown[unknown] = (plate[unknown] + _ORANGE) / 2
    return sheets.as_cell(shown)


def _near(row: Loaded, size: tuple[int, int]) -> list[FloatArray]:
    """Return the subject, enlarged to `size` (height, width), over a bright and over a dark plate."""
    window = _window((row.mask >= 0.5) | (row.alpha >= 0.5))
    plate, alpha = sheets.fitted(row.plate[window], size), sheets.fitted(row.alpha[window], size)
    return [sheets.comp_over(ground, to_light(plate), alpha) for ground in (sheets.BRIGHT, sheets.DARK)]


def _window(subject: BoolArray) -> tuple[slice, slice]:
    """Return the part of a frame, of its own proportions, that shows the subject and something on each side."""
    spans, shape = [np.flatnonzero(subject.any(axis=axis)) for axis in (1, 0)], subject.shape
    if not len(spans[0]):
        return slice(0, shape[0]), slice(0, shape[1])
    ends = [(int(span[0]), int(span[-1]) + 1) for span in spans]
    sides = [(stop - start) / side for (start, stop), side in zip(ends, shape, strict=True)]
    share = min(1.0, max(sides) + 2 * _BESIDE)
    lengths = [max(1, round(share * side)) for side in shape]
    starts = [
        min(max(0, (start + stop - length) // 2), side - length)
        for (start, stop), length, side in zip(ends, lengths, shape, strict=True)
    ]
    rows, columns = (slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
    return rows, columns


def _marked(mask: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return an alpha (H, W) in grey, (H, W, 3), what the scores count as spill and hole in colour."""
    shown = sheets.grey(alpha)
    solid = mask >= 0.5
    spilt = far_outside(solid) & (alpha > _SEEN) if solid.any() else np.zeros_like(solid)
    shown[spilt] = np.asarray(_RED, np.float32) * (0.4 + 0.6 * alpha[spilt, None])
    shown[holes(solid, alpha)] = _BLUE
    return shown
