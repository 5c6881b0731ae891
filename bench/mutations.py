"""The single faults of `mutate.py`: what can be planted in a module's source, and the source with one of them in it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TURNED = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


@dataclass(frozen=True)
class Mutation:
    """One fault: where it goes (`node` counts the nodes of the module's tree), its kind, and what it changes."""

    module: str
    line: int
    kind: str
    node: int
    change: str


def _compared(node: ast.AST, others: dict[type[ast.cmpop], type[ast.cmpop]]) -> ast.AST | None:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in others:
        return None
    return ast.Compare(node.left, [others[type(node.ops[0])]()], node.comparators)


def _turned(node: ast.AST) -> ast.AST | None:
    return _compared(node, TURNED)


def _off_by_one(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return ast.Constant(node.value + 1)
    return _compared(node, SHIFTED)


def _without_call(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return None
    return None if ast.unparse(node.value.func).startswith("log.") else ast.Pass()


def _without_return(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Return) or node.value is None or ast.unparse(node.value) == "None":
        return None
    return ast.Return(ast.Constant(None))


def _without_raise(node: ast.AST) -> ast.AST | None:
    return ast.Pass() if isinstance(node, ast.Raise) else None


def _negated(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, (ast.If, ast.While, ast.IfExp)):
        return None
    changed = copy.copy(node)
    changed.test = ast.UnaryOp(ast.Not(), node.test)
    return changed


def _other_constant(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, bool):
        return ast.Constant(not node.value)
    return ast.Constant(node.value * 2 or 1.0) if isinstance(node.value, float) else None


KINDS: dict[str, Callable[[ast.AST], ast.AST | None]] = {
    "comparison turned": _turned,
    "off by one": _off_by_one,
    "call removed": _without_call,
    "return removed": _without_return,
    "raise removed": _without_raise,
    "condition negated": _negated,
    "constant changed": _other_constant,
}


def _never_run(node: ast.AST) -> Iterator[ast.AST | None]:
    """Yield what runs only for type checkers, decorates, or is text: no fault goes there."""
    yield getattr(node, "annotation", None)
    yield getattr(node, "returns", None)
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
        yield node


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def faults_of(source: str, module: str) -> list[Mutation]:
    """Return every fault that can be planted in a module's source, in the order of its tree."""
    nodes = list(ast.walk(ast.parse(source)))
    spared = {id(inner) for node in nodes for out in _never_run(node) if out for inner in ast.walk(out)}
    found = []
    for index, node in enumerate(nodes):
        for kind, change in KINDS.items():
            changed = None if id(node) in spared else change(node)
            if changed is not None:
                text = f"{_first_line(node)}  ->  {_first_line(changed)}"
                found.append(Mutation(module, getattr(node, "lineno", 0), kind, index, text))
    return found


class _Planting(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def planted(source: str, fault: Mutation) -> str:
    """Return a module's source with one fault in it; comments are lost."""
    tree = ast.parse(source)
    old = list(ast.walk(tree))[fault.node]
    new = KINDS[fault.kind](old)
    assert new is not None
    return ast.unparse(ast.fix_missing_locations(_Planting(old, new).visit(tree)))
