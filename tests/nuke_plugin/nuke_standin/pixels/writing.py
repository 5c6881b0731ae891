"""Pictures into files: channels, data window, half rounding and the atomic rename of Nuke's Write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from nuke_standin.pixels import names, transfer
from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.channel_sets import ALPHA, RGB, select
from nuke_standin.pixels.picture import Picture, PictureError, Plane

COMPRESSIONS = {
    "none": "none",
    "Zip (1 scanline)": "zips",
    "Zip (16 scanlines)": "zip",
    "PIZ Wavelet (32 scanlines)": "piz",
    "RLE": "rle",
    "B44": "b44",
    "B44A": "b44a",
    "DWAA": "dwaa",
    "DWAB": "dwab",
}
FLOAT_TYPES = {"16 bit half": np.float16, "32 bit float": np.float32}
INTEGER_TYPES = {"8 bit": np.uint8, "16 bit": np.uint16}


def write(picture: Picture, order: dict[str, Any]) -> None:
    """Write what a Write node asks for. `order` carries its knobs, already evaluated; see `evaluate.write_order`."""
    channels = select(order["channels"], picture.channels)
    if not channels:
        raise PictureError(f"{order['node']}: No channels selected (or available) for write")
    path = _place(order)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if order["file_type"] == "exr":
            _exr(picture, channels, order, temporary)
        else:
            _integer(picture, channels, order, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _place(order: dict[str, Any]) -> Path:
    text = order["path"]
    if not text:
        raise PictureError(f"{order['node']}: No file specified")
    if "\\" in text:
        raise PictureError(f"{order['node']}: {text}: backslashes are not allowed in file names, use forward slashes")
    path = Path(text)
    if order["create_directories"]:
        path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.is_dir():
        raise PictureError(f'{order["node"]}: Can\'t open "{text}" for writing: No such file or directory')
    return path


def _exr(picture: Picture, channels: tuple[str, ...], order: dict[str, Any], path: Path) -> None:
    box = picture.box
    if picture.padded and box.width > 2 and box.height > 2:
        box = box.grown(-1)
    dtype = _known(FLOAT_TYPES, order, "datatype")
    compression = _known(COMPRESSIONS, order, "compression")
    pixels = _stored(picture, channels, box, order)
    spec = oiio.ImageSpec(box.width, box.height, len(channels), "half" if dtype is np.float16 else "float")
    spec.x, spec.y = box.x, picture.format.height - box.t
    spec.full_x = spec.full_y = 0
    spec.full_width, spec.full_height = picture.format.width, picture.format.height
    spec.channelnames = [names.written(name, order["write_full_layer_names"]) for name in channels]
    if compression.startswith("dwa"):
        compression += f":{order['dw_compression_level']:g}"
    spec.attribute("compression", compression)
    spec.attribute("PixelAspectRatio", picture.format.aspect)
    with np.errstate(over="ignore"):
        # Beyond half's range the double writes inf. Whether Nuke does, or clamps to 65504, nobody has verified.
        _save(order, spec, pixels.astype(dtype), path, "a.exr")


def _integer(picture: Picture, channels: tuple[str, ...], order: dict[str, Any], path: Path) -> None:
    """PNG and TIFF: the format's pixels and nothing outside, 0..1 clamped; without alpha or with it."""
    dtype = _known(INTEGER_TYPES, order, "datatype")
    kept = [name for name in (*RGB, ALPHA) if name in channels]
    if kept[:3] != list(RGB):
        raise PictureError(f"{order['node']}: the stand-in writes {order['file_type']} with red, green and blue only")
    pixels = np.clip(np.nan_to_num(_stored(picture, tuple(kept), picture.format.box, order)), 0, 1)
    top = np.iinfo(dtype).max
    spec = oiio.ImageSpec(picture.format.width, picture.format.height, len(kept), np.dtype(dtype).name)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    _save(order, spec, np.round(pixels * top).astype(dtype), path, "a." + order["file_type"])


def _stored(picture: Picture, channels: tuple[str, ...], box: Box, order: dict[str, Any]) -> np.ndarray:
    """(height, width, channels) with the top row first, through the transfer curve unless raw."""
    is_float = order["file_type"] == "exr"
    name = "linear" if order["raw"] else transfer.curve(order["node"], order["colorspace"], is_float)
    alpha = picture.plane(ALPHA, box) if order["premultiplied"] and ALPHA in picture.channels else None
    planes = [_encoded(picture.plane(c, box), alpha, name if c in RGB else "linear") for c in channels]
    return np.stack(planes, axis=-1)[::-1]


def _encoded(plane: Plane, alpha: Plane | None, name: str) -> Plane:
    if name == "linear":
        return plane
    if alpha is None:
        return transfer.encode(plane, name)
    safe = np.where(alpha > 0, alpha, 1)
    return transfer.encode(plane / safe, name) * safe


def _known(table: dict[str, Any], order: dict[str, Any], knob: str) -> Any:
    if order[knob] not in table:
        raise PictureError(f"{order['node']}: {knob} {order[knob]!r} is not one of {', '.join(table)}")
    return table[order[knob]]


def _save(order: dict[str, Any], spec: Any, pixels: np.ndarray, path: Path, kind: str) -> None:
    output = oiio.ImageOutput.create(kind)
    if output is None:
        raise PictureError(f"{order['node']}: no writer for file type {order['file_type']!r}")
    if not output.open(str(path), spec):
        raise PictureError(f'{order["node"]}: Can\'t open "{order["path"]}" for writing: {output.geterror()}')
    written = output.write_image(np.ascontiguousarray(pixels))
    text = output.geterror()
    if not (output.close() and written):
        raise PictureError(f"{order['node']}: EXR: Write failed [{text}]")
