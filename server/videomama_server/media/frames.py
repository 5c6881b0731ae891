"""Reads plates and masks and writes alphas; the only code that opens picture files.

The array contract of the whole server: float32, (H, W, C) or (H, W), C-contiguous, on the canvas of its
`Geometry`; 0..1 for masks and alphas, scene values for plates.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray
from videomama_client.errors import BadInput, NotPermitted, OutOfMemory, placed
from videomama_client.whole_files import replacing

from videomama_server.arrays import FloatArray
from videomama_server.files import disk_space
from videomama_server.files.access import name_for_libraries
from videomama_server.media import decoding, headers, limits, mask_values, orientation
from videomama_server.media.channels import Channel, Header, is_float, mask_channel, plate_channels, siblings
from videomama_server.media.declared_colour import UNDECLARED, Declared
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.movie_frame import in_movie
from videomama_server.media.movies import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator


WRITABLE = {".exr": ("half", "float"), ".tif": ("half", "float", "uint16"), ".tiff": ("half", "float", "uint16")}
WRITABLE |= {".png": ("uint8", "uint16"), ".dpx": ("uint16",)}
_DPX_NAME, _DPX_NAME_BYTES = 36, 100  # where the header of a DPX holds the file's own name (SMPTE 268M)


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, C) float32 on `geometry.canvas`, upright, zero outside the data window.

    Attributes:
        is_float: whether the file stores these channels as floats.
        declared: what the file says of their colours.
        orientation: how the file's pixels were turned, 1 for not at all.
        colours: of a mask, those that count as subject, where it is one of colours.
        is_picture: of a mask, whether it is the red of a picture of many colours.
    """

    pixels: FloatArray
    geometry: Geometry
    is_float: bool = True
    declared: Declared = UNDECLARED
    orientation: int = orientation.UPRIGHT
    colours: tuple[str, ...] = ()
    is_picture: bool = False


@dataclass(frozen=True)
class Seen:
    """What the header says of the channels that are a plate: see `Picture`."""

    geometry: Geometry
    is_float: bool = True
    declared: Declared = UNDECLARED
    orientation: int = orientation.UPRIGHT


def probe(path: Path) -> Header:
    """Read the header of `path`.

    Raises:
        BadInput: not a picture, truncated, or of a size no plate has (see `limits`).
        OutOfMemory: there is not enough for what it holds.
        NotPermitted: the file may not be read.
    """
    with _opened(path) as (header, _):
        return header


def probe_plate(path: Path, layer: str = "", view: str = "") -> Seen:
    """Return what `read_plate` would say of a plate, without its pixels.

    Raises:
        BadInput: as `probe`, its channels are not there, or it is not a flat picture.
        OutOfMemory, NotPermitted: as `probe`.
    """
    header = probe(path)
    chosen = plate_channels(header, layer, view)
    part = header.part_of(chosen)
    limits.check_chosen(path, part.geometry, part.obstacle)
    return Seen(part.geometry, is_float(chosen), part.declared, part.orientation)


def read_plate(path: Path, layer: str = "", view: str = "") -> Picture:
    """Read R, G and B of `layer` (a single channel is repeated); see `probe_plate` for errors."""
    with _opened(path) as (header, source):
        return _picture(header, source, plate_channels(header, layer, view))


def read_mask(path: Path, channel: str = "", view: str = "", colours: str = "") -> Picture:
    """Read one channel, C = 1, or a mask of colours as 0 and 1.

    Args:
        path: of the file.
        channel: by name; empty for the usual one.
        view: of a stereo file; empty for its main one.
        colours: that are subject, as in `MatteSettings.mask_colour`; then `channel` names their layer.

    Raises:
        BadInput: see `probe_plate`.
    """
    with _opened(path) as (header, source):
        if colours:
            rgb = _picture(header, source, plate_channels(header, channel, view))
            return _of_colours(rgb, path, colours)
        chosen = mask_channel(header, channel, view)
        several = [] if channel else siblings(header, chosen)
        if several and chosen.component == "r":
            return _of_colours(_picture(header, source, several), path)
        mask = _picture(header, source, [chosen])
        if several and mask.pixels.min(initial=1.0) >= 1:  # an alpha that says nothing
            found = _of_colours(_picture(header, source, several), path)
            return found if found.colours else mask
        return mask


def _of_colours(rgb: Picture, path: Path, colours: str = "") -> Picture:
    """Return a mask, C = 1, of a picture's colours, or of its red where it is not a mask of colours."""
    found = mask_values.subject_of_colours(rgb.pixels, colours, mask_values.has_coloured_palette(path))
    if found is not None:
        return replace(rgb, pixels=found[0][..., None], colours=() if colours else found[1])
    red = np.ascontiguousarray(rgb.pixels[..., :1])
    return replace(rgb, pixels=red, is_picture=mask_values.is_coloured(rgb.pixels))


def shown(picture: Picture) -> Picture:
    """Return a picture cut to its display window: overscan differs from frame to frame, and is not seen."""
    display, canvas = picture.geometry.display, picture.geometry.canvas
    if display == canvas:
        return picture
    pixels = np.ascontiguousarray(picture.pixels[display.slices(canvas)])
    return replace(picture, pixels=pixels, geometry=Geometry(display, display, picture.geometry.pixel_aspect))


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
        if path.suffix.lower() == ".dpx":
            _name(temporary, path.name)


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
def _opened(path: Path) -> Iterator[tuple[Header, Any]]:
    """Open a file, or a picture of a movie; what its content makes the libraries raise becomes an error that names it.

    Yields its header, and what its pixels are read from.
    """
    with placed(file=path):
        picture = in_movie(path)
        if picture is not None:
            with pictures.opened(picture) as both:
                yield both
            return
        limits.check_file(path)
        try:
            source = _source(path)
            with closing(source):
                yield headers.read(path, source), source
        except UnicodeError as error:  # names of channels, or a library's words on them
            raise limits.unreadable(path, "its header holds text that is not UTF-8") from error
        except MemoryError as error:
            reason = f"{path} does not fit in memory"
            raise OutOfMemory(reason, "Crop the picture, or give the server more memory.") from error


def _source(path: Path) -> Any:
    _limit_library()
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:missingcolor", "")
    source = oiio.ImageInput.open(name_for_libraries(path), hints)
    if source is None:
        raise _not_opened(path, oiio.geterror())
    return source


def _not_opened(path: Path, reason: str) -> BadInput:
    if "ubsampled" not in reason:
        return limits.unreadable(path, reason)
    return BadInput(
        f"{path} stores channels at less than full size (luminance-chroma), which is not read",
        "Save it as RGB first, for example with ImageMagick: magick plate.exr rgb.exr",
    )


@cache
def _limit_library() -> None:
    """Have OpenImageIO refuse what `limits` refuses before it takes memory, and try no format but the file's own."""
    oiio.attribute("limits:imagesize_MB", limits.MAX_BYTES >> 20)
    oiio.attribute("limits:resolution", limits.MAX_SIDE)
    oiio.attribute("limits:channels", limits.MAX_CHANNELS)
    oiio.attribute("try_all_readers", 0)


def _picture(header: Header, source: Any, chosen: Sequence[Channel]) -> Picture:
    """Return the pixels of chosen channels of one part, with what the header says of them."""
    part = header.part_of(chosen)
    pixels = decoding.decode(header, source, chosen)
    return Picture(pixels, part.geometry, is_float(chosen), part.declared, part.orientation)


def _spec(path: Path, image: NDArray[Any], channels: Sequence[str], dtype: str, geometry: Geometry | None) -> Any:
    height, width, count = image.shape
    if count != len(channels):
        raise ValueError(f"{count} channels of pixels, {len(channels)} names")
    spec = oiio.ImageSpec(width, height, count, dtype)
    spec.channelnames = tuple(channels)
    spec.attribute("DateTime", "")  # or OpenImageIO writes the time: the same picture would never be the same file
    if geometry is not None:
        canvas, display = geometry.canvas, geometry.display
        spec.x, spec.y = canvas.x, canvas.y
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display.x, display.y, display.w, display.h
        if not math.isclose(geometry.pixel_aspect, 1.0):
            spec.attribute("PixelAspectRatio", geometry.pixel_aspect)
    if path.suffix.lower() == ".exr":
        spec.attribute("compression", "zip")
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
    name = name_for_libraries(path)
    output = oiio.ImageOutput.create(name)
    if output is None:
        raise BadInput(f"cannot write {path.suffix}", oiio.geterror())
    try:
        written = output.open(name, spec) and output.write_image(image)
    finally:
        closed = output.close()
    if written and closed and _reads_back(path):
        return
    reason = " ".join((output.geterror() or oiio.geterror() or "file came out incomplete").split())[:200]
    free = disk_space.free(path.parent)
    full = free is not None and free < image.nbytes
    raise OSError(errno.ENOSPC if full else errno.EIO, f"{'disk full' if full else 'writing failed'}: {reason}")


def _name(dpx: Path, name: str) -> None:
    """Write a name into a DPX's header, where OpenImageIO puts that of the hidden file which it wrote."""
    shown = name.encode("ascii", "replace")[: _DPX_NAME_BYTES - 1]
    with dpx.open("r+b") as file:
        file.seek(_DPX_NAME)
        file.write(shown.ljust(_DPX_NAME_BYTES, b"\0"))


def _reads_back(path: Path) -> bool:
    """Whether the file is whole: on a full disk, OIIO's writers (3.2) may lose the end of it without a word.

    The last row of an EXR file lies at its very end, and what lies before it was reported when it was lost.
    """
    source = oiio.ImageInput.open(name_for_libraries(path))
    if source is None:
        return False
    spec = source.spec()
    first = spec.y + spec.height - 1 if path.suffix.lower() == ".exr" else spec.y
    try:
        return source.read_scanlines(0, 0, first, spec.y + spec.height, 0, 0, spec.nchannels, "uint8") is not None
    finally:
        source.close()
