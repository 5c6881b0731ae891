"""Reads what an open picture file says of itself: its parts, views and channels, and how its pixels are to be seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from videomama_server.media import declared_colour, limits, orientation
from videomama_server.media.channels import MAIN_LAYERS, Channel, Header, Part
from videomama_server.media.declared_colour import text_of
from videomama_server.media.geometry import Geometry, Rect

_TURNED = frozenset({".tif", ".tiff", ".dpx", ".jpg", ".jpeg", ".png"})  # formats whose orientation tag counts
_USUAL_VIEWS = frozenset({"left", "right"})  # of parts that are called so, without another word on views
_MAIN_OF_VIEW = re.compile(r"rgba?[._](.+)", re.IGNORECASE)


def read(path: Path, source: Any) -> Header:
    """Return the header of a file that OpenImageIO has opened.

    Raises:
        BadInput: no parts, one of a size that no plate has, or not one that is a flat picture.
    """
    specs: list[Any] = []
    parts: list[Part] = []
    while source.seek_subimage(len(specs), 0):
        spec = source.spec()
        limits.check_part(path, len(specs), stored_geometry(spec), _layout(spec))
        specs.append(spec)
        parts.append(_part(path, spec))
    if not any(spec.channelnames for spec in specs):
        raise limits.unreadable(path, source.geterror())
    if all(part.obstacle for part in parts):
        limits.check_chosen(path, parts[0].geometry, parts[0].obstacle)
    views = _views(specs)
    channels = [channel for number, spec in enumerate(specs) for channel in _channels(number, spec, specs, views)]
    return Header(path, tuple(channels), tuple(parts), tuple(views), _cryptomattes(specs))


def stored_geometry(spec: Any) -> Geometry:
    """Return the windows as the file stores them, before they are turned upright."""
    display = Rect(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    data = Rect(spec.x, spec.y, spec.width, spec.height)
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    return Geometry(
        display, data, aspect if 0.01 < aspect < 100 else 1.0
    )  # damaged otherwise: no file could be written


def _part(path: Path, spec: Any) -> Part:
    suffix = path.suffix.lower()
    turn = orientation.valid(spec.getattribute("Orientation")) if suffix in _TURNED else orientation.UPRIGHT
    stored = stored_geometry(spec)
    if suffix == ".dpx" and orientation.is_transposed(turn):
        geometry = _transposed_dpx(spec, stored.pixel_aspect)
    else:
        geometry = orientation.turned(stored, turn)
    return Part(
        geometry=geometry,
        name=_name(spec),
        obstacle=limits.obstacle(_layout(spec)),
        orientation=turn,
        declared=declared_colour.read(suffix, spec.getattribute),
        weights=declared_colour.luminance_weights(spec.getattribute),
        min_is_white=_min_is_white(suffix, spec),
    )


def _transposed_dpx(spec: Any, aspect: float) -> Geometry:
    """Return the upright windows of a DPX whose lines are columns: OpenImageIO (3.2) swaps their sides already."""
    whole = Rect(0, 0, spec.width, spec.height)
    return Geometry(whole, whole, 1 / aspect)


def _min_is_white(suffix: str, spec: Any) -> bool:
    photometric = spec.getattribute("tiff:PhotometricInterpretation")
    return suffix in (".tif", ".tiff") and isinstance(photometric, int) and photometric == 0


def _layout(spec: Any) -> limits.PixelLayout:
    envelope = spec.getattribute("openexr:envmap")
    is_cube = isinstance(envelope, int) and envelope == 1
    cube = is_cube or "cube" in text_of(spec.getattribute("textureformat")).lower()
    tile = spec.tile_width * spec.tile_height * max(1, spec.tile_depth)
    depth = max(1, spec.depth, spec.tile_depth)  # of a TIFF, OpenImageIO (3.2) tells the tiles' depth alone
    return limits.PixelLayout(spec.nchannels, spec.pixel_bytes(True), tile, bool(spec.deep), depth, cube)


def _name(spec: Any) -> str:
    return text_of(spec.getattribute("oiio:subimagename"))


def _view(spec: Any) -> str:
    return text_of(spec.getattribute("view"))


def _views(specs: Sequence[Any]) -> list[str]:
    """Return the views of a file, the first its main one."""
    found: dict[str, None] = {}
    for spec in specs:
        several = spec.getattribute("multiView")
        found.update(dict.fromkeys(filter(None, map(text_of, several)) if isinstance(several, tuple) else ()))
    for spec in specs:
        main = _MAIN_OF_VIEW.fullmatch(_name(spec))
        view = _view(spec) or (main[1] if main else "")
        usual = len(specs) > 1 and _name(spec).lower() in _USUAL_VIEWS
        found.update(dict.fromkeys([view or _name(spec)] if view or usual else []))
    return list(found)


def _channels(number: int, spec: Any, specs: Sequence[Any], views: Sequence[str]) -> list[Channel]:
    layer, view = _layer_and_view(spec, views)
    kinds = spec.channelformats or (spec.format,) * spec.nchannels
    found = []
    for index, (stored, kind) in enumerate(zip(spec.channelnames, kinds, strict=True)):
        own, seen = _without_view(stored, [view] if view else views)
        if views and not view and not seen and "." not in own and spec.getattribute("multiView") is not None:
            seen = views[0]  # OpenEXR: a channel without a layer is the main view's
        found.append(Channel(number, index, _full_name(layer, own, len(specs)), view or seen, str(kind)))
    return found


def _layer_and_view(spec: Any, views: Sequence[str]) -> tuple[str, str]:
    """Return the layer and the view that a part's name and attribute say: `depth_left` is depth of the left."""
    name, view = _name(spec), _view(spec)
    for known in [view] if view else views:
        if name.lower() == known.lower():
            return "", view or known
        for mark in "._":
            if name.lower().endswith(f"{mark}{known.lower()}"):
                return name[: -len(known) - 1], view or known
            if name.lower().startswith(f"{known.lower()}{mark}"):
                return name[len(known) + 1 :], view or known
    return name, view


def _without_view(name: str, views: Sequence[str]) -> tuple[str, str]:
    """Take the view out of a channel's name: `right.R` and `diffuse.right.R` as well as `right.diffuse.R`."""
    *layers, component = name.split(".")
    known = {view.lower(): view for view in views}
    seen = [known[word.lower()] for word in layers if word.lower() in known]
    kept = [word for word in layers if word.lower() not in known]
    return ".".join([*kept, component]), seen[-1] if seen else ""


def _full_name(layer: str, name: str, parts: int) -> str:
    """Name a channel: a part carries the layer when the channel does not, unless it is the only one."""
    generic = layer.lower() in MAIN_LAYERS or "." in name or parts == 1
    return name if generic else f"{layer}.{name}"


def _cryptomattes(specs: Sequence[Any]) -> frozenset[str]:
    """Return the layers that the file's Cryptomatte manifests name, with their numbered ones, in lower case."""
    names = {
        text_of(attribute.value).lower()
        for spec in specs
        for attribute in spec.extra_attribs
        if re.fullmatch(r"(exr/)?cryptomatte/[^/]+/name", attribute.name)
    }
    return frozenset(layer for name in names for layer in (name, *(f"{name}{rank:02}" for rank in range(16))))
