"""Engines that plug into the server: a node keeps the name of one, and a menu offers those that the server reports.

The menus of the knobs `engine` and `maker` are the gizmo's own and cannot grow: a script whose value is not in it would
not load. So the name stands in a text knob of its own, which any name fits.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import nuke
from videomama_client.errors import Cancelled, VideoMaMaError
from videomama_client.messages import EngineState
from videomama_client.stages import MAKER
from videomama_client.wording import counted

from videomama_nuke import knobs
from videomama_nuke.main_thread import on_main
from videomama_nuke.quiet import no_trace


@dataclass(frozen=True)
class Menu:
    """The knobs of one choice of an engine: the menu of the gizmo, the name of another, and what a server has.

    Attributes:
        chosen, name, found: the knobs.
        what: the engines are called in it.
        makers: whether it is of mask makers; else of all others that take no prompts, as only a maker is given some.
    """

    chosen: str
    name: str
    found: str
    what: str
    makers: bool

    def has(self, engine: EngineState) -> bool:
        """Whether an engine can be chosen in it."""
        return engine.role == MAKER if self.makers else engine.role != MAKER and not engine.prompts


MENUS = (
    Menu("engine", "other_engine", "engines_found", "engine", makers=False),
    Menu("maker", "other_maker", "makers_found", "mask maker", makers=True),
)
FOUND = {menu.found: menu for menu in MENUS}
CHOSEN = {menu.chosen: menu for menu in MENUS}
_AWAY = "no server answers; see the tab Server"  # no path or address: a slash may split a menu
_ASKING = "asking the server"


def offer(node: nuke.Node, menu: Menu) -> None:
    """Ask the server which engines it has, in a thread, where the node is set to another engine than the menu's.

    No server is started for that. Main thread only.
    """
    if not nuke.GUI or node.knob(menu.found) is None or str(node[menu.chosen].value()) != knobs.OTHER_ENGINE:
        return
    own = tuple(cast("nuke.Enumeration_Knob", node[menu.chosen]).values())
    _show(node, menu, _ASKING, ())
    threading.Thread(
        target=_ask, args=(node, menu, knobs.connection_file_of(node), own), name="VideoMaMa engines", daemon=True
    ).start()


def take(node: nuke.Node, menu: Menu) -> None:
    """Take the name that was chosen from the engines of the server. Main thread only."""
    knob = node[menu.found]
    if knob.getValue() > 0:
        node[menu.name].setValue(str(knob.value()))
        with no_trace():
            knob.setValue(0)


def _ask(node: nuke.Node, menu: Menu, connection_file: Path | None, own: Sequence[str]) -> None:
    said, names = _reported(menu, connection_file, own)
    with suppress(Cancelled, ValueError):  # Nuke is closing, or the node is gone
        on_main(_show, node, menu, said, names)


def _reported(menu: Menu, connection_file: Path | None, own: Sequence[str]) -> tuple[str, list[str]]:
    """Return what to say of the server's engines, and the names of those that a node's own menu lacks."""
    try:
        from videomama_client import launch  # which needs ZeroMQ

        with launch.connect(connection_file, start=False) as client:
            names = [engine.name for engine in client.engines().engines if engine.name not in own and menu.has(engine)]
    except (ImportError, VideoMaMaError):
        return _AWAY, []
    said = f"{counted(len(names), menu.what)} of the server" if names else f"the server has no other {menu.what}"
    return said, names


def _show(node: nuke.Node, menu: Menu, said: str, names: Sequence[str]) -> None:
    knob = cast("nuke.Enumeration_Knob", node[menu.found])
    with no_trace():
        knob.setValue(0)  # first: a list keeps the place of what was chosen
        knob.setValues([said, *names])
