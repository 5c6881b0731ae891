"""Reads plates and masks and writes alphas; the only code that opens picture files.

The array contract of the whole server: float32, (H, W, C) or (H, W), C-contiguous, on the canvas of its
`Geometry`; 0..1 for masks and alphas, scene values for plates.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError

from videomama_server.channels import Channel, Header, full_name, mask_channel, plate_channels
from videomama_server.geometry import Geometry, Rect
from videomama_server.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FloatArray = NDArray[np.float32]

MAX_PIXELS = 1 << 28
MIN_SIDE = 16
WRITABLE = {".exr": ("half", "float"), ".tif": ("half", "float", "uint16"), ".tiff": ("half", "float", "uint16")}
# Bytes of a file by its ending, at most: more is no frame, and a reader of JPEG would look through all of it.
READABLE = dict.fromkeys((".exr", ".dpx", ".tif", ".tiff", ".png"), 1 << 35) | {".jpg": 1 << 30, ".jpeg": 1 << 30}
WRITABLE |= {".png": ("uint8", "uint16"), ".dpx": ("uint16",)}


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, C) float32 on `geometry.canvas`, zero outside the data window."""

    pixels: FloatArray
    geometry: Geometry
    is_float: bool = True


def probe(path: Path) -> Header:
    """Read the header of `path`.

    Raises:
        BadInput: not a picture, truncated, or of a size no plate has.
    """
    with _opened(path) as source:
        return _header(path, source)


def read_plate(path: Path, layer: str = "") -> Picture:
    """Read R, G and B of `layer` (a single channel is repeated); see `probe` for errors."""
    return _read(path, lambda header: plate_channels(header, layer))


def read_mask(path: Path, channel: str = "") -> Picture:
    """Read one channel, C = 1; see `probe` for errors."""
    return _read(path, lambda header: [mask_channel(header, channel)])


def conform(mask: Picture, plate: Geometry) -> FloatArray:
    """Return a mask (H, W) on the plate's canvas, resampled when its display window has another size."""
    own, wanted = mask.geometry.display, plate.display
    canvas = plate.canvas
    if (own.w, own.h) == (wanted.w, wanted.h):
        pixels: FloatArray = mask.pixels[..., 0]
        covers = mask.geometry.canvas
        covers = Rect(covers.x - own.x + wanted.x, covers.y - own.y + wanted.y, covers.w, covers.h)
    else:
        shown = np.ascontiguousarray(mask.pixels[own.slices(mask.geometry.canvas)][..., 0])
        shrinks = wanted.w < own.w
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(shown, (wanted.w, wanted.h), interpolation=method), np.float32)
        covers = wanted
    if covers == canvas:
        return pixels
    fitted = np.zeros((canvas.h, canvas.w), np.float32)
    shared = covers.intersect(canvas)
    fitted[shared.slices(canvas)] = pixels[shared.slices(covers)]
    return fitted


def write_picture(
    path: Path,
    pixels: NDArray[Any],
    channels: Sequence[str] = ("R", "G", "B"),
    dtype: str = "half",
    geometry: Geometry | None = None,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write a picture under its final name only when it is whole.

    Args:
        path: .exr, .tif, .png or .dpx; an existing file is replaced.
        pixels: (H, W) or (H, W, C) on the canvas of `geometry`; floats in 0..1 for integer formats.
        channels: one name per channel.
        dtype: `half`, `float`, `uint8` or `uint16`, as the format allows.
        geometry: windows to record; by default the array is the full frame. The canvas becomes the data window.
        attributes: strings for the header.

    Raises:
        BadInput: a format or dtype that cannot be written.
        NotPermitted: the folder cannot be written.
        OSError: the disk is full or failing; nothing is left behind.
    """
    check_writable(path, dtype)
    image = np.ascontiguousarray(pixels).reshape(pixels.shape[0], pixels.shape[1], -1)
    spec = _spec(path, image, channels, dtype, geometry)
    for key, value in (attributes or {}).items():
        spec.attribute(key, value)
    with replacing(path) as temporary:
        _make(temporary)
        _write(temporary, spec, image)


def check_writable(path: Path, dtype: str) -> None:
    """Raise `BadInput` unless the format of `path` can hold `dtype`."""
    allowed = WRITABLE.get(path.suffix.lower())
    if allowed is None:
        raise BadInput(
            f"cannot write {path.suffix or 'a file without an ending'}: {path}", f"Use {', '.join(sorted(WRITABLE))}."
        )
    if dtype not in allowed:
        raise BadInput(f"{path.suffix} cannot hold {dtype}", f"It holds {' or '.join(allowed)}.")


def use_threads(count: int) -> None:
    """Set how many threads one picture may be decoded or encoded with."""
    oiio.attribute("threads", count)
    oiio.attribute("exr_threads", count)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():  # a pipe would be waited for without end
        raise _unreadable(path, "not a file" if path.exists() else "no such file")
    _check_file(path)
    oiio.attribute("try_all_readers", 0)  # those of other formats look through all of a file, for ever in a large one
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:missingcolor", "")
    source = oiio.ImageInput.open(str(path), hints)
    if source is None:
        raise _unreadable(path, oiio.geterror())
    try:
        yield source
    finally:
        source.close()


def _check_file(path: Path) -> None:
    """Raise `BadInput` for a file that no picture is in, before a library sees it."""
    largest = READABLE.get(path.suffix.lower())
    if largest is None:
        raise BadInput(f"cannot read {path}: no plate or mask ends so", f"Use {', '.join(READABLE)}.")
    size = path.stat().st_size
    if size > largest:
        raise BadInput(f"{path} has {size} bytes, more than the {largest} that are read", "Render the file again.")


def _unreadable(path: Path, reason: str) -> VideoMaMaError:
    reason = " ".join(reason.split()) or "not a picture file"
    if path.exists() and not os.access(path, os.R_OK):
        return NotPermitted(f"{path} may not be read", "Check the file's permissions.")
    return BadInput(f"cannot read {path}: {reason}", "Render or copy the file again.")


def _header(path: Path, source: Any) -> Header:
    channels: list[Channel] = []
    geometries: list[Geometry] = []
    part = 0
    is_float = False
    while source.seek_subimage(part, 0):
        spec = source.spec()
        geometry = _geometry(spec)
        _check_size(path, geometry)
        geometries.append(geometry)
        prefix = spec.getattribute("oiio:subimagename") or ""
        for index, name in enumerate(spec.channelnames):
            channels.append(Channel(part, index, full_name(prefix, name)))
        is_float = is_float or (part == 0 and str(spec.format) in ("half", "float", "double"))
        part += 1
    if not channels:
        raise _unreadable(path, source.geterror())
    return Header(path, tuple(channels), tuple(geometries), is_float)


def _geometry(spec: Any) -> Geometry:
    display = Rect(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    data = Rect(spec.x, spec.y, spec.width, spec.height)
    return Geometry(display, data, float(spec.get_float_attribute("PixelAspectRatio", 1.0)))


def _check_size(path: Path, geometry: Geometry) -> None:
    canvas = geometry.canvas
    if canvas.w * canvas.h > MAX_PIXELS:
        raise BadInput(
            f"{path} says it is {canvas.w}x{canvas.h} pixels, more than the {MAX_PIXELS} that are read",
            "The header is damaged, or the picture needs cropping first.",
        )
    if min(geometry.display.w, geometry.display.h) < MIN_SIDE:
        raise BadInput(
            f"{path} is {geometry.display.w}x{geometry.display.h} pixels, too small to matte",
            f"Both sides must be at least {MIN_SIDE} pixels.",
        )


def _read(path: Path, choose: Callable[[Header], list[Channel]]) -> Picture:
    with _opened(path) as source:
        header = _header(path, source)
        chosen = choose(header)
        geometry = header.geometries[chosen[0].part]
        data = _read_channels(path, source, chosen)
    return Picture(_on_canvas(data, geometry), geometry, header.is_float)


def _read_channels(path: Path, source: Any, chosen: list[Channel]) -> FloatArray:
    indices = [channel.index for channel in chosen]
    first, last = min(indices), max(indices) + 1
    data = source.read_image(chosen[0].part, 0, first, last, "float")
    if data is None:
        raise _unreadable(path, source.geterror())
    if indices == list(range(first, last)):
        return np.ascontiguousarray(data)
    return np.ascontiguousarray(data[..., [index - first for index in indices]])


def _on_canvas(data: FloatArray, geometry: Geometry) -> FloatArray:
    canvas = geometry.canvas
    if canvas == geometry.data:
        return data
    full = np.zeros((canvas.h, canvas.w, data.shape[2]), np.float32)
    full[geometry.data.slices(canvas)] = data
    return full


def _spec(path: Path, image: NDArray[Any], channels: Sequence[str], dtype: str, geometry: Geometry | None) -> Any:
    height, width, count = image.shape
    if count != len(channels):
        raise ValueError(f"{count} channels of pixels, {len(channels)} names")
    spec = oiio.ImageSpec(width, height, count, dtype)
    spec.channelnames = tuple(channels)
    if geometry is not None:
        canvas, display = geometry.canvas, geometry.display
        spec.x, spec.y = canvas.x, canvas.y
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display.x, display.y, display.w, display.h
        if not math.isclose(geometry.pixel_aspect, 1.0):
            spec.attribute("PixelAspectRatio", geometry.pixel_aspect)
    if path.suffix.lower() == ".exr":
        spec.attribute("compression", "zips")
    return spec


def _make(path: Path) -> None:
    """Make an empty file with the mode that any new file of this user has; says so where that cannot be."""
    try:
        path.touch(exist_ok=False)
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        reason = f"cannot write in {path.parent}: {error.strerror}"
        raise NotPermitted(reason, "Choose a folder you may write.") from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise NotPermitted(f"{path.parent} is read-only", "Choose a folder you may write.") from error
        raise


def _write(path: Path, spec: Any, image: NDArray[Any]) -> None:
    output = oiio.ImageOutput.create(str(path))
    if output is None:
        raise BadInput(f"cannot write {path.suffix}", oiio.geterror())
    try:
        written = output.open(str(path), spec) and output.write_image(image)
    finally:
        closed = output.close()
    if written and closed and _reads_back(path):
        return
    reason = " ".join((output.geterror() or oiio.geterror() or "file came out incomplete").split())[:200]
    full = shutil.disk_usage(path.parent).free < image.nbytes
    raise OSError(errno.ENOSPC if full else errno.EIO, f"{'disk full' if full else 'writing failed'}: {reason}")


def _reads_back(path: Path) -> bool:
    """Whether the file is whole: on a full disk, OIIO's writers (3.2) may lose the end of it without a word.

    The last row of an EXR file lies at its very end, and what lies before it was reported when it was lost.
    """
    source = oiio.ImageInput.open(str(path))
    if source is None:
        return False
    spec = source.spec()
    first = spec.y + spec.height - 1 if path.suffix.lower() == ".exr" else spec.y
    try:
        return source.read_scanlines(0, 0, first, spec.y + spec.height, 0, 0, spec.nchannels, "uint8") is not None
    finally:
        source.close()
