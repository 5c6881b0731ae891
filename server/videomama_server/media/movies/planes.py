"""Turns decoded pictures into float values, with no step of 8 bits: R, G, B and perhaps A, 0..1 for black to white.

Chroma that is stored at less than full size is enlarged by FFmpeg's scaler (bicubic, to 16 bits). The matrix to R, G
and B is ours, in float, so that what lies above white or below black is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.media.movies.look import Look

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_WEIGHTS = {  # of red and of blue in luma, by the number of the matrix; source: ITU-T H.273, table 4
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_YCGCO = 8
_LIMITED = 1  # color_range
_PACKED = {8: "rgba", 16: "rgba64le"}
_PLANAR = {  # layouts whose planes hold several channels, and one of the same values that has a plane for each
    "nv12": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "y210le": "yuv422p10le",
    "ya8": "yuva444p",
    "pal8": "rgba",
}


class NotReadable(Exception):
    """Values are stored in a way that is not read; the text says which."""


def values(frame: VideoFrame, look: Look) -> FloatArray:
    """Return a picture as stored, (H, W, 3) or with alpha (H, W, 4), float32.

    Args:
        frame: decoded.
        look: what holds for all pictures of its movie.

    Raises:
        NotReadable: how its values are stored is not known.
    """
    layout = frame.format
    if layout.is_rgb or layout.name == "pal8" or layout.has_palette:
        return _rgb(frame)
    name = _little(_PLANAR.get(layout.name, layout.name))
    if name != layout.name:
        frame = _converted(frame, name)
    kinds = frame.format.components
    if len({component.plane for component in kinds}) != len(kinds) or "f32" in name or "f16" in name:
        raise NotReadable(layout.name)
    if len(kinds) == 1:
        return np.repeat(_channel(frame, 0)[..., None], 3, axis=2)
    return _from_luma(frame, look)


def _rgb(frame: VideoFrame) -> FloatArray:
    """Return R, G, B and perhaps A of a picture that stores them."""
    layout = frame.format
    bits = max(component.bits for component in layout.components)
    alpha = any(component.is_alpha for component in layout.components)
    if "f32" in layout.name or "f16" in layout.name:
        raise NotReadable(layout.name)
    if layout.is_planar and not layout.has_palette:
        frame = _converted(frame, _little(layout.name))
        return np.stack([_channel(frame, index) for index in range(4 if alpha else 3)], axis=2)
    packed = _converted(frame, _PACKED[8 if bits <= 8 else 16])
    pixels = _rows(packed, 0, bits)[:, : 4 * packed.width].reshape(packed.height, packed.width, 4)
    return np.ascontiguousarray(pixels[..., : 4 if alpha else 3], np.float32) / np.float32(255 if bits <= 8 else 65535)


def _from_luma(frame: VideoFrame, look: Look) -> FloatArray:
    kinds = frame.format.components
    bits = kinds[0].bits
    luma = _levels(frame, 0)
    if (kinds[1].width, kinds[1].height) == (frame.width, frame.height):
        blue, red, step = _levels(frame, 1), _levels(frame, 2), 1.0
    else:
        wide = _converted(frame, "yuva444p16le" if len(kinds) == 4 else "yuv444p16le")
        blue, red, step = _levels(wide, 1), _levels(wide, 2), float(1 << (16 - bits))
    scale = float(1 << (bits - 8))
    black, white, swing = (0.0, (1 << bits) - 1.0, (1 << bits) - 1.0)
    if not look.full_range:
        black, white, swing = 16 * scale, 235 * scale, 224 * scale
    middle = float(1 << (bits - 1))
    stacked = np.stack(
        [(luma - black) / (white - black), (blue / step - middle) / swing, (red / step - middle) / swing], axis=2
    )
    rgb = np.asarray(cv2.transform(stacked.astype(np.float32, copy=False), matrix(look.matrix)), np.float32)
    if len(kinds) < 4:
        return rgb
    return np.concatenate([rgb, _channel(frame, 3)[..., None]], axis=2)


def matrix(number: int) -> FloatArray:
    """Return what makes R, G and B (rows) of luma, blue and red difference (columns), (3, 3) float32.

    Args:
        number: of the matrix in ITU-T H.273.

    Raises:
        NotReadable: no matrix that is known.
    """
    if number == _YCGCO:  # the differences are those of green and of orange
        return np.array([[1, -1, 1], [1, 1, 0], [1, -1, -1]], np.float32)
    if number not in _WEIGHTS:
        raise NotReadable(f"colour matrix {number} of H.273")
    red, blue = _WEIGHTS[number]
    green = 1 - red - blue
    return np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ],
        np.float32,
    )


def _channel(frame: VideoFrame, index: int) -> FloatArray:
    """Return a channel (H, W) whose whole numbers use their full range, as 0..1."""
    return _levels(frame, index) / np.float32((1 << frame.format.components[index].bits) - 1)


def _levels(frame: VideoFrame, index: int) -> FloatArray:
    """Return the whole numbers of a channel (H, W) as float32."""
    component = frame.format.components[index]
    rows = _rows(frame, component.plane, component.bits)
    return np.ascontiguousarray(rows[: component.height, : component.width], np.float32)


def _rows(frame: VideoFrame, number: int, bits: int) -> NDArray[Any]:
    """Return the rows of a plane, whole numbers, with what fills them up."""
    plane = frame.planes[number]
    dtype = np.dtype("<u2") if bits > 8 else np.dtype("u1")
    return np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // dtype.itemsize)


def _little(name: str) -> str:
    return f"{name[:-2]}le" if name.endswith("be") else name


def _converted(frame: VideoFrame, name: str) -> VideoFrame:
    """Return a picture in another layout; its range and its matrix stay as they are."""
    from av.video.reformatter import Interpolation, VideoReformatter

    if frame.format.name == name:
        return frame
    how: Any = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    held = frame.color_range or _LIMITED  # where none is said, the scaler would take source and result for different
    scaler = VideoReformatter()  # the frame's own must not be used by two threads at a time
    return scaler.reformat(frame, None, None, name, None, None, how, held, held, threads=1)
