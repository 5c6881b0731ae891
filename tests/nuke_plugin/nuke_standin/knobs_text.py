# ruff: noqa: N801, N802, N803 - these are Nuke's names
"""Knobs that hold text: strings, files, channels, formats, views, scripts, and those that only show something."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Optional

from nuke_standin import callbacks, expressions, ranges
from nuke_standin.knob_base import Knob, here_and_now, of_output_context
from nuke_standin.words import quoted

_TRAILING_RANGE = re.compile(r"^(.*\S)\s+(-?\d+)(?:-(-?\d+))?$")
_BRACKETS = re.compile(r"\[[^\]]*\]")


class _Text(Knob):
    """What holds text."""

    def _prepare(self) -> None:
        self._text = ""

    def _state(self) -> Any:
        return self._text

    def _restore(self, state: Any) -> None:
        self._text = state

    def _word(self) -> str:
        return quoted(self._text)

    def _load(self, text: str) -> None:
        self._text = text

    def at(self, context: Any) -> str:
        return self._text

    def value(self, oc: Any = None) -> str:
        return self._text

    def getValue(self, oc: Any = None) -> str:
        return self.value(oc)

    def setValue(self, val: str, view: Any = None) -> bool:
        if not isinstance(val, str):
            raise TypeError(f"{self._name}: text is needed, not {type(val).__name__}")
        return self._change(val)


class String_Knob(_Text):
    """Text that is what it says. It cannot be asked whether it is at its default: Nuke's cannot either."""

    def __init__(self, name: str, label: Optional[str] = None, value: str = "") -> None:
        super().__init__(name, label)
        if value:
            self._load(value)
            self._freeze()

    def getText(self, oc: Any = None) -> str:
        return self.value(oc)

    def setText(self, val: str, view: Any = None) -> bool:
        return self.setValue(val)


class EvalString_Knob(String_Knob):
    """Text with Tcl in it: value() and at() have it evaluated, getText() has it raw."""

    def _rename(self, word: Any, new: str) -> None:
        self._text = _BRACKETS.sub(lambda found: word.sub(new, found.group(0)), self._text)

    def at(self, context: Any) -> str:
        return expressions.substitute(self._text, self._node, context or here_and_now())

    def value(self, oc: Any = None) -> str:
        return self.at(of_output_context(oc))

    def getText(self, oc: Any = None) -> str:
        return self._text

    def evaluate(self, frame: Optional[float] = None) -> str:
        now = here_and_now()
        return self.at(now if frame is None else now._replace(frame=float(frame)))


class Multiline_Eval_String_Knob(EvalString_Knob):
    """Several lines of such text."""


class File_Knob(EvalString_Knob):
    """A path: value() is raw; evaluate and getEvaluatedValue have frame, view and Tcl put in."""

    def at(self, context: Any) -> str:
        now = context or here_and_now()
        path = ranges.with_view(expressions.substitute(self._text, self._node, now), now.view)
        return callbacks.filtered_filename(ranges.with_frame(path, now.frame), self._node)

    def value(self, oc: Any = None) -> str:
        return self._text

    def getEvaluatedValue(self, oc: Any = None) -> Optional[str]:
        """Return the path with Tcl and view put in, and the place of the frame number as %0Nd."""
        if not self._text:
            return None
        now = of_output_context(oc) or here_and_now()
        path = ranges.with_view(expressions.substitute(self._text, self._node, now), now.view)
        return callbacks.filtered_filename(ranges.normal_padding(path), self._node)

    def fromUserText(self, text: str) -> None:
        """Take `path first-last`: the range goes to the node's first, last, origfirst and origlast."""
        found = _TRAILING_RANGE.match(text)
        self.setValue(found.group(1) if found else text)
        if found is None or self._node is None:
            return
        first, last = int(found.group(2)), int(found.group(3) or found.group(2))
        for name, value in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
            if name in self._node._knobs:
                self._node._knobs[name].setValue(value)


class PythonKnob(String_Knob):
    """Python that a node runs by itself: onCreate, knobChanged, beforeRender, ..."""


class Password_Knob(_Text):
    """Text that is shown as dots."""

    def getText(self) -> str:
        return self.value()


class Script_Knob(String_Knob):
    """A button with Tcl behind it, or with something built in."""

    _action: Optional[Callable] = None

    def command(self) -> str:
        return self._text

    def setCommand(self, cmd: str) -> bool:
        return self.setValue(cmd)

    def execute(self) -> None:
        if self._action is None:
            raise RuntimeError(f"{self._name}: the double runs no Tcl script")
        self._action(self._node)


class PyScript_Knob(Script_Knob):
    """A button with Python behind it."""

    def execute(self) -> None:
        """Run the script as a press of the button does."""
        callbacks.run_script(self._text, self._node, self, f"{self._name} of a button")


class PyCustom_Knob(Script_Knob):
    """A widget of a person's own, made by an expression."""

    def getObject(self) -> Any:
        return None


class _Silent(Knob):
    """A knob that is never saved with a value."""

    def _is_default(self) -> bool:
        return True


class Tab_Knob(_Silent):
    """A tab, or the begin or end of a group of knobs. Scripts say of a group whether it is open."""

    def __init__(self, name: str, label: Optional[str] = None, tabFlag: int = 0) -> None:
        self._tab = tabFlag
        self._open = ""
        super().__init__(name, label)

    def _state(self) -> Any:
        return self._open

    def _restore(self, state: Any) -> None:
        self._open = state

    def _load(self, text: str) -> None:
        self._open = text

    def value(self) -> Any:
        return None


class Help_Knob(_Silent):
    """A help button."""


class Obsolete_Knob(_Silent):
    """A name that old scripts set; the value goes nowhere."""

    def _load(self, text: str) -> None:
        """Take the value and forget it."""

    def setValue(self, val: Any) -> bool:
        return True

    def value(self) -> Any:
        return None


class Text_Knob(_Text):
    """A line of text, or a divider: setValue sets what is shown."""

    def __init__(self, name: str, label: Optional[str] = None, text: str = "") -> None:
        super().__init__(name, label)
        self._text = text
        self._freeze()
