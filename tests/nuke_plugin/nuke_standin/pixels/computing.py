"""Channels computed from channels: the trees of an Expression, pixel by pixel, and the ramp of a Keyer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.channel_sets import RGB, select, single
from nuke_standin.pixels.combining import Inputs, Step, blended, or_black
from nuke_standin.pixels.picture import Picture, PictureError, Plane

_LUMINANCE = (0.2126, 0.7152, 0.0722)


def expression(step: Step, inputs: Inputs) -> Picture:
    """Each row's channels become what its tree says; a later row reads what was there before all of them."""
    source = or_black(inputs[0], inputs)
    every = (*source.channels, *(name for words, _ in step["rows"] for name in words.split() if "." in name))
    rules = {name: tree for words, tree in step["rows"] for name in _chosen(words, every)}

    def fetch(name: str) -> Plane:
        if name not in rules:
            return source.whole(name)
        with np.errstate(all="ignore"):
            found = np.asarray(_value(rules[name], source), np.float32)
        return np.broadcast_to(found, (source.box.height, source.box.width))

    made = source.derived(fetch, channels=(*source.channels, *rules), padded=False)
    return blended(source, made, step, inputs, 1)


def _chosen(words: str, present: tuple[str, ...]) -> tuple[str, ...]:
    """The channels of a row: those of rgba are made where they are not there."""
    return select(words, tuple(dict.fromkeys((*present, *RGB, "rgba.alpha"))))


def _value(tree: list, source: Picture) -> Any:
    kind, rest = tree[0], tree[1:]
    if kind in ("number", "string"):
        return rest[0]
    if kind == "channel":
        return source.whole(rest[0])
    if kind == "place":
        return _place(rest[0], source)
    if kind == "call":
        return _FUNCTIONS[rest[0]](*(_value(one, source) for one in rest[1:]))
    return _OPERATORS[kind](*(_value(one, source) for one in rest))


def _place(name: str, source: Picture) -> Any:
    """Where a pixel is, or how large the format is."""
    box: Box = source.box
    if name == "x":
        return np.broadcast_to(np.arange(box.x, box.r, dtype=np.float32), (box.height, box.width))
    if name == "y":
        return np.broadcast_to(np.arange(box.y, box.t, dtype=np.float32)[:, None], (box.height, box.width))
    return float(source.format.width if name == "width" else source.format.height)


def _smoothstep(low: Any, high: Any, at: Any) -> Any:
    part = np.clip((at - low) / np.where(high != low, np.subtract(high, low), 1), 0, 1)
    return np.where(high != low, part * part * (3 - 2 * part), at >= high)


def _several(pick: Callable) -> Callable:
    def of(*given: Any) -> Any:
        found = given[0]
        for one in given[1:]:
            found = pick(found, one)
        return found

    return of


_FUNCTIONS: dict[str, Callable] = {
    "abs": np.abs, "fabs": np.abs, "min": _several(np.minimum), "max": _several(np.maximum), "floor": np.floor,
    "ceil": np.ceil, "int": np.trunc, "trunc": np.trunc, "sqrt": np.sqrt, "rint": np.rint, "pow": np.power,
    "exp": np.exp, "log": np.log, "log10": np.log10, "hypot": np.hypot,
    "clamp": lambda x, low=0.0, high=1.0: np.maximum(low, np.minimum(high, x)),
    "lerp": lambda a, b, part: a + (b - a) * part, "mix": lambda a, b, part: a + (b - a) * part,
    "step": lambda edge, x: np.where(x >= edge, 1.0, 0.0), "smoothstep": _smoothstep, "sign": np.sign,
    "fmod": np.fmod, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "radians": np.radians, "degrees": np.degrees,
}  # fmt: skip
_OPERATORS: dict[str, Callable] = {
    "choose": lambda test, yes, no: np.where(np.asarray(test) != 0, yes, no),
    "||": lambda a, b: np.where((np.asarray(a) != 0) | (np.asarray(b) != 0), 1.0, 0.0),
    "&&": lambda a, b: np.where((np.asarray(a) != 0) & (np.asarray(b) != 0), 1.0, 0.0),
    "==": lambda a, b: np.where(np.equal(a, b), 1.0, 0.0), "!=": lambda a, b: np.where(np.not_equal(a, b), 1.0, 0.0),
    "<": lambda a, b: np.where(np.less(a, b), 1.0, 0.0), ">": lambda a, b: np.where(np.greater(a, b), 1.0, 0.0),
    "<=": lambda a, b: np.where(np.less_equal(a, b), 1.0, 0.0),
    ">=": lambda a, b: np.where(np.greater_equal(a, b), 1.0, 0.0),
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": lambda a, b: np.divide(a, b), "%": np.fmod, "**": np.power,
    "!": lambda a: np.where(np.asarray(a) == 0, 1.0, 0.0), "negative": np.negative,
}  # fmt: skip


def keyer(step: Step, inputs: Inputs) -> Picture:
    """An alpha out of brightness. Hypothesis: the ramp is straight, and luminance is that of Rec. 709."""
    source = or_black(inputs[0], inputs)
    target = single(step["output"])
    if step["operation"] not in _KEYS:
        raise PictureError(f"{step['node']}: the stand-in's Keyer has no operation {step['operation']!r}")
    if target is None:
        return source

    def fetch(name: str) -> Plane:
        if name != target:
            return source.whole(name)
        found = _ramp(_KEYS[step["operation"]](*(source.whole(one) for one in RGB)), step["range"])
        return 1 - found if step["invert"] else found

    made = source.derived(fetch, channels=(*source.channels, target), padded=False)
    return blended(source, made, step, inputs, 1)


_KEYS: dict[str, Callable[[Plane, Plane, Plane], Plane]] = {
    "luminance key": lambda r, g, b: sum(part * weight for part, weight in zip((r, g, b), _LUMINANCE)),
    "red keyer": lambda r, g, b: r,
    "green keyer": lambda r, g, b: g,
    "blue keyer": lambda r, g, b: b,
    "min": lambda r, g, b: np.minimum(np.minimum(r, g), b),
    "max": lambda r, g, b: np.maximum(np.maximum(r, g), b),
}


def _ramp(plane: Plane, ends: list[float]) -> Plane:
    return np.minimum(_rise(plane, ends[0], ends[1]), 1 - _rise(plane, ends[2], ends[3]))


def _rise(plane: Plane, low: float, high: float) -> Plane:
    """0 up to `low`, 1 from `high` on; a step between two ends that are one leaves that value where it was."""
    if high <= low:
        return (plane > low).astype(np.float32)
    return np.clip((plane - low) / (high - low), 0, 1)
