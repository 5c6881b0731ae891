"""Reads masks that are not plain grey: masks of colours, and what a mask's values say about it; pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from videomama_client.settings import parse_colours

from videomama_server.arrays import FloatArray

MOST_COLOURS = 64  # of a mask of colours: tracking data sets number up to some dozens of objects
_SAMPLE = 4096  # pixels that are looked at before all are counted
_APART = 8  # of 255: how far the channels of a grey mask may be off from each other
_NEAR = 2  # of 255: how far a colour may be off and still be the one that was named
_HEADER_BYTES = 4096  # of a PNG, in which its palette stands, if it has one
_EDGE = 0.01  # of the shorter side: how wide the frame's edge is
_SURE = 0.02  # how far from 0 or 1 a value is still surely out or in


@dataclass(frozen=True)
class MaskLook:
    """What a mask's values say about it.

    Attributes:
        largest: value in the file, before it is clipped at 1.
        colours: that count as subject, as `#rrggbb`, where it is a mask of colours.
        is_picture: it has three different channels of many colours, of which one was taken.
        edge: share of the frame's edge that is subject, of that side where it is least.
        outside: share of the frame that is not subject.
        sure: share of the pixels that are surely in or out.
    """

    largest: float = 0.0
    colours: tuple[str, ...] = ()
    is_picture: bool = False
    edge: float = 0.0
    outside: float = 0.0
    sure: float = 1.0


NO_LOOK = MaskLook()


def look(values: FloatArray, clipped: FloatArray, colours: tuple[str, ...], is_picture: bool) -> MaskLook:
    """Return what a mask's values say about it.

    Args:
        values: (H, W) as they are in the file.
        clipped: (H, W) the same, finite and 0..1, on the display window.
        colours, is_picture: see `MaskLook`.
    """
    height, width = clipped.shape
    rim = max(1, round(_EDGE * min(height, width)))
    subject = clipped >= 0.5
    edges = (subject[:rim], subject[-rim:], subject[:, :rim], subject[:, -rim:])
    unsure = np.count_nonzero(clipped > _SURE) - np.count_nonzero(clipped >= 1 - _SURE)
    largest = values.max()
    if np.isnan(largest):
        largest = np.fmax.reduce(values, axis=None)  # of all NaN, NaN
    return MaskLook(
        largest=float(np.nan_to_num(largest)),
        colours=colours,
        is_picture=is_picture,
        edge=min(np.count_nonzero(edge) / edge.size for edge in edges),
        outside=1 - np.count_nonzero(subject) / subject.size,
        sure=float(1 - unsure / clipped.size),
    )


def subject_of_colours(rgb: FloatArray, wanted: str, has_palette: bool) -> tuple[FloatArray, tuple[str, ...]] | None:
    """Return a mask (H, W) of 0 and 1 from colours, and the colours that are subject.

    Args:
        rgb: (H, W, 3), 0..1.
        wanted: colours as `MatteSettings.mask_colour` names them; empty takes every colour but black.
        has_palette: the file's colours are those of a palette that is not grey; then its mask is one of colours.

    Returns:
        None where none are named and this is not a mask of colours.
    """
    if wanted:
        return _named(rgb, parse_colours(wanted))
    if not has_palette and not is_coloured(rgb):
        return None
    codes = _few(rgb)
    if codes is None:
        return None
    names = tuple(f"#{code:06x}" for code in codes if code)
    return (_codes(rgb) != 0).astype(np.float32), names


def is_coloured(rgb: FloatArray) -> bool:
    """Whether the channels differ anywhere, by more than lossy compression makes of grey."""
    red = rgb[..., 0]
    with np.errstate(invalid="ignore"):  # infinity less infinity
        apart = [np.fmax.reduce(np.abs(rgb[..., other] - red), axis=None, initial=0.0) for other in (1, 2)]
    return bool(max(apart) > _APART / 255)


def has_coloured_palette(path: Path) -> bool:
    """Whether a file is a PNG whose palette has colours other than grey."""
    if path.suffix.lower() != ".png":
        return False
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    place = start.find(b"PLTE")
    if len(start) < 26 or start[25] != 3 or place < 4:
        return False
    length = int.from_bytes(start[place - 4 : place], "big")
    palette = np.frombuffer(start[place + 4 : place + 4 + length], np.uint8)
    if palette.size != length or length % 3:
        return False
    entries = palette.reshape(-1, 3)
    return bool((entries != entries[:, :1]).any())


def _named(rgb: FloatArray, colours: tuple[tuple[int, int, int], ...]) -> tuple[FloatArray, tuple[str, ...]]:
    levels = np.clip(np.nan_to_num(rgb), 0.0, 1.0) * np.float32(255)
    subject = np.zeros(rgb.shape[:2], bool)
    for colour in colours:
        subject |= (np.abs(levels - np.array(colour, np.float32)) <= _NEAR).all(axis=2)
    return subject.astype(np.float32), tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours)


def _few(rgb: FloatArray) -> list[int] | None:
    """Return the colours in order, as 0xrrggbb, or None when they are many."""
    pixels = rgb.reshape(-1, 3)
    sample = pixels[:: max(1, len(pixels) // _SAMPLE)]
    if len(np.unique(_codes(sample))) > MOST_COLOURS:
        return None
    found = np.unique(_codes(rgb))
    return [int(code) for code in found] if len(found) <= MOST_COLOURS else None


def _codes(rgb: FloatArray) -> NDArray[np.int32]:
    levels = np.rint(np.clip(np.nan_to_num(rgb), 0.0, 1.0) * np.float32(255)).astype(np.int32)
    codes: NDArray[np.int32] = levels[..., 0] << 16 | levels[..., 1] << 8 | levels[..., 2]
    return codes
