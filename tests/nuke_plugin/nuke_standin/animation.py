"""One component of a knob: a number, keyframes, or an expression kept as text."""

from __future__ import annotations

import re
from typing import Any, Optional

from nuke_standin import expressions
from nuke_standin.words import Word, quoted, split

_FLAG = re.compile(r"^[a-zA-Z]$")
_KEY = re.compile(r"^[xX](-?[\d.]+(?:[eE][+-]?\d+)?)$")
_NUMBER = re.compile(r"^-?(\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
_SLOPE = re.compile(r"^[sStTuU]-?[\d.eE+-]*$")


class Component:
    """A number, or what stands for it. Never changed: knobs replace their components."""

    def __init__(self, number: float = 0.0, expression: Optional[str] = None, keys: Any = None, tail: str = "") -> None:
        self.number = number
        self.expression = expression
        self.keys: Optional[list[tuple[float, float, str]]] = keys  # (frame, value, interpolation)
        self.tail = tail  # what the file had: behind an expression remembered keys and flags; of keys also slopes

    def animated(self) -> bool:
        """Tell whether the component has keys or an expression."""
        return self.expression is not None or self.keys is not None

    def facts(self) -> tuple:
        """Return what two equal components share."""
        keys = None if self.keys is None else tuple(self.keys)
        return (self.number if not self.animated() else None, self.expression, keys, self.tail)

    def at(self, node: Any, context: Any) -> float:
        """Return the value at a context."""
        if self.expression is not None:
            return expressions.evaluate(self.expression, node, context)
        return self.number if not self.keys else _between(self.keys, context.frame)

    def written(self) -> str:
        """Write the component as a word of a knob's list."""
        if self.expression is not None:
            first = self.expression if not set(self.expression) & set(' \t\n{}"[]\\;') else quoted(self.expression)
            return "{" + " ".join([first, *([self.tail] if self.tail else [])]) + "}"
        if self.keys is None:
            return f"{self.number:.10g}"
        return "{" + " ".join(["curve", *([self.tail] if self.tail else _keys_written(self.keys))]) + "}"

    def with_key(self, frame: float, value: float) -> Component:
        """Return the component with one key more, or moved."""
        keys = [key for key in self.keys or [] if key[0] != frame]
        return Component(value, keys=sorted([*keys, (frame, value, "")]))


def _keys_written(keys: list) -> list[str]:
    out, flag = [], ""
    for frame, value, kind in keys:
        if kind != flag:
            out.append(kind or "C")
            flag = kind
        out += [f"x{frame:g}", f"{value:.10g}"]
    return out


def _between(keys: list, frame: float) -> float:
    if frame <= keys[0][0]:
        return keys[0][1]
    for left, right in ((keys[at], keys[at + 1]) for at in range(len(keys) - 1)):
        if frame == right[0]:
            return right[1]
        if frame < right[0]:
            return _inside(left, right, frame)
    return keys[-1][1]


def _inside(left: tuple, right: tuple, frame: float) -> float:
    if left[2] == "K" or left[1] == right[1]:
        return left[1]
    if left[2] != "L":
        raise expressions.ExpressionError("between the keys of a smooth curve the double knows no value; use L or K")
    part = (frame - left[0]) / (right[0] - left[0])
    return left[1] + (right[1] - left[1]) * part


def component(word: Word) -> Component:
    """Read one word of a knob's list."""
    if word.kind == "brace":
        return _animated(word.text, word.line)
    if word.text in ("true", "false"):
        return Component(float(word.text == "true"))
    if word.text == "curve":
        return Component(keys=[])
    if word.text.startswith("0x"):
        return Component(float(int(word.text, 16)))
    try:
        return Component(float(word.text))
    except ValueError:
        return Component(expression=word.text)


def _animated(text: str, line: int) -> Component:
    words = split(text, line)
    if not words:
        return Component()
    rest = [word.text for word in words[1:]]
    if words[0].text == "curve" and words[0].kind == "bare":
        return Component(keys=_keys(rest), tail=" ".join(rest))
    if all(_FLAG.match(one) or _KEY.match(one) or _NUMBER.match(one) or _SLOPE.match(one) for one in rest):
        return Component(expression=words[0].text, tail=" ".join(rest))
    return Component(expression=text)  # an expression with spaces that nobody quoted


def _keys(words: list[str]) -> list[tuple[float, float, str]]:
    keys, kind, frame, step = [], "", None, 1.0
    for word in words:
        found = _KEY.match(word)
        if found:
            before = keys[-1][0] if keys else None
            frame = float(found.group(1))
            step = frame - before if before is not None else step
        elif _NUMBER.match(word):
            frame = frame if frame is not None else (keys[-1][0] + step if keys else 0.0)
            keys.append((frame, float(word), kind))
            frame = None
        elif word in ("L", "K", "C", "S", "R", "i", "I", "l"):
            kind = {"L": "L", "K": "K"}.get(word, "" if word != "i" else kind)
    return keys
