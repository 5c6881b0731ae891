# ruff: noqa: N801, N802 - these are Nuke's names
"""Knobs that hold one of several words."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin import session
from nuke_standin.animation import Component
from nuke_standin.knob_base import here_and_now, of_output_context
from nuke_standin.knobs_number import Unsigned_Knob
from nuke_standin.words import quoted


class EnumerationError(TypeError, ValueError):
    """A value that is not among those of the knob. Which class the real one raises is not documented."""


class Enumeration_Knob(Unsigned_Knob):
    """One of several words: set by the word, or by its place."""

    _typed: tuple = ()  # words that a value brought, which the definition does not list

    def __init__(self, name: str, label: Optional[str] = None, values: Any = ()) -> None:
        self._values = [str(value) for value in values]
        super().__init__(name, label)

    def _word(self) -> str:
        part = self._parts[0]
        return super()._word() if part.animated() else quoted(self._at_index(int(part.number)))

    def _at_index(self, index: int) -> str:
        return self._values[index] if 0 <= index < len(self._values) else str(index)

    def _load(self, text: str) -> None:
        if text in self._values:
            self._parts = [Component(float(self._values.index(text)))]
        elif text.startswith("{"):
            super()._load(text)
        else:
            self._parts = [Component(float(self._index(text)))]

    def _index(self, value: Any) -> int:
        if isinstance(value, str) and value in self._values:
            return self._values.index(value)
        index = int(value) if not isinstance(value, str) or value.isdigit() else -1
        if not 0 <= index < len(self._values):
            raise EnumerationError(f"{self._name}: {value!r} is none of {self._values}")
        return index

    def _index_at(self, context: Any) -> int:
        return int(super()._all_at(context)[0])

    def at(self, context: Any) -> str:
        return self._at_index(self._index_at(context))

    def value(self, oc: Any = None) -> str:
        return self._at_index(self._index_at(of_output_context(oc)))

    def valueAt(self, time: float, index: int = -1, view: Any = None) -> str:
        return self._at_index(self._index_at(here_and_now()._replace(frame=float(time))))

    def setValue(self, val: Any, index: int = -1) -> bool:
        if isinstance(val, float) and not val.is_integer():
            raise EnumerationError(f"{self._name}: {val!r} is no place in the list")
        return super().setValue(float(self._index(val)))

    def values(self) -> list[str]:
        return list(self._values)

    def setValues(self, items: Any) -> None:
        """Replace the list. The number is kept, so the word may change with it."""
        self._values, self._typed = [str(item) for item in items], ()

    def numValues(self) -> int:
        return len(self._values)

    def enumName(self, n: int) -> str:
        return self._values[n]


class Radio_Knob(Enumeration_Knob):
    """An enumeration shown as buttons."""


class Bitmask_Knob(Enumeration_Knob):
    """An enumeration of which several may hold."""


class CascadingEnumeration_Knob(Enumeration_Knob):
    """An enumeration with submenus."""


class Pulldown_Knob(Enumeration_Knob):
    """A menu of commands."""


class EditableEnumeration_Knob(Enumeration_Knob):
    """An enumeration that takes other words too."""

    def _index(self, value: Any) -> int:
        if isinstance(value, str) and value not in self._values:
            self._values.append(value)
            self._typed = (*self._typed, value)
        return super()._index(value)


class OneView_Knob(Enumeration_Knob):
    """One of the views."""

    @property
    def _values(self) -> list[str]:  # type: ignore[override]
        here = session.current()
        return here.views() if here.root is not None else ["main"]

    @_values.setter
    def _values(self, values: list[str]) -> None:
        """Views are the root's: what a table names does not matter."""
