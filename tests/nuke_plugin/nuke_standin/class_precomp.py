"""The knobs of a Precomp, under the names that Nuke's reference guide and its own scripts have for them."""

from __future__ import annotations

from typing import Any

from nuke_standin import knobs
from nuke_standin.class_knobs import spec
from nuke_standin.flags import FLAGS


def _load(node: Any) -> None:
    from nuke_standin import precomp  # makes nodes, for which it needs the classes

    precomp.load(node)


def _read_again(node: Any) -> None:
    """Read the rendered files again: the double keeps none of them."""


KNOBS = (
    spec(knobs.File_Knob, "file", ""),
    spec(knobs.Script_Knob, "reload_script", "", flags=FLAGS["DO_NOT_WRITE"], action=_load),
    spec(knobs.Boolean_Knob, "reading", False),
    spec(knobs.Enumeration_Knob, "on_error", "error", ["error", "black", "checkerboard", "read input"]),
    spec(knobs.Script_Knob, "reload_write", "", flags=FLAGS["DO_NOT_WRITE"], action=_read_again),
    spec(knobs.String_Knob, "output", ""),
    spec(knobs.Boolean_Knob, "useOutput", False),
)


def reacts(node: Any, knob: Any) -> None:
    """Read the script where the node is given another one."""
    if knob._name == "file":
        _load(node)
