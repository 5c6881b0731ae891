"""Makes the pictures of a report: a frame of a clip, whole and with its worst spot enlarged, as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.evaluate.measure import read
from videomama_server.evaluate.plan import Unit
from videomama_server.evaluate.report.worst import MANY
from videomama_server.media.contact_sheet import as_bytes, busiest, grey
from videomama_server.media.reduction import averaged, reduced_size

SPAN = 0.5  # difference at which the colour scale ends
_WIDTH = 440  # of a picture on the page
_SMALL_WIDTH = 320  # where there are so many strips that pictures are smaller, so that the page stays small
MOST = 72  # strips with pictures
_SPOT = 110  # width in pixels of what is enlarged
_TALLEST, _FLATTEST = 2.0, 0.25  # height over width that a picture's space and a spot have
_QUALITY = 80
_TOO_MUCH, _TOO_LITTLE = np.array([1.0, 0.42, 0.12], np.float32), np.array([0.16, 0.62, 1.0], np.float32)
_FRAME = (255, 205, 40)
OVER = {"bright": 0.9, "dark": 0.03}  # greys, display-referred, that comps are shown over
_DIM, _BRIGHT = 0.12, 0.3  # mean of a display-referred plate that is brightened, and to what


@dataclass(frozen=True)
class Tile:
    """One picture of a strip: what it is, the whole frame, and the enlarged spot; both as data URIs."""

    title: str
    whole: str
    spot: str
    is_difference: bool = False


@dataclass(frozen=True)
class Strip:
    """The pictures of one frame.

    Attributes:
        frame: its number.
        spot: width and height of what is enlarged, in pixels of the plate.
        gain: what the shown plate was multiplied by, 1 for nothing.
        tiles: plate, mask, truth if there is one, then alpha and difference of every engine; without a truth its
            comps over a bright and a dark grey too, which show what hides in mid-grey.
        width, height: of the whole pictures.
        blind: there is no truth.
    """

    frame: int
    spot: tuple[int, int]
    gain: float
    tiles: list[Tile]
    width: int
    height: int
    blind: bool = False


def strip(units: Sequence[Unit], number: int, strips: int) -> Strip:
    """Return the pictures of a frame.

    Args:
        units: of one clip and kind of masks: the masks first, then the engines.
        number: of the frame.
        strips: how many the page has.

    Raises:
        BadInput: a picture cannot be read any more.
    """
    given, *judged = [(unit, read(unit.clip, unit.alphas, number)) for unit in units]
    shown = given[1]
    display, gain = brightened(shown.display)
    wrong = np.mean([np.abs(one.alpha - one.reference) for _, one in judged or [given]], axis=0)
    maker = _Maker(_spot(np.asarray(wrong, np.float32)), _SMALL_WIDTH if strips > MANY else _WIDTH)
    tiles = [maker.tile("plate", display, marked=True), maker.tile("mask", grey(shown.alpha))]
    blind = given[0].clip.truth is None
    if not blind:
        tiles.append(maker.tile("truth", grey(shown.reference)))
    for unit, one in judged:
        named = f", {unit.engine}" if len(judged) > 1 else ""
        tiles.append(maker.tile(f"alpha{named}", grey(one.alpha)))
        tiles.append(maker.tile(f"difference{named}", difference(one.alpha, one.reference), is_difference=True))
        if blind:
            tiles += [
                maker.tile(f"over {ground}{named}", over(display, one.alpha, tone)) for ground, tone in OVER.items()
            ]
    height, width = maker.size(shown.reference.shape)
    return Strip(number, maker.spot[2:], gain, tiles, width, height, blind)


def over(plate: FloatArray, alpha: FloatArray, grey: float) -> FloatArray:
    """Return the plate (H, W, 3) over a plain grey."""
    cover = alpha[..., None]
    return np.asarray(plate * cover + np.float32(grey) * (1 - cover), np.float32)


def difference(alpha: FloatArray, truth: FloatArray) -> FloatArray:
    """Return the signed difference of two alphas (H, W) in colour (H, W, 3): orange too much, blue too little."""
    error = np.clip((alpha - truth) / SPAN, -1, 1)[..., None]
    return np.asarray(np.maximum(error, 0) * _TOO_MUCH + np.maximum(-error, 0) * _TOO_LITTLE, np.float32)


@dataclass(frozen=True)
class _Maker:
    """Makes tiles of one frame: `spot` is left, top, width and height of what is enlarged."""

    spot: tuple[int, int, int, int]
    width: int

    @property
    def enlarged(self) -> int:
        _, _, width, height = self.spot
        return max(1, round(min(self.width / width, self.width * _TALLEST / height)))

    def size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the (height, width) of the whole picture on the page."""
        return reduced_size((shape[0], shape[1]), min(1.0, self.width / shape[1], self.width * _TALLEST / shape[0]))

    def tile(self, title: str, picture: FloatArray, marked: bool = False, is_difference: bool = False) -> Tile:
        left, top, width, height = self.spot
        whole = as_bytes(averaged(picture, self.size(picture.shape)))
        if marked:
            share = whole.shape[1] / picture.shape[1]
            corners = [tuple(round(v * share) for v in at) for at in ((left, top), (left + width, top + height))]
            for colour, thickness in (((0, 0, 0), 4), (_FRAME, 2)):
                cv2.rectangle(whole, corners[0], corners[1], colour, thickness)
        spot = as_bytes(picture[top : top + height, left : left + width])
        times = (width * self.enlarged, height * self.enlarged)
        grown = np.asarray(cv2.resize(spot, times, interpolation=cv2.INTER_NEAREST), np.uint8)
        return Tile(title, as_uri(whole), as_uri(grown), is_difference)


def _spot(wrong: FloatArray) -> tuple[int, int, int, int]:
    """Return the left, top, width and height of the place, in about the picture's shape, that holds most error."""
    height, width = wrong.shape
    across = min(_SPOT, width)
    down = max(1, round(across * min(_TALLEST, max(_FLATTEST, height / width))))
    rows, columns = busiest(wrong, (down, across))
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def brightened(plate: FloatArray) -> tuple[FloatArray, float]:
    """Return a display-referred plate that can be seen, and what it was multiplied by."""
    mean = float(plate.mean())
    gain = round(_BRIGHT / max(mean, 0.02), 1) if mean < _DIM else 1.0
    return np.asarray(np.minimum(plate * np.float32(gain), 1), np.float32), gain


def as_uri(picture: ByteArray) -> str:
    """Return an RGB picture as a data URI, in WebP."""
    is_made, code = cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    assert is_made, "OpenCV was built without WebP"
    return f"data:image/webp;base64,{base64.b64encode(code.tobytes()).decode()}"
