"""Layers and channels: which exist, and what a channel set means."""

from __future__ import annotations

_BUILT_IN = {
    "rgb": ["rgba.red", "rgba.green", "rgba.blue"],
    "rgba": ["rgba.red", "rgba.green", "rgba.blue", "rgba.alpha"],
    "alpha": ["rgba.alpha"],
    "depth": ["depth.Z"],
    "motion": ["forward.u", "forward.v", "backward.u", "backward.v"],
    "forward": ["forward.u", "forward.v"],
    "backward": ["backward.u", "backward.v"],
    "mask": ["mask.a"],
}
_SHORT = {"red": "rgba.red", "green": "rgba.green", "blue": "rgba.blue"}


class Layers:
    """The layers of a session: built in, and added by a script, by Python or by a file."""

    def __init__(self) -> None:
        self._channels = {name: list(found) for name, found in _BUILT_IN.items()}

    def add(self, name: str, channels: list[str]) -> None:
        """Add a layer, or channels to it."""
        known = self._channels.setdefault(name, [])
        known += [f"{name}.{channel.rpartition('.')[2]}" for channel in channels if _full(name, channel) not in known]

    def names(self) -> list[str]:
        """Return the names of all layers."""
        return list(self._channels)

    def channels(self, layer: str) -> list[str]:
        """Return a layer's channels; raises ValueError for an unknown one."""
        if layer not in self._channels:
            raise ValueError(f"no layer {layer!r}")
        return list(self._channels[layer])

    def all_channels(self) -> list[str]:
        """Return every channel once."""
        return list(dict.fromkeys(name for found in self._channels.values() for name in found))

    def channel(self, name: str) -> str:
        """Return a channel's full name (or none); raises ValueError for an unknown one."""
        if name in ("none", ""):
            return "none"
        full = _SHORT.get(name, "rgba.alpha" if name == "alpha" else name)
        if full not in self.all_channels():
            raise ValueError(f"no channel {name!r}")
        return full

    def expand(self, text: str) -> list[str]:
        """Return the channels that a set means: `all`, `none`, layers, channels, `{rgba.red -rgba.green}`."""
        found: list[str] = []
        for word in text.replace(",", " ").split():
            if word == "all":
                found += self.all_channels()
            elif word in self._channels:
                found += self._channels[word]
            elif word != "none" and not word.startswith("-"):
                found.append(self.channel(word))
        return list(dict.fromkeys(found))


def _full(layer: str, channel: str) -> str:
    return f"{layer}.{channel.rpartition('.')[2]}"
