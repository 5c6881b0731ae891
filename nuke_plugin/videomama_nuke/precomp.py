"""Precomps, whose nodes are those of another script: the script around them does not save what changes inside.

Also gizmos, inside which nothing is saved either, and Writes that show the files that they have rendered. Main thread
only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import nuke

from videomama_nuke import paths

_CLASS = "Precomp"


def around(node: nuke.Node) -> nuke.Node | None:
    """Return the innermost Precomp that holds a node; None for none."""
    return next((group for group in _holders(node) if group.Class() == _CLASS), None)


def _holders(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield the groups that hold a node, the innermost first, without the script's root."""
    group = node.parent()
    while group is not None and group != nuke.root():
        yield group
        group = group.parent()


def script_of(node: nuke.Node) -> Path | None:
    """Return the file of the script that a node is saved in; None while it has none."""
    holder = around(node)
    if holder is not None:
        return Path(paths.opened(holder["file"], nuke.views()[0]))
    return opened_script()


def opened_script() -> Path | None:
    """Return the file of the open script; None while it has none."""
    name = nuke.root().name()
    return None if name in ("", "Root") else Path(name).absolute()


def caution(node: nuke.Node) -> list[str]:
    """Return what to tell whoever refines a node that the open script does not save; nothing for any other."""
    holder, gizmo = around(node), _gizmo_around(node)
    if holder is not None:
        return [
            f"{holder.fullName()} is not saved with this script. The alphas are found again when the script is opened. "
            f"Change settings in {script_of(node)}, then reload the Precomp."
        ]
    if gizmo is not None:
        return [
            f"{gizmo.fullName()} is a gizmo, and a script does not save what changes inside a gizmo. "
            "Make a group of it and refine there; otherwise this result is lost when the script is closed."
        ]
    return []


def _gizmo_around(node: nuke.Node) -> nuke.Node | None:
    """Return the innermost gizmo that holds a node and has no knob of its own for the node's record; None for none."""
    gizmos = (group for group in _holders(node) if isinstance(group, nuke.Gizmo))
    return next((gizmo for gizmo in gizmos if not _keeps_record(gizmo, node)), None)


def _keeps_record(gizmo: nuke.Node, node: nuke.Node) -> bool:
    links = [knob.getLinkedKnob() for knob in gizmo.knobs().values() if isinstance(knob, nuke.Link_Knob)]
    return any(found is not None and found.name() == "record" and found.node() == node for found in links)


def end_of(group: nuke.Node) -> nuke.Node | None:
    """Return the node whose picture a group shows; a Precomp without an Output shows a Write that it names."""
    own = cast("nuke.Group", group)
    end: nuke.Node | None = own.output()
    if group.Class() != _CLASS or (end is not None and not group["useOutput"].value()):
        return end
    named = str(group["output"].value())
    return own.node(named) if named else None


def written(node: nuke.Node) -> nuke.Node | None:
    """Return the Write whose rendered files a node shows instead of a picture that Nuke computes; None for none."""
    knob = node.knob("reading")
    if knob is None or not knob.value():
        return None
    if node.Class() == "Write":
        return node
    end = end_of(node) if node.Class() == _CLASS else None
    return end if end is None or end.Class() == "Write" else end.input(0)
