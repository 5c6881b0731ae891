"""The pictures by which a person reviews labels: a small one of each, and sheets of a hundred."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from videomama_client.settings import MatteSettings

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.label.records import THUMB, LabelRecord
from videomama_server.media import color, frames, sequences
from videomama_server.media import contact_sheet as sheets
from videomama_server.media.srgb import to_light

FOLDER = "review"
PAGE = 100  # labels of a sheet
_COLUMNS = 5
_CELL = (150, 360)  # height and width, pixels: plate and comp side by side
_CAPTION = 22


def write_thumb(target: Path, patterns: tuple[Path, Path], numbers: Sequence[int], settings: MatteSettings) -> None:
    """Write the plate of a middle frame, and its subject over green beside it, as a small picture.

    Args:
        target: of the picture.
        patterns: of the plates, and of the alphas.
        numbers: of the frames.
        settings: that say how the plate is read: its colour space and exposure.

    Raises:
        BadInput: a picture cannot be read.
        OSError: the disk is full or failing.
    """
    number = numbers[len(numbers) // 2]
    plate, alpha = (sequences.parse(str(pattern)).path(number) for pattern in patterns)
    shown = color.displayed(frames.shown(frames.read_plate(plate)), settings.colorspace, settings.exposure)
    cover = frames.shown(frames.read_mask(alpha)).pixels[..., 0]
    high, wide = _CELL[0] - _CAPTION, _CELL[1] // 2
    scale = min(high / shown.shape[0], wide / shown.shape[1])
    size = (max(1, int(shown.shape[0] * scale)), max(1, int(shown.shape[1] * scale)))
    small, soft = sheets.fitted(shown, size), sheets.fitted(cover, size)
    comp = sheets.comp_over(sheets.GREEN, to_light(small), soft)
    frames.write_picture(target, _beside(small, comp), dtype="uint8")


def write_sheets(folder: Path, records: Sequence[LabelRecord]) -> list[Path]:
    """Write a sheet for every hundred labels into `review` in a folder; one that shows the same is left as it is.

    Args:
        folder: of the results.
        records: labels and rejected ones, in order.

    Raises:
        OSError: the disk is full or failing.
    """
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    written = []
    for number, begin in enumerate(range(0, len(records), PAGE), 1):
        page = records[begin : begin + PAGE]
        target = place / f"{number:04d}-{_digest(page)}.png"
        if not target.is_file():
            frames.write_picture(target, _sheet(folder, page), dtype="uint8")
        written.append(target)
    for old in set(place.glob("????-*.png")) - set(written):
        old.unlink(missing_ok=True)  # another shard may have done so
    return written


def _digest(page: Sequence[LabelRecord]) -> str:
    text = "\n".join(f"{one.name} {one.fingerprint} {one.state}" for one in page)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _sheet(folder: Path, page: Sequence[LabelRecord]) -> ByteArray:
    cells = [_cell(folder / one.state / one.name / THUMB, one) for one in page]
    rows = [cells[begin : begin + _COLUMNS] for begin in range(0, len(cells), _COLUMNS)]
    rows[-1] += [sheets.blank(*_CELL)] * (_COLUMNS - len(rows[-1]))
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _cell(thumb: Path, record: LabelRecord) -> ByteArray:
    cell = sheets.blank(*_CELL)
    reason = f": {record.reasons[0].partition(' on ')[0].partition(':')[0]}" if record.reasons else ""
    sheets.label(cell, f"{record.name[-30:]}{reason}", (4, 15), sheets.MARK if reason else sheets.INK)
    if thumb.is_file():
        picture = sheets.as_bytes(frames.read_plate(thumb).pixels)
        cell[_CAPTION : _CAPTION + len(picture), : picture.shape[1]] = picture
    return cell


def _beside(left: FloatArray, right: FloatArray) -> ByteArray:
    return sheets.as_bytes(np.concatenate([left, right], axis=1))
