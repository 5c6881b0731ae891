"""Reads plates and masks and writes alphas; the only code that opens picture files.

The array contract of the whole server: float32, (H, W, C) or (H, W), C-contiguous, on the canvas of its
`Geometry`; 0..1 for masks and alphas, scene values for plates.
"""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray
from videomama_client.errors import BadInput, NotPermitted, OutOfMemory, placed

from videomama_server import limits
from videomama_server.channels import Channel, Header, full_name, mask_channel, plate_channels
from videomama_server.geometry import Geometry, Rect
from videomama_server.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FloatArray = NDArray[np.float32]

WRITABLE = {".exr": ("half", "float"), ".tif": ("half", "float", "uint16"), ".tiff": ("half", "float", "uint16")}
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
        BadInput: not a picture, truncated, or of a size no plate has (see `limits`).
        OutOfMemory: there is not enough for what it holds.
        NotPermitted: the file may not be read.
    """
    with placed(file=path), _opened(path) as source:
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
    """Open a file for reading; what its content makes the libraries raise becomes an error that names it."""
    limits.check_file(path)
    _limit_library()
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:missingcolor", "")
    try:
        source = oiio.ImageInput.open(str(path), hints)
        if source is None:
            raise limits.unreadable(path, oiio.geterror())
        with closing(source):
            yield source
    except UnicodeError as error:  # names of channels, or a library's words on them
        raise limits.unreadable(path, "its header holds text that is not UTF-8") from error
    except MemoryError as error:
        raise OutOfMemory(
            f"{path} does not fit in memory", "Crop the picture, or give the server more memory."
        ) from error


@cache
def _limit_library() -> None:
    """Have OpenImageIO refuse what `limits` refuses before it takes memory, and try no format but the file's own."""
    oiio.attribute("limits:imagesize_MB", limits.MAX_BYTES >> 20)
    oiio.attribute("limits:resolution", limits.MAX_SIDE)
    oiio.attribute("limits:channels", limits.MAX_CHANNELS)
    oiio.attribute("try_all_readers", 0)


def _header(path: Path, source: Any) -> Header:
    channels: list[Channel] = []
    geometries: list[Geometry] = []
    part = 0
    is_float = False
    while source.seek_subimage(part, 0):
        spec = source.spec()
        geometry = _geometry(spec)
        limits.check_part(path, part, geometry, _layout(spec))
        geometries.append(geometry)
        prefix = spec.getattribute("oiio:subimagename") or ""
        for index, name in enumerate(spec.channelnames):
            channels.append(Channel(part, index, full_name(prefix, name)))
        is_float = is_float or (part == 0 and str(spec.format) in ("half", "float", "double"))
        part += 1
    if not channels:
        raise limits.unreadable(path, source.geterror())
    return Header(path, tuple(channels), tuple(geometries), is_float)


def _geometry(spec: Any) -> Geometry:
    display = Rect(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    data = Rect(spec.x, spec.y, spec.width, spec.height)
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    return Geometry(
        display, data, aspect if 0.01 < aspect < 100 else 1.0
    )  # damaged otherwise: no file could be written


def _layout(spec: Any) -> limits.Layout:
    return limits.Layout(spec.nchannels, spec.pixel_bytes(True), spec.tile_width * spec.tile_height)


def _read(path: Path, choose: Callable[[Header], list[Channel]]) -> Picture:
    with placed(file=path), _opened(path) as source:
        header = _header(path, source)
        chosen = choose(header)
        geometry = header.geometries[chosen[0].part]
        data = _read_channels(path, source, chosen, geometry)
    return Picture(_on_canvas(data, geometry), geometry, header.is_float)


def _read_channels(path: Path, source: Any, chosen: list[Channel], geometry: Geometry) -> FloatArray:
    indices = [channel.index for channel in chosen]
    first, last = min(indices), max(indices) + 1
    limits.check_read(path, geometry, last - first)
    data = source.read_image(chosen[0].part, 0, first, last, "float")
    if data is None:
        raise limits.unreadable(path, source.geterror())
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
