"""Making and deleting nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from nuke_standin import callbacks, classes, formats, groups, loading, naming, precomp, session
from nuke_standin.nodes import Node

_GROUPS = {
    "Group": groups.Group,
    "Gizmo": groups.Group,
    "LiveGroup": groups.Group,
    "VariableGroup": groups.Group,
    "Precomp": precomp.Precomp,
}


def new_script() -> None:
    """Give the session an empty script."""
    here = session.current()
    here.root = groups.Root(classes.ROOT, None)
    here.preferences = Node(classes.PREFERENCES, None)
    here.preferences._knobs["name"]._text = "preferences"
    here.group = here.root
    here.modified = False
    here.undo.steps.clear()
    here.view = here.views()[0]


def add_formats() -> None:
    """Give the session the formats that Nuke starts with."""
    here = session.current()
    here.formats = [formats.parsed(text) for text in formats.NAMED]


def kind_of(name: str) -> Optional[Any]:
    """Return the class: built in, or a gizmo on the plug-in path."""
    found = classes.known(name)
    return found if found is not None else _gizmo(name)


def unknown_kind(name: str) -> Any:
    """Return a class for a script's node of a class that neither Nuke nor the plug-in path has."""
    here = session.current()
    if name not in here.unknown_kinds:
        here.unknown_kinds[name] = classes.opaque(name)
    return here.unknown_kinds[name]


def _gizmo(name: str) -> Optional[Any]:
    here = session.current()
    for folder in here.plugin_path:
        path = Path(folder) / f"{name}.gizmo"
        if path.is_file():
            known = here.gizmos.get(str(path))
            if known is None:
                known = here.gizmos[str(path)] = classes.NodeClass(name, (), 0, 0, file=path.as_posix())
            return known
    return None


def make(kind: Any, group: Any, original: Any = None) -> Node:
    """Make a node of a class in a group, with a free name; no callback runs yet."""
    cls = groups.Gizmo if kind.file else _GROUPS.get(kind.name, Node)
    node = cls(kind, group, original)
    if original is None:
        node._knobs["name"]._text = naming.first_free(kind.name, group)
    group._children.append(node)
    session.current().changed(lambda: _remove(node), f"create {node._name()}")
    if kind.file and original is None:
        try:
            loading.fill_gizmo(node)
        except loading.LoadError:
            _remove(node)
            raise
    _apply_defaults(node)
    return node


def _apply_defaults(node: Node) -> None:
    """Apply what nuke.knobDefault said for the class."""
    here = session.current()
    for name, text in here.knob_defaults.items():
        cls, _, knob = name.partition(".")
        if cls in (node._class_name(), "*") and knob in node._knobs:
            _apply_default(node, node._knobs[knob], text)


def _apply_default(node: Node, knob: Any, text: str) -> None:
    here = session.current()
    try:
        knob._load(text)
    except ValueError as error:
        if not here.forgiving:
            raise
        here.load_notes.append(f"knob_default {node._class_name()}.{knob._name}: {error}")
        return
    knob._freeze()
    node._kind.on_set(node, knob)


def create(name: str, knobs: Any, connect: bool) -> Node:
    """Make a node as Python does; with `connect`, as nuke.createNode does: to the selection, panel open."""
    here = session.current()
    here.refuse_when_busy()
    kind = kind_of(name)
    if kind is None:
        raise RuntimeError(f"{name}: Unknown command")
    chosen = [node for node in here.group._children if node.isSelected()] if connect else []
    here.undo.begin(f"create {name}")
    made: list[Any] = []
    whole = False
    try:
        made.append(make(kind, here.group))
        _finish(made[0], knobs, connect, chosen)
        whole = True
    finally:
        here.undo.end(keep=whole)
        if not whole:  # where undo is off, it took nothing back
            forget(made)
    return made[0]


def _finish(node: Node, knobs: Any, connect: bool, chosen: list) -> None:
    loading.take_arguments(node, knobs)
    if connect:
        _connect(node, chosen)
    loading.announce(node)


def _connect(node: Node, chosen: list) -> None:
    for index, above in enumerate(reversed(chosen)):
        if index >= max(1, node.minInputs()) or not node.canSetInput(index, above):
            break
        node._connect(index, above)
    for other in node._group._children:
        other._knobs["selected"]._load("true" if other is node else "false")
    node.autoplace()


def delete(node: Any) -> None:
    """Delete a node and what is inside; what it fed has that input open."""
    here = session.current()
    here.refuse_when_busy()
    if not isinstance(node, Node):
        raise TypeError("nuke.delete needs a node")
    node._check()
    if node._group is None:
        raise ValueError("the root cannot be deleted")
    callbacks.run("onDestroy", node)
    inner = node._descendants() if isinstance(node, groups.Group) else []
    for one in reversed(inner):
        callbacks.run("onDestroy", one)
    _remove(node)


def forget(nodes: list) -> None:
    """Take pasted nodes back."""
    for node in nodes:
        if not node._deleted:
            _remove(node)


def _remove(node: Any) -> None:
    group = node._group
    place = group._children.index(node)
    fed = [(one, at) for one in group._children for at, above in enumerate(one._inputs) if above is node]
    for one, at in fed:
        one._connect(at, None)
    group._children.remove(node)
    inner = node._descendants() if isinstance(node, groups.Group) else []
    for one in [node, *inner]:
        one._deleted = True

    def restore() -> None:
        for one in [node, *inner]:
            one._deleted = False
        group._children.insert(place, node)
        for one, at in fed:
            one._connect(at, node)

    session.current().changed(restore, f"delete {node._name()}")
