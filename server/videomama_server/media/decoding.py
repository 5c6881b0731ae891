"""Decodes chosen channels of an open picture file into upright values; frames.py alone opens files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.media import limits, orientation
from videomama_server.media.channels import LUMINANCE_CHROMA, Channel, Header, Part
from videomama_server.media.declared_colour import Weights
from videomama_server.media.geometry import Geometry


def decode(header: Header, source: Any, chosen: Sequence[Channel]) -> FloatArray:
    """Return chosen channels of one part, (H, W, C) on its canvas, upright, zero outside the data window.

    Args:
        header: of the file.
        source: the open file, an `ImageInput` of OpenImageIO.
        chosen: what `channels` chose; Y, RY and BY become R, G and B.

    Raises:
        BadInput: not a flat picture, too large, too small, or damaged.
    """
    part = header.part_of(chosen)
    limits.check_chosen(header.path, part.geometry, part.obstacle)
    data = _values(header.path, source, chosen, part)
    if [channel.component for channel in chosen] == list(LUMINANCE_CHROMA):
        data = _from_luminance_chroma(data, part.weights)
    return _on_canvas(data, part.geometry)


def _values(path: Path, source: Any, chosen: Sequence[Channel], part: Part) -> FloatArray:
    """Return (H, W, C) on the data window, upright."""
    kinds = {channel.kind for channel in chosen}
    if path.suffix.lower() in (".exr", ".sxr") and "uint" in kinds:
        data = np.concatenate([_whole_numbers(path, source, channel, part) for channel in chosen], axis=2)
    else:
        data = _read_channels(path, source, chosen, part.geometry)
    turned = [part.min_is_white and _is_inverted(channel) for channel in chosen]
    if any(turned):
        data = np.where(turned, 1 - data, data)
    if part.orientation == orientation.UPRIGHT:
        return data
    if path.suffix.lower() == ".dpx" and orientation.is_transposed(part.orientation):
        data = data.reshape(data.shape[1], data.shape[0], data.shape[2])  # OpenImageIO (3.2) names the sides turned
    return orientation.upright(data, part.orientation)


def _is_inverted(channel: Channel) -> bool:
    """Whether a channel of a MinIsWhite file comes out inverted.

    OpenImageIO (3.2) turns round 8 bits and less alone, and then alpha too, which is none of it.
    """
    return (channel.component == "a") == (channel.kind == "uint8")


def _whole_numbers(path: Path, source: Any, channel: Channel, part: Part) -> FloatArray:
    """Return one channel (H, W, 1) by its own kind: whole numbers are values, not shares of the largest."""
    return _read_channels(path, source, [channel], part.geometry, "uint" if channel.kind == "uint" else "float")


def _read_channels(
    path: Path, source: Any, chosen: Sequence[Channel], geometry: Geometry, kind: str = "float"
) -> FloatArray:
    indices = [channel.index for channel in chosen]
    first, last = min(indices), max(indices) + 1
    limits.check_read(path, geometry, last - first)
    data = source.read_image(chosen[0].part, 0, first, last, kind)
    if data is None:
        raise limits.unreadable(path, source.geterror())
    if indices != list(range(first, last)):
        data = data[..., [index - first for index in indices]]
    return np.ascontiguousarray(data, np.float32)


def _from_luminance_chroma(data: FloatArray, weights: Weights) -> FloatArray:
    """Return R, G and B of Y, RY and BY (H, W, 3); source: OpenEXR, ImfRgbaYca.cpp, `YCAtoRGBA`."""
    luminance = data[..., 0]
    red, blue = (data[..., 1] + 1) * luminance, (data[..., 2] + 1) * luminance
    green = (luminance - red * np.float32(weights[0]) - blue * np.float32(weights[2])) / np.float32(weights[1])
    return np.ascontiguousarray(np.stack([red, green, blue], axis=2))


def _on_canvas(data: FloatArray, geometry: Geometry) -> FloatArray:
    canvas = geometry.canvas
    if canvas == geometry.data:
        return data
    full = np.zeros((canvas.h, canvas.w, data.shape[2]), np.float32)
    full[geometry.data.slices(canvas)] = data
    return full
