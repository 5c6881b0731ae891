"""Chooses channels: which of a file's layers is the plate, and which channel the mask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from videomama_client.errors import BadInput
from videomama_client.wording import guess

from videomama_server.media.declared_colour import REC709_WEIGHTS, UNDECLARED, Declared, Weights
from videomama_server.media.geometry import Geometry
from videomama_server.media.orientation import UPRIGHT

MAIN_LAYERS = frozenset({"", "rgba", "rgb"})
LUMINANCE_CHROMA = ("y", "ry", "by")
_COMPONENTS = {"red": "r", "green": "g", "blue": "b", "alpha": "a"}
_FLOATS = frozenset({"half", "float", "double"})
_MONO = "main"  # Nuke's view of a script that has only one
_CRYPTOMATTE = re.compile(r"(.*\.)?crypto(object|asset|material|matte)?[^.]*?\d\d")


@dataclass(frozen=True)
class ChannelChoice:
    """Which pixels of plate and mask a job asks for; the fields are those of `MatteSettings`."""

    plate_layer: str = ""
    mask_channel: str = ""
    view: str = ""
    mask_colour: str = ""

    @property
    def of_plate(self) -> str:
        """A text that is the same where the same plate pixels are asked for."""
        return repr(("plate", self.plate_layer, self.view))

    @property
    def of_mask(self) -> str:
        """A text that is the same where the same mask pixels are asked for."""
        return repr(("mask", self.mask_channel, self.view, self.mask_colour))


@dataclass(frozen=True)
class Channel:
    """One channel of a file.

    Attributes:
        part, index: where it is.
        name: with its layer, without its view: `R`, `matte.A`.
        view: such as `left`; empty where the file does not say.
        kind: how a value is stored: `half`, `float`, `uint8`, `uint16`, `uint` and so on.
    """

    part: int
    index: int
    name: str
    view: str = ""
    kind: str = "half"

    @property
    def layer(self) -> str:
        """The layer's name in lower case; empty for the main layer."""
        layer = self.name.rpartition(".")[0].lower()
        return "" if layer in MAIN_LAYERS else layer

    @property
    def component(self) -> str:
        """The name inside the layer, as one of r, g, b, a where it is one of them."""
        component = self.name.rpartition(".")[2].lower()
        return _COMPONENTS.get(component, component)


@dataclass(frozen=True)
class Part:
    """One part of a file, which shares windows and layout; most files have only one.

    Attributes:
        geometry: its windows, upright.
        name: as it stands in the file; empty for none.
        obstacle: why its pixels are not read (see `limits.obstacle`); empty when they are.
        orientation: how its pixels must be turned, 1 to 8; `geometry` is turned already.
        declared: what it says of its colours.
        weights: of red, green and blue in its luminance.
        min_is_white: zero stands for white in the file.
    """

    geometry: Geometry
    name: str = ""
    obstacle: str = ""
    orientation: int = UPRIGHT
    declared: Declared = UNDECLARED
    weights: Weights = REC709_WEIGHTS
    min_is_white: bool = False


@dataclass(frozen=True)
class Header:
    """What a file says of itself before any pixel is read.

    Attributes:
        views: the first is the one that is read by default.
        cryptomattes: layers that hold identities, not a mask.
    """

    path: Path
    channels: tuple[Channel, ...]
    parts: tuple[Part, ...]
    views: tuple[str, ...] = ()
    cryptomattes: frozenset[str] = field(default_factory=frozenset)

    @property
    def geometries(self) -> tuple[Geometry, ...]:
        """The windows of each part."""
        return tuple(part.geometry for part in self.parts)

    def part_of(self, channels: Sequence[Channel]) -> Part:
        """Return the part that chosen channels are in."""
        return self.parts[channels[0].part]

    @property
    def channel_names(self) -> str:
        """The channels as a person would type them, for messages."""
        return ", ".join(dict.fromkeys(channel.name for channel in self.channels))

    @property
    def there(self) -> str:
        """The channels and views as a person would type them."""
        views = f" Views: {', '.join(self.views)} (choose with --view)." if len(self.views) > 1 else ""
        return f"Channels in the file: {self.channel_names}.{views}"


def is_float(channels: Iterable[Channel]) -> bool:
    """Whether the values of these channels are stored as floats."""
    return all(channel.kind in _FLOATS for channel in channels)


def plate_channels(header: Header, layer: str, view: str = "") -> list[Channel]:
    """Choose the three channels of a plate: R, G and B, Y, RY and BY, or one of them three times.

    Raises:
        BadInput: they are not there; the hint lists what is.
    """
    for channels in _choices(header, layer, view):
        found = _colours(channels)
        if found:
            return found
    spoken = f" in layer {layer!r}" if layer else ""
    raise BadInput(
        f"{header.path} has no R, G and B{spoken} in one part",
        _there(header, layer, "Choose a layer with --plate-layer."),
    )


def mask_channel(header: Header, name: str, view: str = "") -> Channel:
    """Choose the mask's channel: the named one, else A, else the only one, else R of a file without other layers.

    Raises:
        BadInput: it is not there, or holds a Cryptomatte; the hint lists what is there.
    """
    _check_view(header, view)
    found = _named(header, name, view) if name else _default_mask(header, view)
    if found is None:
        raise BadInput(
            f"{header.path} has no channel {name!r}" if name else f"{header.path} has no channel to take as mask",
            _there(header, name, "Choose one with --mask-channel."),
        )
    if found.layer in header.cryptomattes or _CRYPTOMATTE.fullmatch(found.layer):
        raise BadInput(
            f"{found.name} of {header.path} is a Cryptomatte layer: identities of objects, not a mask",
            "Pick the objects with a Cryptomatte node, write its matte, and give that as the mask.",
        )
    return found


def siblings(header: Header, channel: Channel) -> list[Channel]:
    """Return R, G and B of the layer, part and view of a channel; empty where they are not all there."""
    same = (channel.part, channel.layer, channel.view)
    found = {one.component: one for one in reversed(header.channels) if (one.part, one.layer, one.view) == same}
    return [found[component] for component in "rgb"] if found.keys() >= set("rgb") else []


def _there(header: Header, wanted: str, what_to_do: str) -> str:
    """Return the hint for a channel or layer that is not there: the closest, and all that are."""
    names = [name for channel in header.channels for name in (channel.name, channel.name.rpartition(".")[0])]
    near = guess(wanted, filter(None, names)) if wanted else ""
    return f"{near} {header.there} {what_to_do}".lstrip()


def _colours(channels: Sequence[Channel]) -> list[Channel]:
    """Return the colours of a layer; those of one part, the first that has them."""
    parts: dict[int, dict[str, Channel]] = {}
    for channel in reversed(channels):
        parts.setdefault(channel.part, {})[channel.component] = channel
    by_part = [members for _, members in sorted(parts.items())]
    for wanted in (tuple("rgb"), LUMINANCE_CHROMA):
        for members in by_part:
            if all(component in members for component in wanted):
                return [members[component] for component in wanted]
    for members in by_part:
        if "y" in members or len(members) == 1:
            return [members.get("y") or next(iter(members.values()))] * 3
    return []


def _choices(header: Header, layer: str, view: str) -> Iterable[list[Channel]]:
    """Yield the channels that a plate layer may mean, likeliest first."""
    _check_view(header, view)
    wanted, seen = _spoken(header, layer, view)
    readable = _flat_first(header, [channel for channel in header.channels if channel.layer == wanted])
    yield from _by_view(header, readable, seen)
    if layer:
        yield _of_part(header, layer, seen)
        return
    named = {channel.layer for channel in header.channels if channel.component == "r"}
    if len(named) == 1:  # the only layer of colours, whatever it is called
        only = [channel for channel in header.channels if channel.layer in named]
        yield from _by_view(header, _flat_first(header, only), seen)


def _flat_first(header: Header, channels: Sequence[Channel]) -> list[Channel]:
    """Leave out what cannot be read where the same is there to be read."""
    flat = [channel for channel in channels if not header.parts[channel.part].obstacle]
    return flat if _colours(flat) or not _colours(channels) else list(channels)


def _by_view(header: Header, channels: Sequence[Channel], view: str) -> Iterable[list[Channel]]:
    """Yield the channels of a view, and then those that belong to none."""
    wanted = (view or (header.views[0] if header.views else "")).lower()
    yield [channel for channel in channels if channel.view.lower() == wanted]
    yield [channel for channel in channels if not channel.view]
    if len(header.views) <= 1:
        yield list(channels)


def _of_part(header: Header, name: str, view: str) -> list[Channel]:
    """Return the channels of a part by its name in the file; a name with a view in it needs no other word on that."""
    names_view = any(known.lower() in name.lower() for known in header.views)
    there = header.channels if names_view else _first_of_view(header, view)
    return [one for one in there if header.parts[one.part].name.lower() == name.lower()]


def _spoken(header: Header, text: str, view: str) -> tuple[str, str]:
    """Return the layer and the view that a person's words name: `rgba.right` is the main layer of the right view."""
    views = {known.lower() for known in header.views}
    words = text.lower().split(".")
    seen = [word for word in words if word in views]
    layer = ".".join(word for word in words if word not in views)
    return "" if layer in MAIN_LAYERS else layer, seen[-1] if seen else view


def _check_view(header: Header, view: str) -> None:
    """Raise `BadInput` for a view that a file of several, or of another one, does not have or only seems to have."""
    views = [known.lower() for known in header.views]
    if view and views and view.lower() not in views and views != [_MONO]:
        raise BadInput(f"{header.path} has no view {view!r}", f"Views in the file: {', '.join(header.views)}.")
    layers = {channel.layer.split(".")[0] for channel in header.channels}
    if view and not views and view.lower() in layers:
        raise BadInput(
            f"{header.path} has a layer {view!r}, and does not say that it is a view",
            f"Leave --view out, and name the layer: --plate-layer {view}, or --mask-channel {view}.A.",
        )


def _named(header: Header, name: str, view: str) -> Channel | None:
    exact = [channel for channel in _first_of_view(header, view) if channel.name == name]
    if exact:
        return exact[0]
    head, _, tail = name.rpartition(".")
    for layer, component in ((head, tail), (name, "")):
        wanted, seen = _spoken(header, layer, view)
        found = [one for one in _first_of_view(header, seen) if one.layer == wanted and (layer or component)]
        channel = _component(found or (_of_part(header, layer, seen) if layer else []), component)
        if channel is not None:
            return channel
    return None


def _component(channels: Sequence[Channel], component: str) -> Channel | None:
    """Return a channel of a layer by its name there; without a name its alpha, or its only one."""
    wanted = Channel(0, 0, component or "A").component
    found = next((channel for channel in channels if channel.component == wanted), None)
    return found or (channels[0] if not component and len(channels) == 1 else None)


def _first_of_view(header: Header, view: str) -> list[Channel]:
    """Return the channels of a view and those of none, the readable ones first."""
    wanted = (view or (header.views[0] if header.views else "")).lower()
    several = len(header.views) > 1
    found = [one for one in header.channels if one.view.lower() in (wanted, "") or not several]
    return sorted(found, key=lambda one: (bool(header.parts[one.part].obstacle), one.view.lower() != wanted))


def _default_mask(header: Header, view: str) -> Channel | None:
    there = _first_of_view(header, view)
    main = {channel.component: channel for channel in reversed(there) if channel.layer == ""}
    if "a" in main:
        return main["a"]
    if len(there) == 1:
        return there[0]
    # Red is that of a roto saved as a plain picture; where there are other layers, it is more likely the plate's.
    return main.get("y") or (main.get("r") if len(main) == len(there) else None)
