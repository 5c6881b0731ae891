"""Requirements as packages state them: name, extras, exact version, and whether a marker is true on another machine.

pip evaluates markers for the machine that it runs on, also when it downloads for another one.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Callable

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*\(?([^;)@]*)\)?\s*(?:;(.*))?$", re.S)
_EXACT = re.compile(r"===?\s*([^\s,*]+)\s*(?:,|$)")
_VERSIONS = ("python_version", "python_full_version", "implementation_version")
_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _UnknownError(Exception):
    """A marker says something that is not understood here."""


@dataclass(frozen=True)
class Requirement:
    """One requirement: `version` only where it is exact, else ""; `marker` as it is written, "" where there is none."""

    name: str
    extras: frozenset[str]
    version: str
    marker: str

    def applies(self, machine: Mapping[str, str], extras: Collection[str] = ()) -> bool:
        """Whether it counts on a machine with the marker variables `machine` when `extras` are asked for.

        A marker that is not understood counts as true: a wheel too many does no harm.
        """
        if not self.marker:
            return True
        try:
            tree = ast.parse(self.marker.strip(), mode="eval").body
            return any(_true(tree, {**machine, "extra": extra}) for extra in (*extras, ""))
        except (SyntaxError, ValueError, _UnknownError):
            return True


def parse(text: str) -> Requirement:
    """Take apart a requirement as in Requires-Dist or in a file of constraints; ValueError if it is none."""
    match = _REQUIREMENT.match(text)
    if not match:
        raise ValueError(f"not a requirement: {text}")
    name, extras, specifier, marker = match.groups(default="")
    exact = _EXACT.search(specifier)
    named = frozenset(normal(extra.strip()) for extra in extras.split(",") if extra.strip())
    return Requirement(normal(name), named, exact.group(1) if exact else "", marker.strip())


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _true(node: ast.expr, machine: Mapping[str, str]) -> bool:
    if isinstance(node, ast.BoolOp):
        results = [_true(value, machine) for value in node.values]
        return all(results) if isinstance(node.op, ast.And) else any(results)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node.left, node.ops[0], node.comparators[0], machine)
    raise _UnknownError


def _compared(left: ast.expr, order: ast.cmpop, right: ast.expr, machine: Mapping[str, str]) -> bool:
    one, other = _value(left, machine), _value(right, machine)
    if isinstance(order, (ast.In, ast.NotIn)):
        return (one in other) == isinstance(order, ast.In)
    compare = _ORDERS.get(type(order))
    if compare is None:
        raise _UnknownError
    if any(isinstance(side, ast.Name) and side.id in _VERSIONS for side in (left, right)):
        return compare(_version(one), _version(other))
    if compare not in (operator.eq, operator.ne):
        raise _UnknownError
    if any(isinstance(side, ast.Name) and side.id == "extra" for side in (left, right)):
        return compare(normal(one), normal(other))
    return compare(one, other)


def _value(node: ast.expr, machine: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in machine:
        return machine[node.id]
    raise _UnknownError


def _version(text: str) -> tuple[int, ...]:
    """The numbers of a version, without the zeros at its end: 3.10 and 3.10.0 are equal."""
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
