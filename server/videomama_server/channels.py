"""Chooses channels: which of a file's layers is the plate, and which channel the mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput
from videomama_client.wording import guess

from videomama_server.geometry import Geometry

_COMPONENTS = {"red": "r", "green": "g", "blue": "b", "alpha": "a"}
_MAIN_LAYERS = {"", "rgba", "rgb"}


@dataclass(frozen=True)
class Channel:
    """One channel of a file: where it is and what it is called."""

    part: int
    index: int
    name: str

    @property
    def layer(self) -> str:
        """The layer's name in lower case; empty for the main layer."""
        layer = self.name.rpartition(".")[0].lower()
        return "" if layer in _MAIN_LAYERS else layer

    @property
    def component(self) -> str:
        """The name inside the layer, as one of r, g, b, a where it is one of them."""
        component = self.name.rpartition(".")[2].lower()
        return _COMPONENTS.get(component, component)


@dataclass(frozen=True)
class Header:
    """What a file says of itself before any pixel is read."""

    path: Path
    channels: tuple[Channel, ...]
    geometries: tuple[Geometry, ...]  # one per part
    is_float: bool

    @property
    def channel_names(self) -> str:
        """The channels, for messages."""
        return ", ".join(channel.name for channel in self.channels)


def full_name(part: str, name: str) -> str:
    """Name a channel of a multi-part file: parts carry the layer when the channel does not."""
    generic = part.lower() in _MAIN_LAYERS or "." in name
    return name if generic else f"{part}.{name}"


def plate_channels(header: Header, layer: str) -> list[Channel]:
    """Choose the three channels of a plate; raises `BadInput` with the list of those that are there."""
    wanted = "" if layer.lower() in _MAIN_LAYERS else layer.lower()
    parts: dict[int, dict[str, Channel]] = {}
    for channel in reversed(header.channels):
        if channel.layer == wanted:
            parts.setdefault(channel.part, {})[channel.component] = channel
    by_part = [members for _, members in sorted(parts.items())]
    for members in by_part:
        if all(component in members for component in "rgb"):
            return [members[component] for component in "rgb"]
    for members in by_part:
        if "y" in members or len(members) == 1:
            return [members.get("y") or next(iter(members.values()))] * 3
    raise BadInput(
        f"{header.path} has no R, G and B{f' in layer {layer!r}' if layer else ''} in one part",
        _there(header, layer, "Choose a layer with --plate-layer."),
    )


def mask_channel(header: Header, name: str) -> Channel:
    """Choose the mask's channel: the named one, else A, else the only one, else R of a file without other layers."""
    found = _named(header, name) if name else _default_mask(header)
    if found is None:
        raise BadInput(
            f"{header.path} has no channel {name!r}" if name else f"{header.path} has no channel to take as mask",
            _there(header, name, "Choose one with --mask-channel."),
        )
    return found


def _there(header: Header, wanted: str, what_to_do: str) -> str:
    """Return the hint for a channel or layer that is not there: the closest, and all that are."""
    names = [name for channel in header.channels for name in (channel.name, channel.name.rpartition(".")[0])]
    near = guess(wanted, filter(None, names)) if wanted else ""
    return f"{near} Channels in the file: {header.channel_names}. {what_to_do}".lstrip()


def _named(header: Header, name: str) -> Channel | None:
    wanted = Channel(0, 0, name)
    for channel in header.channels:
        if channel.name == name:
            return channel
    for channel in header.channels:
        if (channel.layer, channel.component) == (wanted.layer, wanted.component):
            return channel
    layer = [channel for channel in header.channels if channel.layer == name.lower()]
    return next((channel for channel in layer if channel.component == "a"), layer[0] if len(layer) == 1 else None)


def _default_mask(header: Header) -> Channel | None:
    main = {channel.component: channel for channel in reversed(header.channels) if channel.layer == ""}
    if "a" in main:
        return main["a"]
    if len(header.channels) == 1:
        return header.channels[0]
    # Red is that of a roto saved as a plain picture; where there are other layers, it is more likely the plate's.
    return main.get("y") or (main.get("r") if len(main) == len(header.channels) else None)
