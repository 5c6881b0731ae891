# ruff: noqa: N801, N802 - these are Nuke's names
"""Knobs that hold numbers."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin import session
from nuke_standin.animation import Component, component
from nuke_standin.knob_base import Knob, here_and_now, of_output_context
from nuke_standin.words import split


class Array_Knob(Knob):
    """Numbers: value() is one float when all are equal, and a list when they differ."""

    _width = 1
    _always_list = False

    def __init__(self, name: str, label: Optional[str] = None, size: Optional[int] = None) -> None:
        self._size = size or self._width
        super().__init__(name, label)

    def _prepare(self) -> None:
        self._parts = [Component(0.0) for _ in range(self._size)]
        self._range = (0.0, 1.0)

    def _state(self) -> Any:
        return _state_of(self._parts)

    def _restore(self, state: Any) -> None:
        self._parts = [Component(n or 0.0, text, _listed(keys), tail) for n, text, keys, tail in state]

    def _rename(self, word: Any, new: str) -> None:
        for part in self._parts:
            if part.expression is not None:
                part.expression = word.sub(new, part.expression)

    def _expressions(self) -> list[str]:
        return [part.expression for part in self._parts if part.expression is not None]

    def _component_names(self) -> list[str]:
        return [str(index) for index in range(self._size)]

    def _single(self) -> bool:
        return all(part.facts() == self._parts[0].facts() for part in self._parts)

    def _word(self) -> str:
        words = [part.written() for part in self._parts]
        if self._single() and not self._always_list:
            words = words[:1]
        text = " ".join(words)
        return "{" + text + "}" if len(words) > 1 or text.startswith("{") else text

    def _load(self, text: str) -> None:
        parts = [component(word) for word in split(text)]
        if len(parts) == 1:
            parts = parts * self._size
        if len(parts) != self._size:
            raise ValueError(f"{self._name}: {len(parts)} values for {self._size}")
        self._parts = parts

    def _number(self, number: float) -> Any:
        return float(number)

    def _all_at(self, context: Any) -> list:
        when = context
        if when is None and any(part.animated() for part in self._parts):
            when = here_and_now()
        return [self._number(part.at(self._node, when)) for part in self._parts]

    def _shaped(self, numbers: list) -> Any:
        if self._size == 1 or (not self._always_list and all(n == numbers[0] for n in numbers)):
            return numbers[0]
        return numbers

    def at(self, context: Any) -> Any:
        found = self._all_at(context)
        return found[0] if self._size == 1 else found

    def value(self, index: int = -1, oc: Any = None) -> Any:
        context = of_output_context(oc)
        return self._all_at(context)[index] if index >= 0 else self._shaped(self._all_at(context))

    def getValue(self, index: int = -1) -> Any:
        found = [float(number) for number in self._all_at(None)]
        return found[index] if index >= 0 else self._shaped(found)

    def getEvaluatedValue(self, oc: Any = None) -> Any:
        return self.value(oc=oc)

    def valueAt(self, time: float, index: int = -1, view: Any = None) -> Any:
        found = self._all_at(here_and_now()._replace(frame=float(time)))
        return found[index] if index >= 0 else self._shaped(found)

    def getValueAt(self, frame: float, index: int = -1, view: Any = None) -> Any:
        found = [float(n) for n in self._all_at(here_and_now()._replace(frame=float(frame)))]
        return found[index] if index >= 0 else self._shaped(found)

    def singleValue(self, view: Any = None) -> bool:
        return self._single()

    def setSingleValue(self, single: bool = True, view: Any = None) -> None:
        if single:
            self._set_parts([self._parts[0]] * self._size)

    def arraySize(self) -> int:
        return self._size

    def _set_parts(self, parts: list) -> bool:
        return self._change(_state_of(parts))

    def setValue(self, val: Any, index: int = -1) -> bool:
        """Set all components, or one. Where an expression is, nothing changes; where keys are, a key is set."""
        given = list(val) if isinstance(val, (list, tuple)) else None
        if given is not None and len(given) > self._size:
            raise TypeError(f"{self._name} has {self._size} components, not {len(given)}")
        parts = list(self._parts)
        for at in range(self._size):
            if (index >= 0 and at != index) or (given is not None and at >= len(given)):
                continue
            parts[at] = self._replaced(parts[at], _real(given[at] if given is not None else val))
        if index >= self._size:
            raise IndexError(f"{self._name} has no component {index}")
        took = all(part.expression is None for part in parts)
        self._set_parts(parts)
        return took

    def _replaced(self, part: Component, number: float) -> Component:
        if part.expression is not None:
            return part
        number = float(self._number(number))
        if part.keys is not None:
            return part.with_key(session.current().frame(), number)
        return Component(number)

    def setValueAt(self, val: Any, time: float, index: int = -1, view: Any = None) -> bool:
        parts = [
            part.with_key(float(time), float(self._number(_real(val)))) if index in (-1, at) else part
            for at, part in enumerate(self._parts)
        ]
        return self._set_parts(parts)

    def setAnimated(self, channel: int = -1) -> bool:
        return self._set_parts([
            Component(part.number, keys=part.keys or []) if channel in (-1, at) else part
            for at, part in enumerate(self._parts)
        ])  # fmt: skip

    def clearAnimated(self, channel: int = -1) -> bool:
        """Keep the value of now as a constant."""
        numbers = self._all_at(None)
        return self._set_parts([
            Component(float(numbers[at])) if channel in (-1, at) else part for at, part in enumerate(self._parts)
        ])  # fmt: skip

    def setExpression(self, expression: str, channel: int = -1, view: Any = None) -> bool:
        if not isinstance(expression, str):
            raise TypeError("an expression is a string")
        return self._set_parts([
            Component(expression=expression) if channel in (-1, at) else part for at, part in enumerate(self._parts)
        ])  # fmt: skip

    def isAnimated(self, channel: int = -1) -> bool:
        return any(part.animated() for at, part in enumerate(self._parts) if channel in (-1, at))

    def hasExpression(self, index: int = -1) -> bool:
        return any(part.expression is not None for at, part in enumerate(self._parts) if index in (-1, at))

    def getNumKeys(self, channel: int = -1) -> int:
        return max((len(part.keys or []) for at, part in enumerate(self._parts) if channel in (-1, at)), default=0)

    def getKeyList(self) -> list:
        return sorted({key[0] for part in self._parts for key in part.keys or []})

    def isKeyAt(self, frame: float, index: int = -1, view: Any = None) -> bool:
        return float(frame) in self.getKeyList()

    def setRange(self, low: float, high: float) -> None:
        self._range = (float(low), float(high))

    def minimum(self) -> float:
        return self._range[0]

    def maximum(self) -> float:
        return self._range[1]

    min = minimum
    max = maximum

    def notDefault(self) -> bool:
        return not self._is_default()

    def defaultValue(self) -> Any:
        return self._default[0][0] or 0.0

    def setDefaultValue(self, values: Any) -> None:
        given = list(values) if isinstance(values, (list, tuple)) else [values] * self._size
        untouched = self._is_default()
        self._default = tuple((float(one), None, None, "") for one in given)
        if untouched:
            self._restore(self._default)


def _state_of(parts: list) -> tuple:
    return tuple(part.facts() for part in parts)


def _listed(keys: Any) -> Any:
    return None if keys is None else list(keys)


def _real(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError(f"a number is needed, not {type(value).__name__}")
    return float(value)


class Double_Knob(Array_Knob):
    """A float."""


class Int_Knob(Array_Knob):
    """A whole number: value() is an int, getValue() a float."""

    def _number(self, number: float) -> Any:
        return int(number)


class Unsigned_Knob(Int_Knob):
    """A whole number from 0 on."""


class ColorChip_Knob(Unsigned_Knob):
    """A colour in one number, red in the highest byte."""

    def _word(self) -> str:
        number = int(self._parts[0].number)
        return f"0x{number:x}" if number and not self.isAnimated() else super()._word()


class Boolean_Knob(Array_Knob):
    """True or False."""

    def __init__(self, name: str, label: Optional[str] = None, value: bool = False) -> None:
        super().__init__(name, label)
        if value:
            self._load("true")
            self._freeze()

    def _number(self, number: float) -> Any:
        return bool(number)

    def _word(self) -> str:
        part = self._parts[0]
        return super()._word() if part.animated() else ("true" if part.number else "false")


class Disable_Knob(Boolean_Knob):
    """A node's `disable`."""
