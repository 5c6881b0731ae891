# ruff: noqa: N802 - these are Nuke's names
"""Knobs: the base class, and the context in which a knob is evaluated."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from nuke_standin import session, threads
from nuke_standin.flags import FLAGS
from nuke_standin.session import Guarded
from nuke_standin.words import split


class Context(NamedTuple):
    """Where a knob is evaluated."""

    frame: float
    view: str = "main"
    proxy: bool = False


def here_and_now() -> Context:
    """Return the context that the session shows: its frame, its view, its proxy mode."""
    now = session.current()
    return Context(now.frame(), now.view, bool(now.root._knobs["proxy"].at(None)))


def of_output_context(oc: Any) -> Any:
    """Return the context that an OutputContext names; None for none."""
    if oc is None:
        return None
    return here_and_now()._replace(frame=oc.frame(), view=oc.viewname(oc.view()))


class Knob(Guarded):
    """What all knobs share. `_state` is all of a knob's value, `_default` the state that is not saved."""

    def __init__(self, name: str, label: Optional[str] = None) -> None:
        threads.only_main(type(self).__name__)
        if not isinstance(name, str):
            raise TypeError("a knob's name is a string")
        self._name = name
        self._label = label
        self._tooltip = ""
        self._flags = 0
        self._node: Any = None
        self._user_kind: Optional[int] = None  # the number in addUserKnob, for knobs that an artist added
        self._source: Any = None  # (state, word) as a script had it: while the state is that, it is saved as that word
        self._definition: Any = None  # (what we would write, the script's own text) of a user knob's definition
        self._prepare()
        self._default = self._state()

    def _prepare(self) -> None:
        """Make the empty value."""

    def _check(self) -> None:
        if self._node is not None and self._node._deleted:
            raise ValueError(session.DETACHED)

    def _state(self) -> Any:
        return None

    def _value_state(self) -> Any:
        """Return the state of what value() gives, which is another knob's where this one is a link."""
        return self._state()

    def _restore(self, state: Any) -> None:
        """Take a state back; knobs without a value have none."""

    def _is_default(self) -> bool:
        return self._state() == self._default

    def _freeze(self) -> None:
        """Make the value of now the default."""
        self._default = self._state()

    def _word(self) -> str:
        """Write the value as one word of a file."""
        return ""

    def _load(self, text: str) -> None:
        """Read the value from the text of one word of a file."""
        raise TypeError(f"{self._name}: a {type(self).__name__} has no value to read")

    def _rename(self, word: Any, new: str) -> None:
        """Let what refers to a node follow its new name; `word` is a pattern for the old one."""

    def _expressions(self) -> list[str]:
        """Return the texts that may name other nodes."""
        return []

    def _component_names(self) -> list[str]:
        return []

    def _change(self, state: Any) -> bool:
        """Replace the value: note it for undo, then tell the node."""
        before = self._state()
        if state == before:
            return True
        self._restore(state)
        here = session.current()
        if self._node is not None:
            if not self._flags & FLAGS["NO_UNDO"]:
                here.changed(lambda: self._restore(before), f"{self._node._name()}.{self._name}")
            self._node._knob_was_set(self)
        return True

    def at(self, context: Any) -> Any:
        """Return the value at a context (None: here and now). Not part of Nuke."""
        return None

    def Class(self) -> str:
        return type(self).__name__

    def name(self) -> str:
        return self._name

    def setName(self, name: str) -> None:
        if self._node is not None:
            raise ValueError("a knob on a node keeps its name")
        self._name = name

    def label(self) -> str:
        return self._name if self._label is None else self._label

    def setLabel(self, label: str) -> None:
        self._label = label

    def tooltip(self) -> str:
        return self._tooltip

    def setTooltip(self, tooltip: str) -> None:
        self._tooltip = tooltip

    def node(self) -> Any:
        return self._node

    def fullyQualifiedName(self, channel: int = -1) -> str:
        full = f"{self._node._full_name()}.{self._name}" if self._node is not None else self._name
        names = self._component_names()
        return f"{full}.{names[channel]}" if 0 <= channel < len(names) else full

    def setFlag(self, flag: int) -> None:
        self._flags |= _flag(flag)

    def clearFlag(self, flag: int) -> None:
        self._flags &= ~_flag(flag)

    def getFlag(self, flag: int) -> bool:
        return bool(self._flags & _flag(flag))

    def visible(self) -> bool:
        return not self._flags & (FLAGS["INVISIBLE"] | FLAGS["HIDDEN"])

    def setVisible(self, visible: bool) -> None:
        self._flags = self._flags & ~FLAGS["INVISIBLE"] if visible else self._flags | FLAGS["INVISIBLE"]

    def enabled(self) -> bool:
        return not self._flags & FLAGS["DISABLED"]

    def setEnabled(self, enabled: bool) -> None:
        self._flags = self._flags & ~FLAGS["DISABLED"] if enabled else self._flags | FLAGS["DISABLED"]

    def isAnimated(self, channel: int = -1) -> bool:
        return False

    def hasExpression(self, index: int = -1) -> bool:
        return False

    def value(self) -> Any:
        raise TypeError(f"a {type(self).__name__} has no value")

    def getValue(self) -> Any:
        return self.value()

    def getEvaluatedValue(self, oc: Any = None) -> Any:
        """Return the value with expressions and Tcl worked out; only of paths the documents say more."""
        return self.at(of_output_context(oc))

    def setValue(self, val: Any) -> bool:
        raise TypeError(f"a {type(self).__name__} has no value to set")

    def toScript(self, quote: bool = True, context: Any = None) -> str:
        return self._word()

    def fromScript(self, script: str) -> None:
        """Take a value as a file has it."""
        words = split(script)
        text = words[0].text if len(words) == 1 and words[0].kind != "bare" else script
        before = self._state()
        self._load(text)
        after = self._state()
        self._restore(before)
        self._change(after)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object {self._name!r}>"


def _flag(flag: int) -> int:
    if not isinstance(flag, int) or isinstance(flag, bool):
        raise TypeError("a flag is one of nuke.INVISIBLE, nuke.DISABLED, ...")
    return flag
