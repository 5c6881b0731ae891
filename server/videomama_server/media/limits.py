"""How large a picture file may say it is, and which files are opened; the rest is refused before memory is taken."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted

from videomama_server.media.geometry import Geometry
from videomama_server.media.links import dead_link

MAX_PIXELS = 1 << 27  # of the canvas: 16384 x 8192, 1.6 GB as a plate in memory
MAX_BYTES = 8 << 30  # of a file, of one part with all its channels, and of what is read of it
MAX_JPEG_BYTES = 1 << 30  # of a JPEG file: its reader looks through all of it
MAX_SIDE = 1 << 16
MAX_CHANNELS = 1024
MAX_PARTS = 256
MIN_SIDE = 16
READABLE = frozenset({".exr", ".sxr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg"})
_FORMATS = ", ".join(sorted(READABLE))
_BYTES_OF_FLOAT = 4
_SMALL_TILE = 1 << 20  # pixels; small pictures may have one tile that is much larger than they are
DEEP, VOLUME, CUBE = "deep", "volume", "cube"
_OBSTACLES = {
    DEEP: ("is a deep picture, and only flat ones are read", "Flatten it first, for example with Nuke's DeepToImage."),
    VOLUME: ("is a volume of several slices, and only pictures are read", "Write the slice you need as a picture."),
    CUBE: (
        "holds the six faces of a cube map",
        "Convert it to a latlong picture first, for example with Nuke's SphericalTransform.",
    ),
}
_HINT = "The header is damaged, or the picture needs cropping first."


@dataclass(frozen=True)
class PixelLayout:
    """How a part says that its pixels lie in the file.

    Attributes:
        channels: how many.
        pixel_bytes: of all channels of a pixel.
        tile_pixels: size of a tile; 0 for none.
        deep: pixels hold any number of samples.
        depth: slices of a volume; 1 for a picture.
        cube: it is the six faces of a cube.
    """

    channels: int
    pixel_bytes: int
    tile_pixels: int
    deep: bool = False
    depth: int = 1
    cube: bool = False


def check_file(path: Path) -> None:
    """Look at a picture file before it is opened.

    Raises:
        BadInput: as `check_plain`, too large, or of no format that is read.
        NotPermitted: it may not be read.
    """
    size = check_plain(path)
    most = MAX_JPEG_BYTES if path.suffix.lower() in (".jpg", ".jpeg") else MAX_BYTES
    if size > most:
        raise unreadable(path, f"it has {size} bytes, more than the {most} that are read")
    if path.suffix.lower() not in READABLE:
        named = path.suffix or "a file without an ending"
        raise BadInput(f"cannot read {path}: {named} is not a format that is read", f"Use {_FORMATS}.")


def check_plain(path: Path) -> int:
    """Look at a file of any format before it is opened, and return its size in bytes.

    Pipes and devices would be waited for without end, and so would some files of /proc, which say that they are empty.

    Raises:
        BadInput: not a file, or nothing in it.
        NotPermitted: it may not be read.
    """
    try:
        found = path.stat()
    except PermissionError as error:
        raise _not_permitted(path) from error
    except (OSError, ValueError) as error:
        dead = dead_link(path)
        raise unreadable(path, f"it {dead}" if dead else "no such file") from error
    _refuse_other_kinds(path, found)
    if not os.access(path, os.R_OK):
        raise _not_permitted(path)
    if found.st_size == 0:
        raise unreadable(path, "the file is empty")
    return found.st_size


def check_kind(path: Path) -> None:
    """Raise `BadInput` for what is there and is no file, such as a pipe, which would be read without end."""
    with suppress(OSError):  # it is not there, or may not be looked at: reading it says so
        _refuse_other_kinds(path, path.stat())


def _refuse_other_kinds(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise unreadable(path, "not a file")


def unreadable(path: Path, reason: str) -> BadInput:
    """Return the error for a file that is no whole picture; the reason may be a library's, of several lines."""
    reason = " ".join(reason.split()) or "not a picture file"
    return BadInput(f"cannot read {path}: {reason}", "Render or copy the file again.")


def obstacle(layout: PixelLayout) -> str:
    """Return what keeps the pixels of a part from being read as a picture: `deep`, `volume` or `cube`; else nothing."""
    if layout.deep:
        return DEEP
    if layout.depth > 1:
        return VOLUME
    return CUBE if layout.cube else ""


def check_chosen(path: Path, geometry: Geometry, obstacle: str) -> None:
    """Raise `BadInput` when the part that was chosen is not a flat picture, or too small.

    Args:
        path: for the message.
        geometry: the part's windows.
        obstacle: as the function of that name returned it.
    """
    if obstacle:
        reason, hint = _OBSTACLES[obstacle]
        raise BadInput(f"{path} {reason}", hint)
    if min(geometry.display.w, geometry.display.h) < MIN_SIDE:
        raise BadInput(
            f"{path} is {geometry.display.w}x{geometry.display.h} pixels, too small to matte",
            f"Both sides must be at least {MIN_SIDE} pixels.",
        )


def check_part(path: Path, part: int, geometry: Geometry, layout: PixelLayout) -> None:
    """Raise `BadInput` when a part of `path` is of a size that no plate has.

    Args:
        path: for the message.
        part: its number, from 0.
        geometry: its windows.
        layout: how its pixels lie in the file.
    """
    canvas = geometry.canvas
    pixels = geometry.data.w * geometry.data.h
    tile = layout.tile_pixels // layout.depth
    if part >= MAX_PARTS:
        raise BadInput(f"{path} has more than the {MAX_PARTS} parts that are read", _HINT)
    if canvas.w * canvas.h > MAX_PIXELS or max(canvas.w, canvas.h) > MAX_SIDE:
        said = f"{path} says it is {canvas.w}x{canvas.h} pixels"
        raise BadInput(f"{said}, more than the {MAX_PIXELS} (at most {MAX_SIDE} a side) that are read", _HINT)
    if layout.channels > MAX_CHANNELS:
        raise BadInput(
            f"{path} says it has {layout.channels} channels, more than the {MAX_CHANNELS} that are read", _HINT
        )
    if tile > max(_SMALL_TILE, 4 * pixels):
        raise BadInput(f"{path} says that its tiles hold {layout.tile_pixels} pixels, it has {pixels}", _HINT)
    _check_bytes(path, pixels * layout.depth * layout.pixel_bytes)


def check_read(path: Path, geometry: Geometry, channels: int) -> None:
    """Raise `BadInput` when so many channels of `path` are too much for memory as float32."""
    _check_bytes(path, geometry.data.w * geometry.data.h * channels * _BYTES_OF_FLOAT)


def _check_bytes(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise BadInput(
            f"{path} says it holds {size / 2**30:.1f} GiB of pixels, more than the {MAX_BYTES >> 30} that are read",
            _HINT,
        )


def _not_permitted(path: Path) -> NotPermitted:
    return NotPermitted(f"{path} may not be read", "Check the file's permissions.")
