"""Hole masks for a program that removes a subject: alphas made binary, closed and grown, one file a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, placed
from videomama_client.wording import counted

from videomama_server import at_once
from videomama_server.arrays import FloatArray
from videomama_server.media import frames, sequences
from videomama_server.pipeline.morphology import shaped

ROLE = "hole mask"
_DTYPES = {".png": "uint8", ".tif": "uint16", ".tiff": "uint16", ".exr": "half", ".dpx": "uint16"}
_AT_ONCE = 4  # frames


@dataclass(frozen=True)
class HoleMasks:
    """Where hole masks go and how they are made.

    Attributes:
        out: pattern of the files to write, absolute.
        threshold: alpha from which a pixel belongs to the hole, 0..1.
        close: gaps up to this wide are closed, in pixels of a plate 1920 wide.
        grow: how far the hole then reaches beyond them, in the same unit.
    """

    out: str
    threshold: float = 0.02
    close: float = 8.0
    grow: float = 8.0

    def check(self, wanted: Sequence[int]) -> None:
        """Raise what would keep the masks from being written, before any work; the folder is made.

        Args:
            wanted: their frames.

        Raises:
            BadInput: a format that cannot be written, or one file for several frames.
            NotPermitted: the folder cannot be made.
        """
        pattern, count = sequences.parse(self.out), len(wanted)
        frames.check_writable(pattern.path(1), self._dtype)
        if count > 1 and pattern.single:
            reason = f"{self.out} is a single file, and {counted(count, 'frame')} are wanted"
            raise BadInput(reason, "Write it as hole.####.png.")
        try:
            pattern.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error) from error

    def write(self, alphas: Mapping[int, Path], channel: str, done: Callable[[int], None]) -> None:
        """Write a mask for each alpha: 1 in the hole, 0 elsewhere; older ones are replaced.

        Args:
            alphas: files by frame.
            channel: that holds the alpha; empty for the usual one.
            done: called with each frame's number when it is written, in this thread, in any order.

        Raises:
            BadInput: an alpha is not there or cannot be read.
            NotPermitted: a mask cannot be written, or the disk is full.
        """
        at_once.each(alphas, lambda frame, path: self._write(frame, path, channel), done, _AT_ONCE)

    @property
    def _dtype(self) -> str:
        return _DTYPES.get(sequences.parse(self.out).suffix.lower(), "uint8")

    def _write(self, frame: int, path: Path, channel: str) -> None:
        with placed("alpha", frame, path):
            alpha = frames.read_mask(path, channel)
        geometry = alpha.geometry
        mask = hole(alpha.pixels[..., 0], self, max(geometry.display.w, geometry.display.h))
        target = sequences.parse(self.out).path(frame)
        with placed(ROLE, frame, target):
            try:
                frames.write_picture(target, mask, ("A",), dtype=self._dtype, geometry=geometry)
            except OSError as error:
                raise disk_error(error) from error


def hole(alpha: FloatArray, how: HoleMasks, long_side: int) -> FloatArray:
    """Return where a subject is to be removed: 1 there, 0 elsewhere.

    Args:
        alpha: (H, W) float32, 0..1.
        how: it is made.
        long_side: of the plate, in pixels.

    Example:
        >>> hole(np.eye(3, dtype=np.float32), HoleMasks("hole.####.png", grow=0), 3).sum()
        np.float32(3.0)
    """
    binary = (alpha >= how.threshold).astype(np.float32)
    return shaped(binary, how.close, how.grow, long_side)
