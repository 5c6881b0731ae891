"""Expressions as trees: a small grammar, of which the pixels' half can be sent what this side cannot know.

A tree is a list: ["number", 1.0], ["string", "a"], ["name", "parent.size"], ["choose", test, yes, no],
["call", "min", tree, ...], or an operator with its operands, ["+", tree, tree] and ["!", tree].
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from nuke_standin.references import ExpressionError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>\$?[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*|\.\d+)*)"
    r'|(?P<string>"[^"]*")|(?P<sign>\*\*|&&|\|\||==|!=|<=|>=|[-+*/%<>!?:(),\[\]]))'
)
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))


def _smoothstep(low: float, high: float, at: float) -> float:
    part = min(max((at - low) / (high - low), 0.0), 1.0) if high != low else float(at >= high)
    return part * part * (3 - 2 * part)


FUNCTIONS: dict[str, Callable] = {
    "abs": abs, "fabs": abs, "min": min, "max": max, "floor": math.floor, "ceil": math.ceil, "int": int,
    "trunc": math.trunc, "sqrt": math.sqrt, "rint": round, "pow": math.pow, "exp": math.exp, "log": math.log,
    "log10": math.log10, "hypot": math.hypot, "clamp": lambda x, low=0.0, high=1.0: max(low, min(high, x)),
    "lerp": lambda a, b, part: a + (b - a) * part, "mix": lambda a, b, part: a + (b - a) * part,
    "step": lambda edge, x: float(x >= edge), "smoothstep": _smoothstep, "sign": lambda x: float((x > 0) - (x < 0)),
    "fmod": math.fmod, "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos,
    "atan": math.atan, "atan2": math.atan2, "radians": math.radians, "degrees": math.degrees,
}  # fmt: skip
OPERATORS: dict[str, Callable] = {
    "||": lambda a, b: float(bool(a) or bool(b)), "&&": lambda a, b: float(bool(a) and bool(b)),
    "==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b), "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b), "<=": lambda a, b: float(a <= b), ">=": lambda a, b: float(a >= b),
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "%": math.fmod, "**": math.pow, "!": lambda a: float(not a), "negative": lambda a: -a,
}  # fmt: skip


def parsed(text: str) -> list:
    """Return the tree of an expression; raises ExpressionError."""
    return _Parser(text).whole()


def worked_out(tree: list, value_of: Callable[[str], Any]) -> Any:
    """Return the value of a tree; `value_of` answers for names. What a `?` does not choose is not looked at."""
    kind, rest = tree[0], tree[1:]
    if kind in ("number", "string"):
        return rest[0]
    if kind == "name":
        return value_of(rest[0])
    if kind == "choose":
        return worked_out(rest[1] if worked_out(rest[0], value_of) else rest[2], value_of)
    if kind == "call":
        return FUNCTIONS[rest[0]](*(worked_out(one, value_of) for one in rest[1:]))
    return OPERATORS[kind](*(worked_out(one, value_of) for one in rest))


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    def whole(self) -> list:
        tree = self.choice()
        if self.at < len(self.tokens):
            raise self.wrong()
        return tree

    def wrong(self) -> ExpressionError:
        left = " ".join(token for _, token in self.tokens[self.at :]) or "the end"
        return ExpressionError(f"cannot evaluate {self.text!r}: unexpected {left}")

    def take(self, *signs: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def choice(self) -> list:
        test = self.binary(0)
        if not self.take("?"):
            return test
        yes = self.choice()
        if not self.take(":"):
            raise self.wrong()
        return ["choose", test, yes, self.choice()]

    def binary(self, level: int) -> list:
        if level == len(_LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while True:
            sign = self.take(*_LEVELS[level])
            if not sign:
                return tree
            tree = [sign, tree, self.binary(level + 1)]

    def unary(self) -> list:
        sign = self.take("-", "+", "!")
        if sign == "+":
            return self.unary()
        return [{"-": "negative", "!": "!"}[sign], self.unary()] if sign else self.power()

    def power(self) -> list:
        base = self.atom()
        return ["**", base, self.unary()] if self.take("**") else base

    def atom(self) -> list:
        if self.take("("):
            tree = self.choice()
            if not self.take(")"):
                raise self.wrong()
            return tree
        if self.at >= len(self.tokens) or self.tokens[self.at][0] == "sign":
            raise self.wrong()
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return ["number", float(token)]
        if kind == "string":
            return _plain(token[1:-1])
        return self.call(token) if self.take("(") else ["name", token]

    def call(self, name: str) -> list:
        if name not in FUNCTIONS:
            raise ExpressionError(f"cannot evaluate {self.text!r}: no function {name}")
        given: list[list] = []
        while not self.take(")"):
            given.append(self.choice())
            if not self.take(",") and self.tokens[self.at : self.at + 1] != [("sign", ")")]:
                raise self.wrong()
        return ["call", name, *given]


def _tokens(text: str) -> Any:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(f"cannot evaluate {text!r}: unexpected {text[at:].strip()!r}")
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


def _plain(text: str) -> list:
    try:
        return ["number", float(text)]
    except ValueError:
        return ["string", text]
