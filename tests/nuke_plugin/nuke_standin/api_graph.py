# ruff: noqa: N802, N803, A002 - these are Nuke's names
"""The functions of `nuke` that find, make, delete and describe nodes, and that run for callbacks."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin import callbacks, creation, expressions, groups, knobs, loading, naming, ranges, saving, session
from nuke_standin.flags import OTHERS


def toNode(s: str) -> Any:
    if not isinstance(s, str):
        raise TypeError("toNode needs a name")
    return naming.find(s, session.current().group)


def exists(s: str) -> bool:
    here, rest = expressions.walk(s, _first())
    if rest:
        return len(rest) == 1 and rest[0] in here._knobs
    return here is not None


def _first() -> Any:
    here = session.current()
    return here.this[-1][0] if here.this else here.group


def root() -> Any:
    return session.current().root


def thisNode() -> Any:
    """Return the node for which code runs now, else the current group."""
    return _first()


def thisGroup() -> Any:
    return session.current().group


def thisParent() -> Any:
    here = session.current()
    return here.this[-1][0]._group if here.this else here.group._group


def thisKnob() -> Any:
    here = session.current()
    return here.this[-1][1] if here.this else None


def thisClass() -> str:
    return _first()._class_name()


def thisView() -> str:
    return session.current().view


def allNodes(filter: Optional[str] = None, group: Any = None, recurseGroups: bool = False) -> list:
    group = session.current().group if group is None else group
    found = group._descendants() if recurseGroups else list(group._children)
    return [node for node in found if filter is None or node._class_name() == filter]


def selectedNodes(filter: Optional[str] = None) -> list:
    found = [node for node in session.current().group._children if node.isSelected()]
    return [node for node in found if filter is None or node._class_name() == filter][::-1]


def selectedNode() -> Any:
    found = selectedNodes()
    if not found:
        raise ValueError("no node selected")
    return found[0]


def createNode(typ: str, knobs: str = "", inpanel: bool = True) -> Any:
    """Make a node on the selected one, with its panel open."""
    here = session.current()
    if not isinstance(typ, str) or not isinstance(knobs, str):
        raise TypeError("createNode needs a class and text of knobs and values")
    made = creation.create(typ, knobs, connect=True)
    if here.gui:
        callbacks.run("onUserCreate", made)
        if inpanel:
            made.showControlPanel()
    return made


class Nodes:
    """`nuke.nodes.Blur(size=3)`: makes nodes in the current group, connected to nothing, without a panel."""

    def __getattr__(self, name: str) -> Any:
        session.threads.only_main(f"nuke.nodes.{name}")
        if name.startswith("_"):
            raise AttributeError(name)
        if creation.kind_of(name) is None:
            raise AttributeError(f"nuke.nodes has no class {name!r}")
        return lambda **given: creation.create(name, given, connect=False)


def delete(n: Any) -> None:
    creation.delete(n)


def nodeDelete(s: str = "") -> bool:
    found = selectedNodes()
    for node in found:
        creation.delete(node)
    return bool(found)


def clone(n: Any, args: str = "", inpanel: bool = False) -> Any:
    here = session.current()
    here.refuse_when_busy()
    made = creation.make(n._kind, n._group, n._original or n)
    loading.take_arguments(made, args)
    return made


def autoplace(n: Any) -> None:
    n.autoplace()


def show(n: Any, forceFloat: bool = False) -> None:
    n.showControlPanel(forceFloat)


def inputs(n: Any, i: Optional[int] = None) -> int:
    return n.inputs()


def selectAll() -> None:
    for node in session.current().group._children:
        node.setSelected(True)


def invertSelection() -> None:
    for node in session.current().group._children:
        node.setSelected(not node.isSelected())


def dependencies(nodes: Any, what: int = OTHERS["INPUTS"] | OTHERS["HIDDEN_INPUTS"] | OTHERS["EXPRESSIONS"]) -> list:
    given = nodes if isinstance(nodes, (list, tuple)) else [nodes]
    found = [above for node in given for above in node.dependencies(what)]
    return [node for node in dict.fromkeys(found) if node not in given]


def dependentNodes(what: int = 13, nodes: Any = (), evaluateAll: bool = True) -> list:
    given = nodes if isinstance(nodes, (list, tuple)) else [nodes]
    return list(dict.fromkeys(below for node in given for below in node.dependent(what)))


def collapseToGroup(show: bool = True) -> Any:
    """Put the selected nodes into a new Group; only without connections to the outside."""
    here = session.current()
    here.refuse_when_busy()
    chosen = selectedNodes()
    if any(above is not None and above not in chosen for node in chosen for above in node._inputs):
        raise NotImplementedError("the double collapses only nodes that are fed by each other")
    made = creation.create("Group", "", connect=False)
    for node in chosen[::-1]:
        here.group._children.remove(node)
        node._group = made
        made._children.append(node)
    return made


def nodeCopy(s: str) -> bool:
    """Copy the selected nodes to a file, or to the clipboard of a GUI session."""
    here = session.current()
    text = saving.selection_text([node for node in here.group._children if node.isSelected()])
    if s == "%clipboard%":
        if not here.gui:
            raise RuntimeError("there is no clipboard in terminal mode")
        here.clipboard = text
    else:
        saving.write_file(s, text)
    return True


def nodePaste(s: str) -> Any:
    """Add the nodes of a file or the clipboard to the current group, under free names, connected to the selection."""
    here = session.current()
    here.refuse_when_busy()
    if s == "%clipboard%" and not here.gui:
        raise RuntimeError("there is no clipboard in terminal mode")
    text = here.clipboard if s == "%clipboard%" else saving.read_file(s)
    chosen = selectedNodes()
    made = loading.load_text(text, with_root=False, where=s)
    if chosen and made and made[0]._max_inputs() > 0 and not made[0]._inputs:
        made[0]._connect(0, chosen[0])
        made[0]._pseudo("inputChange")
    for node in here.group._children:
        node.setSelected(node in made)
    return made[-1] if made else None


def channels(node: Any = None) -> list:
    return node.channels() if node is not None else session.current().layers.all_channels()


def layers(node: Any = None) -> list:
    if node is None:
        return session.current().layers.names()
    return list(dict.fromkeys(name.rpartition(".")[0] for name in node.channels()))


def filename(node: Any, i: Optional[int] = None) -> Optional[str]:
    """Return a node's path: as it is, or with nuke.REPLACE for the current frame and view."""
    knob = node._knobs.get("file")
    if knob is None:
        raise ValueError(f"{node._full_name()} has no file name")
    if i == OTHERS["REPLACE"]:
        return knob.at(None) or None
    return knob.value() or None


def expression(s: str) -> float:
    return expressions.evaluate(s, _first(), knobs.here_and_now())


def value(knob: str, default: Optional[str] = None) -> str:
    if default is not None and not exists(knob):
        return default
    return expressions.text_of(expressions.name_value(knob, _first(), knobs_now()))


def numvalue(knob: str, default: Optional[float] = None) -> float:
    if default is not None and not exists(knob):
        return default
    return float(expressions.name_value(knob, _first(), knobs_now()))


def knobs_now() -> Any:
    """Return the context of here and now, for functions whose parameter hides the module `knobs`."""
    return _now()


_now = knobs.here_and_now


def knob(name: str, value: Any = None) -> Any:
    here, rest = expressions.walk(name, _first())
    if len(rest) != 1 or rest[0] not in here._knobs:
        raise RuntimeError(f"no knob {name!r}")
    found = here._knobs[rest[0]]
    if value is None:
        return found.toScript()
    return found.fromScript(str(value))


def frame(f: Optional[int] = None) -> int:
    if f is not None:
        root().setFrame(f)
    return int(session.current().frame())


def knobDefault(classknob: str, value: Any = None) -> Any:
    here = session.current()
    if value is None:
        return here.knob_defaults.get(classknob)
    if "." not in classknob:
        raise ValueError("knobDefault needs Class.knob")
    here.knob_defaults[classknob] = str(value)
    return None


def nodeTypes(force_plugin_load: bool = False) -> list:
    from nuke_standin import classes

    return sorted(classes.CLASSES)


def stripFrameRange(clipname: str) -> str:
    return clipname.rpartition(" ")[0] if " " in clipname else clipname


PUBLIC = (
    toNode, exists, root, thisNode, thisGroup, thisParent, thisKnob, thisClass, thisView, allNodes, selectedNodes,
    selectedNode, createNode, delete, nodeDelete, clone, autoplace, show, inputs, selectAll, invertSelection,
    dependencies, dependentNodes, collapseToGroup, nodeCopy, nodePaste, channels, layers, filename, expression, value,
    numvalue, knob, frame, knobDefault, nodeTypes, stripFrameRange,
)  # fmt: skip
CLASSES = (
    groups.Node, groups.Group, groups.Gizmo, groups.Root, ranges.FrameRange, ranges.FrameRanges,
)  # fmt: skip
