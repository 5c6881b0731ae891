# ruff: noqa: N801, N802 - these are Nuke's names
"""Knobs that hold several numbers with names: points, boxes, colours."""

from __future__ import annotations

from typing import Any

from nuke_standin.knobs_number import Array_Knob


class _Components(Array_Knob):
    """Several numbers with names; value() is always a list."""

    _names: tuple = ()
    _always_list = True

    @property
    def _width(self) -> int:  # type: ignore[override]
        return len(self._names)

    def _component_names(self) -> list[str]:
        return list(self._names)

    def names(self, n: int) -> str:
        return self._names[n]


class XY_Knob(_Components):
    """A point."""

    _names = ("x", "y")

    def x(self, oc: Any = None) -> float:
        return self.value(0, oc)

    def y(self, oc: Any = None) -> float:
        return self.value(1, oc)


class XYZ_Knob(XY_Knob):
    """A point in space."""

    _names = ("x", "y", "z")

    def z(self, oc: Any = None) -> float:
        return self.value(2, oc)


class UV_Knob(_Components):
    """Two numbers."""

    _names = ("u", "v")


class WH_Knob(XY_Knob):
    """Width and height: one float while they are equal."""

    _names = ("w", "h")
    _always_list = False


class Scale_Knob(XY_Knob):
    """Scales, one float while they are equal."""

    _names = ("w", "h")
    _always_list = False


class Range_Knob(Array_Knob):
    """Two ends."""

    _width = 2
    _always_list = True


class Keyer_Knob(Array_Knob):
    """The four ends of a key's ramp."""

    _width = 4
    _always_list = True


class BBox_Knob(_Components):
    """A box: x, y, r, t."""

    _names = ("x", "y", "r", "t")

    def x(self, oc: Any = None) -> float:
        return self.value(0, oc)

    def y(self, oc: Any = None) -> float:
        return self.value(1, oc)

    def r(self, oc: Any = None) -> float:
        return self.value(2, oc)

    def t(self, oc: Any = None) -> float:
        return self.value(3, oc)

    def setX(self, value: float) -> bool:
        return self.setValue(value, 0)

    def setY(self, value: float) -> bool:
        return self.setValue(value, 1)

    def setR(self, value: float) -> bool:
        return self.setValue(value, 2)

    def setT(self, value: float) -> bool:
        return self.setValue(value, 3)

    def toDict(self) -> dict:
        found = self.value()
        return {name: found[at] for at, name in enumerate(self._names)}

    def fromDict(self, box: dict) -> None:
        self.setValue([box[name] for name in self._names])


class Box3_Knob(_Components):
    """A box in space."""

    _names = ("x", "y", "n", "r", "t", "f")


class Color_Knob(_Components):
    """Red, green and blue: one float while they are equal."""

    _names = ("r", "g", "b")
    _always_list = False


class AColor_Knob(Color_Knob):
    """Colour with alpha."""

    _names = ("r", "g", "b", "a")
