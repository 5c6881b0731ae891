"""Picture files into pictures: windows, padding, names and transfer curves as Nuke's Read treats them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from nuke_standin.pixels import names, resampling, transfer
from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.channel_sets import ALPHA, RGB
from nuke_standin.pixels.picture import Picture, PictureError, Plane, black


@dataclass
class File:
    """One decoded file; `pixels[name]` is (height, width) with the top row first, as files have it."""

    display: tuple[int, int, int, int]
    data: tuple[int, int, int, int]
    aspect: float
    is_float: bool
    names: list[str]
    views: tuple[str, ...]
    pixels: dict[str, np.ndarray]

    @property
    def size(self) -> int:
        """Bytes of all planes."""
        return sum(plane.nbytes for plane in self.pixels.values())


class Files:
    """Decoded files by path and version: what was read once is not read again, whatever happens to the file.

    That is Nuke's trap: an overwritten file is noticed only after `reload`, which counts `version` up, or under
    another path.
    """

    def __init__(self, limit: int = 1 << 30) -> None:
        self._known: dict[tuple[str, int], File] = {}
        self._limit = limit

    def get(self, node: str, path: str, version: int) -> File:
        key = (path, version)
        if key not in self._known:
            self._known[key] = decoded(node, path)
            self._make_room()
        return self._known[key]

    def _make_room(self) -> None:
        """Forget the oldest files, as Nuke's own cache does when it is full."""
        held = sum(file.size for file in self._known.values())
        for key in list(self._known)[:-1]:
            if held <= self._limit:
                break
            held -= self._known.pop(key).size

    def forget(self) -> None:
        self._known.clear()


def decoded(node: str, path: str) -> File:
    """Read all of a file. Raises PictureError in Nuke's words."""
    if not Path(path).is_file():
        raise PictureError(f"{node}: {path}: No such file or directory")
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    source = oiio.ImageInput.open(path, config)
    if source is None:
        raise PictureError(f"{node}: {path}: {oiio.geterror().strip() or 'cannot be read'}")
    try:
        return _all_parts(node, path, source)
    finally:
        source.close()


def _all_parts(node: str, path: str, source: Any) -> File:
    result: File | None = None
    index = 0
    while source.seek_subimage(index, 0):
        part = _part(node, path, source, index)
        if result is None:
            result = part
        elif (part.display, part.data, part.aspect) != (result.display, result.data, result.aspect):
            raise PictureError(
                f"{node}: {path}: the parts of the file differ in data window, display window or pixel aspect"
            )
        else:
            result.names += [name for name in part.names if name not in result.pixels]
            result.pixels.update(part.pixels)
        index += 1
    if result is None:
        raise PictureError(f"{node}: {path}: no picture in the file")
    return result


def _part(node: str, path: str, source: Any, index: int) -> File:
    spec = source.spec()
    pixels = source.read_image(index, 0, 0, spec.nchannels, "float")
    if pixels is None:
        raise PictureError(f"{node}: {path}: {source.geterror().strip()}")
    pixels = np.asarray(pixels, np.float32).reshape(spec.height, spec.width, spec.nchannels)
    own = [_in_part(name, spec.get_string_attribute("oiio:subimagename")) for name in spec.channelnames]
    views = spec.getattribute("multiView") or ()
    return File(
        display=(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        data=(spec.x, spec.y, spec.width, spec.height),
        aspect=spec.get_float_attribute("PixelAspectRatio", 1.0),
        is_float=spec.format.basetype in (oiio.HALF, oiio.FLOAT, oiio.DOUBLE),
        names=own,
        views=(views,) if isinstance(views, str) else tuple(views),
        pixels={name: pixels[..., i] for i, name in enumerate(own)},
    )


def _in_part(name: str, part: str) -> str:
    if not part or part == "rgba" or "." in name:
        return name
    return f"{part.replace('.', '_')}.{name}"


def read(step: dict[str, Any], files: Files) -> Picture:
    """One Read at one frame. The step carries the knobs, already evaluated; see `evaluate.py`."""
    try:
        file = files.get(step["node"], step["path"], step["version"])
    except PictureError:
        return _at_scale(_instead(step, files), step["scale"])
    return _at_scale(_picture(step, file), step["scale"])


def _instead(step: dict[str, Any], files: Files) -> Picture:
    """What `on_error` asks for; when that is `error`, reading once more raises the same error."""
    if step["on_error"] == "black":
        return black(Format.of(step["format"]))
    if step["on_error"] == "checkerboard":
        return _checkerboard(Format.of(step["format"]))
    for path in step.get("nearest", ()):
        if Path(path).is_file():
            return _picture(step, files.get(step["node"], path, step["version"]))
    return _picture(step, files.get(step["node"], step["path"], step["version"]))


def _checkerboard(form: Format) -> Picture:
    def fetch(name: str) -> Plane:
        if name == ALPHA:
            return np.ones((form.height, form.width), np.float32)
        rows, columns = np.indices((form.height, form.width)) // 64
        return np.where((rows + columns) % 2, 0.5, 0.1).astype(np.float32)

    return Picture(form, form.box, (*RGB, ALPHA), fetch)


def _at_scale(picture: Picture, scale: float) -> Picture:
    if scale == 1:
        return picture
    form = picture.format.scaled(scale)
    exact = (form.width / picture.format.width, form.height / picture.format.height)
    return resampling.transformed(picture, form, exact, (0, 0))


def _picture(step: dict[str, Any], file: File) -> Picture:
    form, inner = windows(step, file)
    grow = _padding(step["edge_pixels"], file)
    box = Box(inner.x - grow.x, inner.y - grow.y, inner.r + grow.r, inner.t + grow.t)
    table = names.mapped(file.names, step["raw"], step["view"], file.views)
    name = "linear" if step["raw"] else transfer.curve(step["node"], step["colorspace"], file.is_float)
    channels = tuple(table)
    if step["auto_alpha"] and ALPHA not in table:
        channels += (ALPHA,)

    def stored(channel: str) -> Plane:
        return file.pixels[table[channel]][::-1]

    def fetch(channel: str) -> Plane:
        if channel not in table:
            plane = np.ones((inner.height, inner.width), np.float32)
        elif channel in RGB and name != "linear":
            plane = _linear(stored(channel), stored(ALPHA) if step["premultiplied"] and ALPHA in table else None, name)
        else:
            plane = stored(channel)
        return np.pad(plane, ((grow.y, grow.t), (grow.x, grow.r)))

    return Picture(form, box, channels, fetch, padded=min(grow) > 0)


def _linear(plane: Plane, alpha: Plane | None, name: str) -> Plane:
    if alpha is None:
        return transfer.decode(plane, name)
    safe = np.where(alpha > 0, alpha, 1)
    return transfer.decode(plane / safe, name) * safe


def windows(step: dict[str, Any], file: File) -> tuple[Format, Box]:
    """Format, which begins at 0,0, and data window with y upwards."""
    x, y, width, height = file.display
    if x > 0:
        raise PictureError(
            f"{step['node']}: {step['path']}: how Nuke places a display window that begins at x = {x} is not known here"
        )
    shift = -x if step["offset_negative_display_window"] else 0
    left, top = file.data[0] + shift, file.data[1]
    low = y + height - (top + file.data[3])
    form = Format(width if shift or x == 0 else width + x, height, file.aspect)
    return form, Box(left, low, left + file.data[2], low + file.data[3])


def _padding(edge_pixels: str, file: File) -> Box:
    """How many black pixels each side gets, as (left, bottom, right, top)."""
    if edge_pixels == "black":
        return Box(1, 1, 1, 1)
    if edge_pixels == "plate detect":
        grow = int(file.data != file.display)
        return Box(grow, grow, grow, grow)
    if edge_pixels == "edge detect":
        (x, y, w, h), (dx, dy, dw, dh) = file.data, file.display
        return Box(int(x != dx), int(y + h != dy + dh), int(x + w != dx + dw), int(y != dy))
    return Box(0, 0, 0, 0)
