"""The plug-in inside Nuke. The gizmo's knobs call the functions here, one line each.

Nothing heavy is imported before a button is pressed: scripts load and render where ZeroMQ is missing.
"""

from __future__ import annotations

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
    from videomama_nuke import buttons

    buttons.refine(node)


def refine_frame(node: nuke.Node) -> None:
    """Button: refine the current frame."""
    from videomama_nuke import buttons

    buttons.refine_frame(node)


def cancel(node: nuke.Node) -> None:
    """Button: stop the node's refine."""
    from videomama_nuke import buttons

    buttons.cancel(node)


def reload(node: nuke.Node) -> None:
    """Button: read the alphas again."""
    from videomama_nuke import buttons

    buttons.reload(node)


def clear(node: nuke.Node) -> None:
    """Button: remove the node's files."""
    from videomama_nuke import buttons

    buttons.clear(node)


def bake(node: nuke.Node) -> None:
    """Button: make plain nodes that do what this one does."""
    from videomama_nuke import buttons

    buttons.bake(node)


def ask_server(node: nuke.Node) -> None:
    """Button: ask the server how it is."""
    from videomama_nuke import buttons

    buttons.ask_server(node)


def start_server(node: nuke.Node) -> None:
    """Button: start a server."""
    from videomama_nuke import buttons

    buttons.start_server(node)


def stop_server(node: nuke.Node) -> None:
    """Button: end the server."""
    from videomama_nuke import buttons

    buttons.stop_server(node)
