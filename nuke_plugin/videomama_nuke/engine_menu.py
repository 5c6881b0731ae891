"""Engines that plug into the server: a node keeps the name of one, and a menu offers those that the server reports.

The menu of the knob `engine` is the gizmo's own and cannot grow: a script whose value is not in it would not load. So
the name stands in a text knob of its own, which any name fits.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import nuke
from videomama_client.errors import Cancelled, VideoMaMaError
from videomama_client.wording import counted

from videomama_nuke import knobs
from videomama_nuke.main_thread import on_main
from videomama_nuke.quiet import no_trace

FOUND = "engines_found"
_NONE = "the server has no other engine"
_AWAY = "no server answers; see the tab Server"  # no path or address: a slash may split a menu
_ASKING = "asking the server"


def offer(node: nuke.Node) -> None:
    """Ask the server which engines it has, in a thread, where the node is set to another engine than the menu's.

    No server is started for that. Main thread only.
    """
    if not nuke.GUI or node.knob(FOUND) is None or str(node["engine"].value()) != knobs.OTHER_ENGINE:
        return
    own = tuple(cast("nuke.Enumeration_Knob", node["engine"]).values())
    _show(node, _ASKING, ())
    threading.Thread(
        target=_ask, args=(node, knobs.connection_file_of(node), own), name="VideoMaMa engines", daemon=True
    ).start()


def take(node: nuke.Node) -> None:
    """Take the name that was chosen from the engines of the server. Main thread only."""
    menu = node[FOUND]
    if menu.getValue() > 0:
        node["other_engine"].setValue(str(menu.value()))
        with no_trace():
            menu.setValue(0)


def _ask(node: nuke.Node, connection_file: Path | None, own: Sequence[str]) -> None:
    said, names = _reported(connection_file, own)
    with suppress(Cancelled, ValueError):  # Nuke is closing, or the node is gone
        on_main(_show, node, said, names)


def _reported(connection_file: Path | None, own: Sequence[str]) -> tuple[str, list[str]]:
    """Return what to say of the server's engines, and the names of those that are not in a node's own menu."""
    try:
        from videomama_client import launch  # which needs ZeroMQ

        with launch.connect(connection_file, start=False) as client:
            names = [engine.name for engine in client.engines().engines if engine.name not in own]
    except (ImportError, VideoMaMaError):
        return _AWAY, []
    return (f"{counted(len(names), 'engine')} of the server" if names else _NONE), names


def _show(node: nuke.Node, said: str, names: Sequence[str]) -> None:
    menu = cast("nuke.Enumeration_Knob", node[FOUND])
    with no_trace():
        menu.setValue(0)  # first: a list keeps the place of what was chosen
        menu.setValues([said, *names])
