# ruff: noqa: N802 - these are Nuke's names
"""Nodes that hold nodes: Group, Gizmo and Root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from nuke_standin import naming, session
from nuke_standin.nodes import Node


class Group(Node):
    """A node with a graph inside; its inputs are the Input nodes there."""

    _saves_content = True

    def __init__(self, kind: Any, group: Any, original: Any = None) -> None:
        self._children: list[Any] = []
        self._before: list[Any] = []
        super().__init__(kind, group, original)

    def _child(self, name: str) -> Any:
        return next((node for node in self._children if node._name() == name), None)

    def _max_inputs(self) -> int:
        return sum(node._class_name() == "Input" for node in self._children)

    def _descendants(self) -> list:
        """Return every node inside, inner ones before the group that holds them."""
        found: list[Any] = []
        for node in self._children:
            found += [*(node._descendants() if isinstance(node, Group) else []), node]
        return found

    def nodes(self) -> list:
        return list(self._children)

    def numNodes(self) -> int:
        return len(self._children)

    def node(self, s: str) -> Optional[Node]:
        return naming.find(s, self)

    def selectedNodes(self) -> list:
        return [node for node in self._children if node.isSelected()]

    def selectedNode(self) -> Any:
        found = self.selectedNodes()
        if not found:
            raise ValueError("no node selected")
        return found[-1]

    def begin(self) -> Any:
        here = session.current()
        self._before.append(here.group)
        here.group = self
        return self

    def end(self) -> None:
        if self._before:
            session.current().group = self._before.pop()

    def run(self, callable: Callable) -> Any:  # noqa: A002 - Nuke's name
        with self:
            return callable()

    def output(self) -> Optional[Node]:
        return next((node for node in self._children if node._class_name() == "Output"), None)

    def __enter__(self) -> Any:
        return self.begin()

    def __exit__(self, kind: Any, value: Any, trace: Any) -> bool:
        self.end()
        return False


class Gizmo(Group):
    """An instance of a .gizmo file: what is inside comes from there and is not saved."""

    _saves_content = False

    def filename(self) -> str:
        return self._kind.file

    def command(self) -> str:
        return self._kind.name

    def makeGroup(self) -> Group:
        from nuke_standin import loading  # reads text, for which it needs this module

        return loading.group_from_gizmo(self)


class Root(Group):
    """The script. It has no inputs and cannot be deleted."""

    def _max_inputs(self) -> int:
        return 0

    def _full_name(self) -> str:
        return "root"

    def fullName(self) -> str:
        return "root"

    def name(self) -> str:
        """Return the script's path, or `Root` while it has none."""
        return self._knobs["name"]._text or "Root"

    def modified(self) -> bool:
        return session.current().modified

    def setModified(self, modified: bool) -> None:
        session.current().modified = bool(modified)

    def firstFrame(self) -> int:
        return int(self._knobs["first_frame"].at(None))

    def lastFrame(self) -> int:
        return int(self._knobs["last_frame"].at(None))

    def fps(self) -> int:
        return int(self._knobs["fps"].at(None))

    def realFps(self) -> float:
        return float(self._knobs["fps"].at(None))

    def proxy(self) -> bool:
        return bool(self._knobs["proxy"].at(None))

    def setProxy(self, proxy: bool) -> None:
        self._knobs["proxy"].setValue(bool(proxy))

    def setFrame(self, frame: float) -> None:
        self._knobs["frame"].setValue(float(frame))

    def setView(self, view: str) -> None:
        if view not in session.current().views():
            raise ValueError(f"no view {view!r}")
        session.current().view = view

    def format(self) -> Any:
        return self._knobs["format"].value()

    def width(self) -> int:
        return self.format().width()

    def height(self) -> int:
        return self.format().height()

    def pixelAspect(self) -> float:
        return self.format().pixelAspect()

    def addView(self, name: str) -> None:
        here = session.current()
        if name in here.views():
            raise ValueError(f"there is a view {name!r} already")
        knob = self._knobs["views"]
        knob.setValue(f'{knob._text}\n{{{name} ""}}')

    def deleteView(self, name: str) -> None:
        knob = self._knobs["views"]
        left = [view for view in knob.names() if view != name]
        if not left or len(left) == len(knob.names()):
            raise ValueError(f"cannot delete view {name!r}")
        knob.setValue("\n".join(f'{{{view} ""}}' for view in left))

    def layers(self) -> list:
        return session.current().layers.names()

    def channels(self) -> list:
        return session.current().layers.all_channels()
