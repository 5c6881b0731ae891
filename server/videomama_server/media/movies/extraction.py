"""Writes pictures of movies as picture files with the same pixels, for a server that does not see the movie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from videomama_server.media import decoding
from videomama_server.media.declared_colour import DISPLAY, INTEROP_IDS, Declared
from videomama_server.media.frames import write_picture
from videomama_server.media.movie_frame import in_movie
from videomama_server.media.movies import pictures

_SRGB = "srgb_rec709_scene"


def extracted(files: Mapping[int, Path], folder: Path, role: str) -> dict[int, Path]:
    """Return files by frame: those of pictures of a movie are written into `folder`, others are what they were.

    Args:
        files: pictures of a movie, or others.
        folder: for what is written, as float EXR.
        role: begins the names.

    Raises:
        BadInput, NotPermitted: a picture cannot be read.
        OSError: the disk is full or failing.
    """
    return {
        number: extract(path, folder / f"{role}.{number}.exr") if in_movie(path) else path
        for number, path in files.items()
    }


def extract(picture: Path, target: Path, dtype: str = "float") -> Path:
    """Write a picture of a movie to `target`, an EXR, and return it.

    Args:
        picture: as `in_movie` knows it.
        target: is replaced.
        dtype: `float`, which keeps every value, or `half`, which keeps those of up to 10 bits to within a 2048th.

    Raises:
        BadInput, NotPermitted: the picture cannot be read.
        OSError: the disk is full or failing.
    """
    frame = in_movie(picture)
    assert frame is not None  # callers look first
    with pictures.opened(frame) as (header, source):
        pixels = decoding.decode(header, source, header.channels)
    part = header.parts[0]
    names = [channel.name for channel in header.channels]
    write_picture(target, pixels, names, dtype, part.geometry, {"colorInteropID": _name_of(part.declared)})
    return target


def _name_of(declared: Declared) -> str:
    """Return the colour space that a picture is taken for, by a name that is found again."""
    name = declared.names[0] if declared.names else DISPLAY
    return _SRGB if name == DISPLAY else INTEROP_IDS.get(name, name)
