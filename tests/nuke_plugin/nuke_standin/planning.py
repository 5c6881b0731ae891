"""Collects the steps of a plan: which node's picture is needed at which frame, view and proxy mode, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Optional

from nuke_standin import session
from nuke_standin.class_opaque import Opaque_Knob


class Made(NamedTuple):
    """A planned picture: the number of its step and the frames it offers."""

    step: int
    first: int
    last: int


class Cyclic(RuntimeError):
    """A node that is upstream of itself."""


class Plan:
    """Steps in order; each node is planned once per context.

    `rules` is a function for each class of node, `refused` the knobs of a class that have no effect here: whoever sets
    one gets an error instead of a wrong picture.
    """

    def __init__(self, rules: dict, refused: dict) -> None:
        self._rules = rules
        self._refused = refused
        self.steps: list[dict] = []
        self._known: dict = {}
        self._open: set = set()

    def add(self, step: dict, first: int, last: int) -> Made:
        """Append a step."""
        self.steps.append(step)
        return Made(len(self.steps) - 1, first, last)

    def of(self, node: Any, context: Any) -> Optional[Made]:
        """Plan a node's picture; None when nothing is there: no node, or a switched-off one without an input."""
        if node is None:
            return None
        key = (id(node), context)
        if key in self._open:
            raise Cyclic(f"{node._full_name()}: the node is upstream of itself")
        if key not in self._known:
            self._open.add(key)
            try:
                self._known[key] = self._plan(node, context)
            finally:
                self._open.discard(key)
        return self._known[key]

    def input(self, node: Any, index: int, context: Any) -> Optional[Made]:
        """Plan what is connected to an input."""
        return self.of(node._input(index), context)

    def _plan(self, node: Any, context: Any) -> Optional[Made]:
        if value(node, "disable", context, False):
            return self.input(node, 0, context)
        if hasattr(node, "_children") and node._class_name() not in self._rules:
            return self._group(node, context)
        self._refuse(node)
        rule = self._rules.get(node._class_name())
        if rule is None:
            raise RuntimeError(f"{node._full_name()}: the stand-in has no pixels for the class {node._class_name()}")
        return rule(self, node, context)

    def _refuse(self, node: Any) -> None:
        for name in self._refused.get(node._class_name(), ()):
            knob = node._knobs.get(name)
            if knob is not None and not knob._is_default():
                raise RuntimeError(f"{node._full_name()}: the stand-in does nothing for the knob {name}")
        if node._kind.opaque:
            return
        for name, knob in node._knobs.items():
            if isinstance(knob, Opaque_Knob) and not node._kind.keeps(name) and knob._user_kind is None:
                raise RuntimeError(f"{node._full_name()}: the stand-in cannot read the knob {name}: {knob._text!r:.80}")

    def _group(self, group: Any, context: Any) -> Optional[Made]:
        outputs = [one for one in group._children if one._class_name() == "Output"]
        if not outputs:
            raise RuntimeError(f"{group._full_name()}: the group has no Output")
        return self.of(outputs[0], context)

    def combined(self, step: dict, inputs: list, context: Any) -> Made:
        """Append a step of several inputs, whose frames are all of theirs; without any, input 0 is black."""
        if not any(one is not None for one in inputs):
            inputs = [self.black(context), *inputs[1:]]
        found = [one for one in inputs if one is not None]
        step["inputs"] = [None if one is None else one.step for one in inputs]
        return self.add(step, min(one.first for one in found), max(one.last for one in found))

    def black(self, context: Any) -> Made:
        """Append nothing, of the root's format and range."""
        root = session.current().root
        form = form_words(value(root, "format", context), context)
        step = {"op": "black", "inputs": [], "format": form}
        return self.add(step, int(value(root, "first_frame", context)), int(value(root, "last_frame", context)))


def value(node: Any, name: str, context: Any, default: Any = None) -> Any:
    """A knob's value at a context. A knob that the node does not have is an error, unless there is a default."""
    knob = node._knobs.get(name)
    if knob is None:
        if default is None:
            raise RuntimeError(f"{node._full_name()}: no knob {name!r}")
        return default
    return knob.at(context)


def in_project(path: str, context: Any) -> str:
    """A path as it is opened: a relative one lies in the project directory, where there is one."""
    folder = str(value(session.current().root, "project_directory", context))
    return str(Path(folder) / path) if path and folder else path


def proxy_scale(context: Any) -> float:
    """How much smaller everything is in proxy mode."""
    if not context.proxy:
        return 1.0
    root = session.current().root
    if value(root, "proxy_type", context) == "scale":
        across, up = value(root, "proxy_scale", context)
        if across != up:
            raise RuntimeError("the stand-in has no proxies that are scaled differently across and up")
        return float(across)
    return value(root, "proxy_format", context)._size[0] / value(root, "format", context)._size[0]


def form_words(form: Any, context: Any) -> list:
    """A format as a plan carries it, in proxy size when the context asks for it."""
    scale = proxy_scale(context)
    width, height = (max(1, round(side * scale)) for side in form._size)
    return [width, height, form._aspect, form._name or ""]


def inputs_of(plan: Plan, node: Any, context: Any, count: int) -> list:
    """Plan the first inputs of a node."""
    return [plan.input(node, index, context) for index in range(count)]


def masked(node: Any, context: Any, step: dict) -> dict:
    """Add to a step what a class with a mask input has."""
    step["node"] = node._full_name()
    step["mask_channel"] = words(node, "maskChannelInput", context, "none")
    step["invert_mask"] = bool(value(node, "invert_mask", context, False))
    step["mix"] = float(value(node, "mix", context, 1.0))
    return step


def words(node: Any, name: str, context: Any, default: Any = None) -> str:
    """A knob's value as the words of a channel set."""
    found = value(node, name, context, default)
    return " ".join(found) if isinstance(found, (list, tuple)) else str(found)


def four(found: Any) -> list:
    """Red, green, blue, alpha out of one, three or four numbers."""
    if not isinstance(found, (list, tuple)):
        return [float(found)] * 4
    numbers = [float(number) for number in found]
    return numbers if len(numbers) == 4 else [*numbers, numbers[0]]


def pair(found: Any) -> list:
    """Two numbers out of one or two."""
    return [float(n) for n in found] if isinstance(found, (list, tuple)) else [float(found)] * 2
