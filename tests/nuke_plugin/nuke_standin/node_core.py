"""What the double itself uses of a node: its knobs, its inputs, who hears of a change."""

from __future__ import annotations

from typing import Any

from nuke_standin import callbacks, knobs, session
from nuke_standin.flags import FLAGS
from nuke_standin.session import Guarded

OWN_OF_CLONES = ("xpos", "ypos", "selected")  # all else is shared between clones


class NodeCore(Guarded):
    """A node. Internal names begin with an underscore, except `real_inputs`."""

    def __init__(self, kind: Any, group: Any, original: Any = None) -> None:
        self._kind = kind
        self._group = group
        self._deleted = False
        self._panel = False
        self._inputs: list[Any] = []
        self._declared = (0, 0)  # how many inputs a script gave the node, without and for its mask
        self._original = original
        self._knobs: dict[str, Any] = {}
        self._own_callbacks: dict[str, list] = {}
        self._reacting = False
        for knob in kind.make_knobs():
            self._take(knob)
        if original is not None:
            own = {name: self._knobs[name] for name in OWN_OF_CLONES if name in self._knobs}
            self._knobs = {**original._knobs, **own}

    def _check(self) -> None:
        if self._deleted:
            raise ValueError(session.DETACHED)

    def _take(self, knob: Any) -> None:
        if knob._name in self._knobs:
            knob = _kept(self._knobs[knob._name], knob)
        knob._node = self
        self._knobs[knob._name] = knob

    def _name(self) -> str:
        return self._knobs["name"]._text

    def _class_name(self) -> str:
        return self._kind.name

    def _full_name(self) -> str:
        around = self._group
        if around is None or around._group is None:
            return self._name()
        return f"{around._full_name()}.{self._name()}"

    def _root(self) -> Any:
        return session.current().root

    def _input(self, index: int) -> Any:
        return self._inputs[index] if 0 <= index < len(self._inputs) else None

    def _max_inputs(self) -> int:
        return self._kind.max_inputs

    def _connect(self, index: int, node: Any) -> None:
        while len(self._inputs) <= index:
            self._inputs.append(None)
        self._inputs[index] = node
        while self._inputs and self._inputs[-1] is None:
            self._inputs.pop()

    def _knob_was_set(self, knob: Any) -> None:
        self._kind.on_set(self, knob)
        if self._hears(knob):
            self._say_changed(knob)

    def _hears(self, knob: Any) -> bool:
        """A knobChanged runs with the panel open, and while a script is read; not within another one."""
        if self._reacting and not knob._flags & FLAGS["KNOB_CHANGED_RECURSIVE"]:
            return False
        return self._panel or session.current().loading > 0

    def _say_changed(self, knob: Any) -> None:
        if not callbacks.wanted("knobChanged", self) and "knobChanged" not in self._own_callbacks:
            return
        before, self._reacting = self._reacting, True
        try:
            callbacks.run("knobChanged", self, knob)
            self._run_own("knobChanged", knob)
        finally:
            self._reacting = before

    def _pseudo(self, name: str) -> None:
        """Report what is no knob: showPanel, hidePanel, inputChange."""
        knob = knobs.Obsolete_Knob(name)
        knob._node = self
        self._say_changed(knob)

    def _run_own(self, kind: str, knob: Any = None) -> None:
        for call in self._own_callbacks.get(kind, []):
            with session.current().called_for(self, knob):
                call()

    def _facts(self, context: Any = None) -> Any:
        from nuke_standin import evaluate  # the half that knows pictures; it builds on this one

        return evaluate.facts(self, context or knobs.here_and_now())

    def real_inputs(self) -> list:
        """Return one item per connected or skipped input, None where nothing is. Not part of Nuke."""
        return list(self._inputs)


def _kept(old: Any, new: Any) -> Any:
    """A knob that comes again, with another file type, keeps its value where it can."""
    return old if type(old) is type(new) and old._user_kind is None else new
