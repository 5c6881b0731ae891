"""Expressions and Tcl substitution: a small evaluator that knows what it knows and raises for the rest."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from nuke_standin import session
from nuke_standin.references import ExpressionError, name_value, text_of, walk
from nuke_standin.words import split

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>\$?[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*|\.\d+)*)"
    r'|(?P<string>"[^"]*")|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:(),\[\]]))'
)
_FUNCTIONS: dict[str, Callable] = {
    "abs": abs, "min": min, "max": max, "floor": math.floor, "ceil": math.ceil, "int": int, "sqrt": math.sqrt,
    "rint": round, "clamp": lambda x, low=0.0, high=1.0: max(low, min(high, x)), "pow": math.pow, "exp": math.exp,
    "sin": math.sin, "cos": math.cos,
}  # fmt: skip
_BINARY: list[dict[str, Callable]] = [
    {"||": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b))},
    {"==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b)},
    {
        "<": lambda a, b: float(a < b), ">": lambda a, b: float(a > b),
        "<=": lambda a, b: float(a <= b), ">=": lambda a, b: float(a >= b),
    },
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b, "%": math.fmod},
]  # fmt: skip


def evaluate(text: str, node: Any, context: Any) -> float:
    """Evaluate an expression as the knobs of a node see it."""
    parser = _Parser(substitute(text, node, context) if "[" in text else text, node, context)
    try:
        return float(parser.whole())
    except (ValueError, ZeroDivisionError) as error:
        raise ExpressionError(f"cannot evaluate {text!r}: {error}") from None


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, node: Any, context: Any) -> None:
        self.text, self.node, self.context = text, node, context
        self.tokens = list(_tokens(text))
        self.at = 0

    def whole(self) -> Any:
        value = self.choice()
        if self.at < len(self.tokens):
            raise self.wrong()
        return value

    def wrong(self) -> ExpressionError:
        left = " ".join(token for _, token in self.tokens[self.at :]) or "the end"
        return ExpressionError(f"cannot evaluate {self.text!r}: unexpected {left}")

    def take(self, *signs: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def choice(self) -> Any:
        value = self.binary(0)
        if not self.take("?"):
            return value
        yes = self.choice()
        if not self.take(":"):
            raise self.wrong()
        no = self.choice()
        return yes if value else no

    def binary(self, level: int) -> Any:
        if level == len(_BINARY):
            return self.unary()
        value = self.binary(level + 1)
        while True:
            sign = self.take(*_BINARY[level])
            if not sign:
                return value
            value = _BINARY[level][sign](value, self.binary(level + 1))

    def unary(self) -> Any:
        sign = self.take("-", "+", "!")
        if sign == "!":
            return float(not self.unary())
        if sign:
            return -self.unary() if sign == "-" else self.unary()
        return self.atom()

    def atom(self) -> Any:
        if self.take("("):
            value = self.choice()
            if not self.take(")"):
                raise self.wrong()
            return value
        if self.at >= len(self.tokens):
            raise self.wrong()
        kind, token = self.tokens[self.at]
        if kind == "sign":
            raise self.wrong()
        self.at += 1
        if kind == "number":
            return float(token)
        if kind == "string":
            return _plain(token[1:-1])
        return self.call(token) if self.take("(") else name_value(token, self.node, self.context)

    def call(self, name: str) -> Any:
        if name not in _FUNCTIONS:
            raise ExpressionError(f"cannot evaluate {self.text!r}: no function {name}")
        given: list[Any] = []
        while not self.take(")"):
            given.append(self.choice())
            if not self.take(",") and self.tokens[self.at : self.at + 1] != [("sign", ")")]:
                raise self.wrong()
        return _FUNCTIONS[name](*given)


def _tokens(text: str) -> Any:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(f"cannot evaluate {text!r}: unexpected {text[at:].strip()!r}")
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


def _plain(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def substitute(text: str, node: Any, context: Any) -> str:
    """Undo backslashes and replace every `[command]` by what it returns."""
    out, at = [], 0
    while at < len(text):
        sign = text[at]
        if sign == "\\" and at + 1 < len(text) and text[at + 1] in '[]{}$"\\':
            out.append(text[at + 1])
            at += 2
        elif sign == "[":
            end = _closing(text, at)
            out.append(_command(text[at + 1 : end], node, context))
            at = end + 1
        else:
            out.append(sign)
            at += 1
    return "".join(out)


def _closing(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        depth += (text[index] == "[") - (text[index] == "]")
        if depth == 0:
            return index
    raise ExpressionError(f"a bracket is never closed: {text!r}")


def _command(inside: str, node: Any, context: Any) -> str:
    words = [word.text if word.kind == "brace" else substitute(word.text, node, context) for word in split(inside)]
    name, given = (words[0], words[1:]) if words else ("", [])
    if name not in _COMMANDS or not given:
        raise ExpressionError(f"cannot evaluate [{inside}]")
    return _COMMANDS[name](given, node, context)


def _value(given: list[str], node: Any, context: Any) -> str:
    return text_of(name_value(given[0], node, context))


def _exists(given: list[str], node: Any, context: Any) -> str:
    here, rest = walk(given[0], node)
    if rest:
        return "1" if here is not None and len(rest) == 1 and rest[0] in here._knobs else "0"
    return "1" if here is not None else "0"


def _file(given: list[str], node: Any, context: Any) -> str:
    path = given[1] if len(given) > 1 else ""
    parts = {
        "dirname": path.rpartition("/")[0] or ("/" if path.startswith("/") else "."),
        "tail": path.rpartition("/")[2],
        "rootname": path[: len(path) - len(PurePosixPath(path).suffix)],
        "extension": PurePosixPath(path).suffix,
    }
    if given[0] not in parts:
        raise ExpressionError(f"cannot evaluate [file {' '.join(given)}]")
    return parts[given[0]]


def _python(given: list[str], node: Any, context: Any) -> str:
    here = session.current()
    with here.called_for(node if node is not None else here.root):
        return text_of(eval(" ".join(given), here.namespace))  # noqa: S307 - the script's own code, as in Nuke


def _getenv(given: list[str], node: Any, context: Any) -> str:
    if given[0] not in os.environ:
        raise ExpressionError(f"no environment variable {given[0]}")
    return os.environ[given[0]]


def _expression(given: list[str], node: Any, context: Any) -> str:
    return text_of(evaluate(" ".join(given), node, context))


def _numvalue(given: list[str], node: Any, context: Any) -> str:
    return text_of(float(name_value(given[0], node, context)))


_COMMANDS: dict[str, Callable] = {
    "value": _value, "exists": _exists, "file": _file, "python": _python, "getenv": _getenv, "expression": _expression,
    "numvalue": _numvalue, "knob": _value, "expr": _expression,
}  # fmt: skip
