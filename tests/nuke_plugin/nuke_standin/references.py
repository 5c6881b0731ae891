"""What names in expressions stand for: knobs near and far, facts of nodes, the frame."""

from __future__ import annotations

import math
from typing import Any

from nuke_standin import session

_SIDES = ("x", "y", "r", "t")


class ExpressionError(RuntimeError):
    """Text that this double cannot evaluate."""


def name_value(name: str, node: Any, context: Any) -> Any:
    """Return what a name stands for: frame, $gui, a knob near or far, or a fact of a node."""
    if name in ("frame", "t", "x"):
        return float(context.frame)
    if name == "$gui":
        return float(session.current().gui)
    if name == "pi":
        return math.pi
    found, rest = walk(name, node)
    if not rest:
        raise ExpressionError(f"nothing named {name!r}")
    return _member(found, rest, name, context)


def _member(node: Any, rest: list[str], name: str, context: Any) -> Any:
    knob = node._knobs.get(rest[0])
    if hasattr(knob, "_number_at") and len(rest) > 1:
        return knob._number_at(rest[1:], context)
    if knob is not None:
        value = knob.at(context)
        return _component(knob, value, rest[1:], name)
    if rest[0] in ("width", "height", "first_frame", "last_frame", "pixel_aspect", "format") and len(rest) == 1:
        return _fact(node, rest[0], context)
    if rest[0] == "bbox" and len(rest) == 2 and rest[1] in _SIDES:
        return float(node._facts(context).bbox[_SIDES.index(rest[1])])
    raise ExpressionError(f"nothing named {name!r}: {node._full_name()} has no {rest[0]!r}")


def _component(knob: Any, value: Any, rest: list[str], name: str) -> Any:
    if not rest:
        if isinstance(value, str) and hasattr(knob, "_index_at"):
            return float(knob._values.index(value))
        return value[0] if isinstance(value, (list, tuple)) else value
    if not isinstance(value, (list, tuple)):
        raise ExpressionError(f"{name!r} has no components")
    names = knob._component_names()
    index = int(rest[0]) if rest[0].isdigit() else names.index(rest[0]) if rest[0] in names else -1
    if not 0 <= index < len(value):
        raise ExpressionError(f"{name!r} has no component {rest[0]!r}")
    return value[index]


def _fact(node: Any, name: str, context: Any) -> float:
    facts = node._facts(context)
    if name == "first_frame":
        return float(facts.first)
    if name == "last_frame":
        return float(facts.last)
    if name == "pixel_aspect":
        return facts.format.pixelAspect()
    return float(facts.format.width() if name == "width" else facts.format.height())


def walk(name: str, node: Any) -> tuple[Any, list[str]]:
    """Follow `parent.`, `this.`, `root.`, `input.`, `input1.` and names of nodes; return a node and what is left."""
    rest = name.split(".")
    here = session.current().root if node is None else node
    while len(rest) > 0:
        step = _step(here, rest[0], first=here is node)
        if step is None:
            break
        here = step
        rest = rest[1:]
    return here, rest


def _step(here: Any, word: str, first: bool) -> Any:
    if word in here._knobs:
        return None
    if word == "this":
        return here
    if word == "parent":
        return here._group
    if word == "root":
        return session.current().root
    if word.startswith("input") and (word[5:] == "" or word[5:].isdigit()):
        return here._input(int(word[5:] or 0))
    around = [here._group, here] if first and here._group is not None else [here]
    found = [group._child(word) for group in around if hasattr(group, "_children")]
    return next((child for child in found if child is not None), None)


def text_of(value: Any) -> str:
    """Write a value as Tcl does."""
    if isinstance(value, (list, tuple)):
        return " ".join(text_of(one) for one in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
