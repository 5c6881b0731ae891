# ruff: noqa: N802, N803, N815 - these are Nuke's names
"""Nodes: what the API asks of them."""

from __future__ import annotations

from typing import Any

from nuke_standin import callbacks, knobs, naming, session, writing
from nuke_standin.flags import OTHERS
from nuke_standin.node_pictures import PicturedNode, upstream


class Node(PicturedNode):
    """A node. Internal names begin with an underscore, except `real_inputs`."""

    # -- identity --

    def Class(self) -> str:
        return self._class_name()

    def name(self) -> str:
        return self._name()

    def fullName(self) -> str:
        return self._full_name()

    def setName(self, name: str, uncollide: bool = True, updateExpressions: bool = True) -> None:
        naming.rename(self, name, uncollide, updateExpressions)

    def parent(self) -> Any:
        return self._group

    def help(self) -> str:
        return self._knobs["help"]._text

    def isClone(self) -> bool:
        return self._original is not None or any(node._original is self for node in naming.siblings(self))

    def clones(self) -> int:
        first = self._original or self
        return sum(node._original is first for node in naming.siblings(self))

    # -- knobs --

    def knob(self, p: Any, follow_link: bool = False) -> Any:
        if isinstance(p, int):
            return list(self._knobs.values())[p] if 0 <= p < len(self._knobs) else None
        found = self._knobs.get(p)
        if follow_link and isinstance(found, knobs.Link_Knob):
            return found.getLinkedKnob()
        return found

    def knobs(self) -> dict:
        return dict(self._knobs)

    def allKnobs(self) -> list:
        return list(self._knobs.values())

    def numKnobs(self) -> int:
        return len(self._knobs)

    getNumKnobs = numKnobs

    def __getitem__(self, name: str) -> Any:
        session.threads.only_main("Node.__getitem__")
        self._check()
        if not isinstance(name, str):
            raise TypeError("a knob's name is a string")
        if name not in self._knobs:
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def __len__(self) -> int:
        return len(self._knobs)

    def __bool__(self) -> bool:
        return True

    def addKnob(self, knob: Any) -> None:
        if knob._name in self._knobs and knob._name:
            raise ValueError(f"{self._name()} has a knob {knob._name!r} already")
        if isinstance(knob, knobs.Tab_Knob) is False and not any(k._user_kind == 20 for k in self._knobs.values()):
            tab = knobs.Tab_Knob("User")
            tab._user_kind = 20
            self._take(tab)
        knob._user_kind = writing.user_kind(knob) if knob._user_kind is None else knob._user_kind
        knob._freeze()
        knob._added = True
        writing.place(self, knob)
        session.current().changed(lambda: self._knobs.pop(knob._name, None), f"add knob {knob._name}")

    def removeKnob(self, knob: Any) -> None:
        if self._knobs.get(knob._name) is not knob or knob._user_kind is None:
            raise ValueError(f"{knob._name} is no user knob of {self._name()}")
        del self._knobs[knob._name]
        session.current().changed(lambda: self._take(knob), f"remove knob {knob._name}")

    def readKnobs(self, s: str) -> None:
        writing.read_knobs(self, s)

    def writeKnobs(self, flags: int = OTHERS["WRITE_ALL"]) -> str:
        return writing.knob_lines(self, flags)

    def resetKnobsToDefault(self) -> None:
        for knob in self._knobs.values():
            if knob._name not in ("name", "xpos", "ypos", "selected") and not knob._is_default():
                knob._change(knob._default)

    # -- inputs --

    def input(self, index: int) -> Any:
        return self._input(index)

    def inputs(self) -> int:
        """Return one more than the last connected input."""
        return len(self._inputs)

    def maxInputs(self) -> int:
        return self._max_inputs()

    maximumInputs = maxInputs

    def minInputs(self) -> int:
        return self._kind.min_inputs

    minimumInputs = minInputs

    def maxOutputs(self) -> int:
        return self._kind.outputs

    def optionalInput(self) -> int:
        """Return the input that may stay empty: the mask."""
        return self._kind.mask if self._kind.mask is not None else self._max_inputs()

    def canSetInput(self, i: int, node: Any) -> bool:
        if not 0 <= i < self._max_inputs():
            return False
        if node is None:
            return True
        return node._kind.outputs > 0 and node._group is self._group and self not in upstream(node)

    def setInput(self, i: int, node: Any) -> bool:
        if node is not None and not isinstance(node, Node):
            raise TypeError("an input is a node or None")
        if not self.canSetInput(i, node):
            return False
        before = self._input(i)
        if before is node:
            return True
        self._connect(i, node)
        session.current().changed(lambda: self._connect(i, before), f"{self._name()} input {i}")
        self._pseudo("inputChange")
        return True

    def connectInput(self, i: int, node: Any) -> bool:
        """Connect to the first free input from i on."""
        for at in range(i, self._max_inputs()):
            if self._input(at) is None:
                return self.setInput(at, node)
        return self.setInput(i, node)

    def dependencies(self, what: int = 13, /) -> list:
        """Return the nodes that this one needs: by its inputs, and by expressions."""
        kind = "HIDDEN_INPUTS" if self._knobs["hide_input"].at(None) else "INPUTS"
        found = [node for node in self._inputs if node is not None] if what & OTHERS[kind] else []
        if what & OTHERS["EXPRESSIONS"]:
            found += writing.referred(self)
        return list(dict.fromkeys(found))

    def dependent(self, what: int = 13, forceEvaluate: bool = True, /) -> list:
        return [node for node in naming.siblings(self) if node is not self and self in node.dependencies(what)]

    # -- panel and place --

    def shown(self) -> bool:
        return self._panel

    def showControlPanel(self, forceFloat: bool = False) -> None:
        if session.current().gui:
            self._panel = True
            self._pseudo("showPanel")

    def hideControlPanel(self) -> None:
        if self._panel:
            self._pseudo("hidePanel")
        self._panel = False

    def isSelected(self) -> bool:
        return bool(self._knobs["selected"].at(None)) if "selected" in self._knobs else False

    def setSelected(self, selected: bool) -> None:
        self._knobs["selected"]._load("true" if selected else "false")

    def selectOnly(self) -> None:
        for node in naming.siblings(self):
            node.setSelected(node is self)

    def xpos(self) -> int:
        return int(self._knobs["xpos"].at(None))

    def ypos(self) -> int:
        return int(self._knobs["ypos"].at(None))

    def setXpos(self, x: int) -> None:
        self._knobs["xpos"].setValue(int(x))

    def setYpos(self, y: int) -> None:
        self._knobs["ypos"].setValue(int(y))

    def setXYpos(self, x: int, y: int) -> None:
        self.setXpos(x)
        self.setYpos(y)

    def screenWidth(self) -> int:
        return 80 if session.current().gui else 0

    def screenHeight(self) -> int:
        return 18 if session.current().gui else 0

    def autoplace(self) -> None:
        above = self._input(0)
        self.setXYpos(*(0, 0) if above is None else (above.xpos(), above.ypos() + 50))

    def proxy(self) -> bool:
        return bool(session.current().root._knobs["proxy"].at(None))

    def forceValidate(self) -> None:
        self._facts()

    def sample(self, channel: str, x: float, y: float, dx: float = 1, dy: float = 1, frame: Any = None) -> float:
        """Return the mean of a channel over whole pixels around x, y. The real one filters cubically."""
        from nuke_standin import evaluate

        now = knobs.here_and_now()
        now = now if frame is None else now._replace(frame=float(frame))
        left, bottom = int(x - (dx - 1) / 2), int(y - (dy - 1) / 2)
        channel = session.current().layers.channel(channel)
        return evaluate.sample(self, channel, (left, bottom, left + max(1, int(dx)), bottom + max(1, int(dy))), now)

    def redraw(self) -> None:
        """Nothing is drawn here."""

    def addCallback(self, name: str, callback: Any) -> None:
        if name not in callbacks.KINDS:
            raise ValueError(f"no callback {name!r}")
        self._own_callbacks.setdefault(name, []).append(callback)

    def removeCallback(self, name: str, callback: Any) -> None:
        self._own_callbacks[name].remove(callback)

    def clearCallbacks(self) -> None:
        self._own_callbacks.clear()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object {'(deleted)' if self._deleted else self._full_name()}>"
