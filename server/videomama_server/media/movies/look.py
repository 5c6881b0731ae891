"""What a movie says of its pictures: size, how they are turned, how their values are coded, and their colours."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from videomama_server.media.declared_colour import DISPLAY, LINEAR, UNDECLARED, Declared

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_UPRIGHT = 1  # as a TIFF says it
_MOST_HD = 719  # rows of a picture that is taken for BT.601 where it does not say
_UNSAID = 2
BT709, BT601 = 1, 6
_FULL = 2  # color_range
_PQ, _HLG, _LINEAR, _SRGB = 16, 18, 8, 13
_GAMMAS = {4: "g22_rec709"}
_TRANSFERS = {5: "gamma 2.8", 9: "a logarithm", 10: "a logarithm", 17: "SMPTE ST 428"}
_USUAL = frozenset({1, _UNSAID, 5, 6, 7})  # primaries that are Rec.709's, or near
_BT2020, _P3 = 9, frozenset({11, 12})
_TAGS = {  # by the display matrix's a, b, c and d: how rows and columns change
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


@dataclass(frozen=True)
class Look:
    """What holds for every picture of a movie.

    Attributes:
        width, height: as stored, before they are turned.
        aspect: of a pixel, as stored.
        orientation: how pictures are to be turned, 1 to 8 as in TIFF.
        layout: FFmpeg's name of how values are stored, such as `yuv422p10le`.
        has_alpha: whether there is an alpha.
        matrix: number of the matrix from R, G, B to luma and chroma; source: ITU-T H.273.
        full_range: whether whole numbers use their full range.
        primaries, transfer: numbers of the colours and the curve; source: ITU-T H.273.
    """

    width: int
    height: int
    aspect: float = 1.0
    orientation: int = _UPRIGHT
    layout: str = ""
    has_alpha: bool = False
    matrix: int = BT709
    full_range: bool = False
    primaries: int = _UNSAID
    transfer: int = _UNSAID

    @property
    def declared(self) -> Declared:
        """What the movie says of its colours: those of standard video are shown on a screen as sRGB is."""
        if self.transfer == _PQ:
            return Declared("PQ (Rec.2100)", ("Rec.2100-PQ - Display",))
        if self.transfer == _HLG:
            return Declared("HLG (Rec.2100)", ("Rec.2100-HLG - Display",))
        if self.transfer in _TRANSFERS:
            return Declared(_TRANSFERS[self.transfer])
        if self.primaries == _BT2020:
            return _of_rec2020(self.transfer)
        if self.primaries in _P3:
            return _of_p3(self.transfer)
        if self.primaries not in _USUAL:
            return Declared(f"primaries number {self.primaries} of H.273")
        if self.transfer == _LINEAR:
            return Declared("linear", (LINEAR,))
        if self.transfer in _GAMMAS:
            return Declared("gamma 2.2", (_GAMMAS[self.transfer],))
        if self.transfer == _UNSAID:
            return UNDECLARED
        return Declared("sRGB" if self.transfer == _SRGB else "standard video", (DISPLAY,))


def look_of(frame: VideoFrame, stream: VideoStream) -> Look:
    """Return what a decoded picture, and its stream, say."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    ratio = float(aspect) if aspect else 1.0
    matrix = frame.colorspace
    if matrix == _UNSAID:
        matrix = BT709 if frame.height > _MOST_HD else BT601
    return Look(
        width=frame.width,
        height=frame.height,
        aspect=ratio if 0.01 < ratio < 100 else 1.0,
        orientation=_orientation(frame),
        layout=frame.format.name,
        has_alpha=any(component.is_alpha for component in frame.format.components),
        matrix=matrix,
        full_range=frame.color_range == _FULL or frame.format.name.startswith("yuvj"),
        primaries=frame.color_primaries,
        transfer=frame.color_trc,
    )


def _orientation(frame: VideoFrame) -> int:
    """Return how a picture is to be turned; one that is turned by other than a quarter stays as it is."""
    side_data: Any = frame.side_data  # unlike other mappings, it gives its values when it is walked
    for data in side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = (_sign(value) for value in struct.unpack("9i", bytes(data)))
            return _TAGS.get((a, b, c, d), _UPRIGHT)
    return _UPRIGHT


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _of_rec2020(transfer: int) -> Declared:
    if transfer == _LINEAR:
        return Declared("linear Rec.2020", ("Linear Rec.2020",))
    return Declared("Rec.2020 video", ("Rec.1886 Rec.2020 - Display",))


def _of_p3(transfer: int) -> Declared:
    if transfer == _LINEAR:
        return Declared("linear P3", ("Linear P3-D65",))
    return Declared("P3 video", ("srgb_p3d65", "Display P3 - Display"))
