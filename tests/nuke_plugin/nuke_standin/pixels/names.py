"""Names of channels on their way from EXR files into Nuke and back."""

from __future__ import annotations

import re

from nuke_standin.pixels.channel_sets import RGB

SHORT = {
    **dict.fromkeys(("R", "r", "Red", "RED", "red"), "red"),
    **dict.fromkeys(("G", "g", "Green", "GREEN", "green"), "green"),
    **dict.fromkeys(("B", "b", "Blue", "BLUE", "blue"), "blue"),
    **dict.fromkeys(("A", "a", "Alpha", "ALPHA", "alpha"), "alpha"),
}
WRITTEN = {"rgba.red": "R", "rgba.green": "G", "rgba.blue": "B", "rgba.alpha": "A"}


def mapped(names: list[str], raw: bool, view: str = "", views: tuple[str, ...] = ()) -> dict[str, str]:
    """Nuke's channels of a file ▸ the file's own names. `views` is the header's multiView, hero view first.

    `Y` alone is a grey picture: red, and green and blue as well unless the Read is raw.
    """
    table: dict[str, str] = {}
    for name in names:
        own, rest = _without_view(name, views)
        if not views or own == (view if view in views else views[0]):
            for channel in _nuke_names(rest, raw):
                table.setdefault(channel, name)
    return table


def written(channel: str, full: bool = False) -> str:
    """The name under which an EXR file carries a channel: R, G, B, A, or layer.channel."""
    return channel if full else WRITTEN.get(channel, channel)


def _without_view(name: str, views: tuple[str, ...]) -> tuple[str, str]:
    head, dot, rest = name.partition(".")
    if dot and head in views:
        return head, rest
    first, dot, last = rest.partition(".")
    if dot and first in views:
        return first, f"{head}.{last}"
    return (views[0] if views else ""), name


def _nuke_names(name: str, raw: bool) -> list[str]:
    layer, _, channel = name.rpartition(".")
    layer = _clean(layer)
    if layer in ("", "rgba", "Ci"):
        if channel == "Y":
            return ["rgba.red"] if raw else list(RGB)
        if channel in SHORT:
            return ["rgba." + SHORT[channel]]
        if channel in ("Z", "z"):
            return ["depth.Z"]
        layer = layer or "other"  # a hypothesis: what Nuke calls the layer of a lone odd name is not documented
    return [f"{layer}.{SHORT.get(channel, _clean(channel))}"]


def _clean(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", word.lstrip("0123456789"))
