"""Encodes what the page shows of a frame, and says what numbers stand in its files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
from videomama_client.errors import VideoMaMaError

from videomama_server.arrays import ByteArray
from videomama_server.media.contact_sheet import as_bytes
from videomama_server.media.geometry import Rect
from videomama_server.web.clip_files import ALPHA, FOREGROUND, MASK, OTHER, PLATE, Clip, ClipFiles, Portion
from videomama_server.web.views import FrameLayers, Wanted, view_called

_QUALITY = 92  # of JPEG, percent
_QUICK = 1  # of PNG: little effort, larger files


@dataclass(frozen=True)
class Encoded:
    """A picture as a browser takes it."""

    content: bytes
    media_type: str


class Pictures:
    """Draws frames of clips, for several threads at once.

    Args:
        files: where pixels come from.
    """

    def __init__(self, files: ClipFiles) -> None:
        self.files = files

    def draw(self, clip: Clip, wanted: Wanted) -> ByteArray:
        """Return the picture (h, w, 3), 8-bit sRGB.

        Raises:
            BadInput: a file that the view needs is missing or cannot be read, or there is no such view.
            NotPermitted, OutOfMemory: as `frames.read_plate`.
        """
        drawn = view_called(wanted.view).draw(FrameLayers(self.files, clip, wanted))
        if wanted.gamma != 1:
            drawn = np.power(np.clip(drawn, 0, 1), np.float32(1 / wanted.gamma))
        return as_bytes(drawn)

    def encoded(self, clip: Clip, wanted: Wanted) -> Encoded:
        """Return the same as a file: PNG for masks, alphas and full pixels, which are exact, else JPEG."""
        picture = self.draw(clip, wanted)
        return encode(picture, exact=view_called(wanted.view).exact or not wanted.portion.longest)

    def values(self, clip: Clip, frame: int, at: tuple[int, int]) -> dict[str, list[float]]:
        """Return the numbers of one pixel in each file that there is of a frame, by role, as the files hold them.

        Args:
            clip: the files.
            frame: its number.
            at: column and row, from the upper left of the frame.

        Raises:
            BadInput: no file of this frame can be read, or it has no such pixel.
        """
        region = Rect(at[0], at[1], 1, 1)
        found: dict[str, list[float]] = {}
        for role in (PLATE, MASK, ALPHA, FOREGROUND, OTHER):
            if getattr(clip, role):
                self._add(found, role, clip, frame, region)
        return found

    def _add(self, found: dict[str, list[float]], role: str, clip: Clip, frame: int, region: Rect) -> None:
        """Add the numbers of one role, unless its file is missing or broken: the picture says so."""
        with suppress(VideoMaMaError):
            pixels = self.files.layer(clip, role, frame, Portion(region=region)).pixels
            found[role] = [float(value) for value in pixels.ravel()]


def encode(picture: ByteArray, exact: bool) -> Encoded:
    """Return a picture (h, w, 3), 8-bit sRGB, as a PNG where it must be exact, else as a JPEG without coarse colour."""
    turned = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    if exact:
        kept = np.ascontiguousarray(turned[..., 0]) if _is_grey(picture) else turned
        _, content = cv2.imencode(".png", kept, [cv2.IMWRITE_PNG_COMPRESSION, _QUICK])
        return Encoded(content.tobytes(), "image/png")
    how = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, content = cv2.imencode(".jpg", turned, how)
    return Encoded(content.tobytes(), "image/jpeg")


def _is_grey(picture: ByteArray) -> bool:
    return bool((picture[..., 0] == picture[..., 1]).all() and (picture[..., 0] == picture[..., 2]).all())
