"""Writes movies of frames: ProRes 4444 with or without alpha, and H.264 to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from videomama_client.errors import BadInput
from videomama_client.whole_files import replacing

from videomama_server.arrays import FloatArray
from videomama_server.files.access import name_for_libraries
from videomama_server.media.movies import library, planes, timecode
from videomama_server.media.movies.look import BT709, Look

FOR_ALPHA = (".mov",)
TO_LOOK_AT = (".mov", ".mp4")
_PRORES = {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}
_H264 = {"crf": "18", "preset": "medium", "movflags": "faststart"}
_LIMITED = 1  # color_range
_LOWEST, _HIGHEST = 4, 1019  # of 10 bits: the others are for synchronisation
_VIDEO = Look(0, 0, matrix=BT709, primaries=1, transfer=1)


@dataclass(frozen=True)
class MovieStyle:
    """How a movie is coded.

    Attributes:
        rate: frames a second.
        first: number of the first frame, which becomes the timecode where it is not negative.
        aspect: of a pixel.
        lossy: H.264 to look at, instead of ProRes 4444.
        look: whose matrix, primaries and curve the pictures have.
    """

    rate: Fraction
    first: int = 0
    aspect: float = 1.0
    lossy: bool = False
    look: Look = _VIDEO


class MovieWriter:
    """A movie that is being written; all pictures have the size and the channels of the first."""

    def __init__(self, path: Path, container: Any, style: MovieStyle) -> None:
        self._path = path
        self._container = container
        self._style = style
        self._stream: Any = None

    def write(self, picture: FloatArray) -> None:
        """Write the next picture.

        Args:
            picture: (H, W, 3) R, G and B or (H, W, 4) with a straight alpha, 0..1, as shown.
        """
        if self._style.lossy:
            picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]  # chroma is of half the size
        if self._stream is None:
            self._stream = self._begun(picture)
        frame = _frame(picture, self._style.look)
        if self._style.lossy:
            frame = _small(frame)
        self._container.mux(self._stream.encode(frame))

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))

    def _begun(self, picture: FloatArray) -> Any:
        style, alpha = self._style, picture.shape[2] == 4
        codec, options = ("libx264", _H264) if style.lossy else ("prores_ks", _PRORES)
        stream = self._container.add_stream(codec, rate=style.rate, options=dict(options))
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p" if style.lossy else "yuva444p10le" if alpha else "yuv444p10le"
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(style.aspect).limit_denominator(1000)
        context.color_range, context.colorspace = _LIMITED, style.look.matrix
        context.color_primaries, context.color_trc = style.look.primaries, style.look.transfer
        if style.first >= 0:
            stream.metadata["timecode"] = timecode.from_frame(style.first, style.rate)
        return stream


@contextmanager
def writing(path: Path, style: MovieStyle) -> Iterator[MovieWriter]:
    """Write a movie that appears under its name only when it is whole.

    Args:
        path: of the movie; an existing file is replaced.
        style: how it is coded.

    Raises:
        BadInput: PyAV is not installed, or an ending that is not written.
        OSError: the disk is full or failing; nothing is left behind.
    """
    check(path, style.lossy)
    av = library.library(path)
    form = "mp4" if path.suffix.lower() == ".mp4" else "mov"
    with replacing(path, durable=True) as temporary, av.open(str(temporary), "w", format=form) as container:
        writer = MovieWriter(path, container, style)
        yield writer
        writer.end()


def check(path: Path, lossy: bool) -> None:
    """Raise `BadInput` before any work for a movie that could not be written."""
    endings = TO_LOOK_AT if lossy else FOR_ALPHA
    if path.suffix.lower() not in endings:
        what = "a preview movie" if lossy else "an alpha movie"
        raise BadInput(f"cannot write {what} to {path}", f"Use {' or '.join(endings)}.")
    name_for_libraries(path)
    library.library(path)


def _frame(picture: FloatArray, look: Look) -> Any:
    """Return a picture as luma, chroma and perhaps alpha of 10 bits."""
    from av.video.frame import VideoFrame

    height, width, channels = picture.shape
    components = picture[..., :3].astype(np.float32) @ np.linalg.inv(planes.matrix(look.matrix)).T.astype(np.float32)
    levels = [64 + 876 * components[..., 0], 512 + 896 * components[..., 1], 512 + 896 * components[..., 2]]
    levels = [np.clip(np.rint(level), _LOWEST, _HIGHEST) for level in levels]
    if channels == 4:
        levels.append(np.rint(np.clip(picture[..., 3], 0, 1) * 1023))
    frame = VideoFrame(width, height, "yuva444p10le" if channels == 4 else "yuv444p10le")
    for plane, level in zip(frame.planes, levels, strict=True):
        rows = np.zeros((height, plane.line_size // 2), np.uint16)
        rows[:, :width] = level
        plane.update(rows.tobytes())
    frame.color_range, frame.colorspace = _LIMITED, look.matrix  # ProRes says them with each picture
    frame.color_primaries, frame.color_trc = look.primaries, look.transfer
    return frame


def _small(frame: Any) -> Any:
    from av.video.reformatter import Interpolation, VideoReformatter

    return VideoReformatter().reformat(
        frame, format="yuv420p", interpolation=Interpolation.BICUBIC, src_color_range=_LIMITED, dst_color_range=_LIMITED
    )
