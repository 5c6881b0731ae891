"""Expressions and Tcl substitution: a small evaluator that knows what it knows and raises for the rest."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from nuke_standin import session, trees
from nuke_standin.references import ExpressionError, name_value, text_of, walk
from nuke_standin.words import split


def evaluate(text: str, node: Any, context: Any) -> float:
    """Evaluate an expression as the knobs of a node see it."""
    tree = trees.parsed(with_commands(text, node, context))
    try:
        return float(trees.worked_out(tree, lambda name: name_value(name, node, context)))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ExpressionError(f"cannot evaluate {text!r}: {error}") from None


def with_commands(text: str, node: Any, context: Any) -> str:
    """Replace the commands of an expression that has some."""
    return substitute(text, node, context) if "[" in text else text


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
    here, code = session.current(), " ".join(given)
    names = {"nuke": sys.modules.get("nuke"), **here.namespace}  # Nuke imports itself into its main module
    with here.called_for(node if node is not None else here.root):
        try:
            return text_of(eval(code, names))  # noqa: S307 - the script's own code, as in Nuke
        except Exception as error:
            raise ExpressionError(f"[python {code}]: {type(error).__name__}: {error}") from error


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
