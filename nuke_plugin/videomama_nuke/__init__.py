"""The plug-in inside Nuke. The gizmo's knobs call the functions here, one line each.

Nothing heavy is imported before a button is pressed: scripts load and render where ZeroMQ is missing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nuke


def created(node: nuke.Node) -> None:
    """A node was created, loaded or pasted."""
    from videomama_nuke import node_state

    node_state.begin(node)


def changed(node: nuke.Node, knob: nuke.Knob) -> None:
    """A knob of a node was changed."""
    from videomama_nuke import node_state

    node_state.note_change(node, knob.name())


def refine(node: nuke.Node) -> None:
    """Button: refine the node's frame range."""
    _press(node, "refine")


def refine_frame(node: nuke.Node) -> None:
    """Button: refine the current frame."""
    _press(node, "refine_frame")


def cancel(node: nuke.Node) -> None:
    """Button: stop the node's refine."""
    _press(node, "cancel")


def reload(node: nuke.Node) -> None:
    """Button: read the alphas again."""
    _press(node, "reload")


def take_from_disk(node: nuke.Node) -> None:
    """Button: show alphas that lie on disk already."""
    _press(node, "take_from_disk")


def clear(node: nuke.Node) -> None:
    """Button: remove the node's files."""
    _press(node, "clear")


def clear_old(node: nuke.Node) -> None:
    """Button: remove the node's older results."""
    _press(node, "clear_old")


def bake(node: nuke.Node) -> None:
    """Button: make plain nodes that do what this one does."""
    _press(node, "bake")


def add_point(node: nuke.Node) -> None:
    """Button: add the point to the prompts."""
    _press(node, "add_point")


def add_box(node: nuke.Node) -> None:
    """Button: add the box to the prompts."""
    _press(node, "add_box")


def add_words(node: nuke.Node) -> None:
    """Button: add the words to the prompts."""
    _press(node, "add_words")


def add_painted(node: nuke.Node) -> None:
    """Button: add the mask input on the current frame to the prompts."""
    _press(node, "add_painted")


def ask_server(node: nuke.Node) -> None:
    """Button: ask the server how it is."""
    _press(node, "ask_server")


def start_server(node: nuke.Node) -> None:
    """Button: start a server."""
    _press(node, "start_server")


def stop_server(node: nuke.Node) -> None:
    """Button: end the server."""
    _press(node, "stop_server")


def _press(node: nuke.Node, button: str) -> None:
    """Do what a button does; where a library is missing, the status line says which and what to do."""
    try:
        buttons = import_module("videomama_nuke.buttons")
    except ImportError as error:
        node["status"].setValue(str(error))
        return
    getattr(buttons, button)(node)
