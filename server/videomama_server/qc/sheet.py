"""Lays the frames that quality control would look at first out as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.messages import QcFlag

from videomama_server.arrays import FloatArray
from videomama_server.media.srgb import to_display, to_light
from videomama_server.qc.files import Loaded
from videomama_server.qc.scores import far_outside, holes

ByteArray = NDArray[np.uint8]

PAPER, INK, FAINT = (26, 26, 26), (214, 214, 214), (110, 110, 110)
MARK = (255, 96, 64)
ROWS = 6
_CELL = 480  # width of one picture, pixels
_GAP = 8
_HEADER = 34
_STRIP = 26
_TITLES = ("plate, mask outlined", "alpha; red: far outside the mask, blue: a hole", "over a checkerboard")
_SQUARE = 16
_LIGHT, _DARK = 0.35, 0.18  # linear
_RED, _BLUE = (1.0, 0.15, 0.1), (0.2, 0.4, 1.0)
_SEEN = 0.02  # alpha from which a pixel is marked


def chosen(numbers: Sequence[int], flags: Sequence[QcFlag], count: int = ROWS) -> list[int]:
    """Choose up to `count` frames, ascending: the worst of each flag, then more of the flagged ones, else a spread."""
    wanted = list(dict.fromkeys([*(flag.worst for flag in flags), *_by_turns([flag.frames for flag in flags])]))
    if not wanted:
        places = np.linspace(0, len(numbers) - 1, min(count, len(numbers)))
        wanted = [numbers[round(place)] for place in places]
    return sorted(wanted[:count])


def contact_sheet(rows: Sequence[Loaded], flags: Sequence[QcFlag]) -> ByteArray:
    """Return the sheet (h, w, 3), 8-bit sRGB: one row per frame, headed by its number and what was flagged."""
    width = _GAP + (_CELL + _GAP) * len(_TITLES)
    header = blank(_HEADER, width)
    for column, title in enumerate(_TITLES):
        label(header, title, (_GAP + column * (_CELL + _GAP) + 2, _HEADER - 11))
    bands = [header]
    for row in rows:
        kinds = [flag.kind for flag in flags if row.frame in flag.frames]
        strip = blank(_STRIP, width)
        label(strip, f"{row.frame}  {', '.join(kinds)}", (_GAP + 2, _STRIP - 8), MARK if kinds else INK)
        cells = _cells(row)
        gap = blank(cells[0].shape[0], _GAP)
        bands += [strip, np.concatenate([gap, *(part for cell in cells for part in (cell, gap))], axis=1)]
    return np.concatenate([*bands, blank(_GAP, width)], axis=0)


def blank(height: int, width: int) -> ByteArray:
    """Return empty paper (height, width, 3)."""
    return np.full((height, width, 3), PAPER, np.uint8)


def label(picture: ByteArray, text: str, corner: tuple[int, int], colour: tuple[int, int, int] = INK) -> None:
    """Write `text` into a picture; `corner` is where its first letter stands."""
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _by_turns(lists: Sequence[Sequence[int]]) -> list[int]:
    longest = max(map(len, lists), default=0)
    return [members[turn] for turn in range(longest) for members in lists if turn < len(members)]


def _cells(row: Loaded) -> list[ByteArray]:
    height, width = row.alpha.shape
    size = (_CELL, max(2, round(_CELL * height / width)))
    plate, mask, alpha = (_fitted(picture, size) for picture in (row.plate, row.mask, row.alpha))
    outlined = _bytes(plate)
    edges, _ = cv2.findContours((mask >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(outlined, edges, -1, (255, 220, 0), 1, cv2.LINE_AA)
    return [outlined, _bytes(_marked(mask, alpha)), _bytes(_comped(plate, alpha))]


def _marked(mask: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return an alpha (H, W) in grey, (H, W, 3), what the scores count as spill and hole in colour."""
    shown = np.repeat(alpha[..., None], 3, axis=2)
    solid = mask >= 0.5
    spilt = far_outside(solid) & (alpha > _SEEN) if solid.any() else np.zeros_like(solid)
    shown[spilt] = np.asarray(_RED, np.float32) * (0.4 + 0.6 * alpha[spilt, None])
    shown[holes(solid, alpha)] = _BLUE
    return shown


def _comped(plate: FloatArray, alpha: FloatArray) -> FloatArray:
    """Comp a display-referred plate by its alpha over grey squares, in linear light."""
    rows, columns = np.indices(alpha.shape) // _SQUARE
    squares = np.where((rows + columns) % 2, np.float32(_LIGHT), np.float32(_DARK))[..., None]
    cover = alpha[..., None]
    return to_display(to_light(np.clip(plate, 0, 1)) * cover + squares * (1 - cover))


def _fitted(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    how = cv2.INTER_AREA if picture.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.float32)


def _bytes(picture: FloatArray) -> ByteArray:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
