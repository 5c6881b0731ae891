"""Scripts as text: stack order, groups, clones, gizmo instances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuke_standin import groups, session, writing
from nuke_standin.layers import Layers
from nuke_standin.words import decoded, quoted


def script_text() -> str:
    """Return the whole script."""
    here = session.current()
    head = [f"#! nuke_standin -nx\nversion {here.version[0]}.{here.version[1]} v{here.version[2]}"]
    root = _node_text(here.root, ["inputs 0", *writing.lines(here.root, True)], "Root")
    return "\n".join([*head, *root, *_layers(), *_Writer(here.root._children).lines()]) + "\n"


def selection_text(nodes: list) -> str:
    """Return the clipboard's text of some nodes."""
    here = session.current()
    head = ["set cut_paste_input [stack 0]", f"version {here.version[0]}.{here.version[1]} v{here.version[2]}"]
    return "\n".join([*head, *_layers(), *_Writer(nodes).lines()]) + "\n"


def as_group(node: Any) -> str:
    """Return a gizmo as a Group with its content, its inputs open."""
    lines = ["inputs 0", *writing.lines_of_group(node)]
    out = [*_layers(), *_node_text(node, lines, "Group"), *_indented(_Writer(node._children).lines()), "end_group"]
    return "\n".join(out) + "\n"


def _layers() -> list[str]:
    built_in = Layers()
    mine = session.current().layers
    out = []
    for name in mine.names():
        known = built_in.channels(name) if name in built_in.names() else []
        if mine.channels(name) != known:
            out.append("add_layer {" + " ".join([name, *mine.channels(name)]) + "}")
    return out


def _node_text(node: Any, lines: list[str], name: str) -> list[str]:
    return [f"{name} {{", *(f" {line}" for line in lines), "}"]


def _indented(lines: list[str]) -> list[str]:
    """Indent by one blank. No line holds a raw newline: quoted words write them as backslash n."""
    return [f" {line}" for line in lines]


class _Writer:
    """Writes the nodes of one group so that the stack rules wire them again."""

    def __init__(self, nodes: list) -> None:
        self.nodes = _in_order(nodes)
        self.names: dict[int, str] = {}
        self.stack: list[Any] = []
        self.out: list[str] = []
        self.originals: dict[int, Any] = {}

    def lines(self) -> list[str]:
        for node in self.nodes:
            self._write(node)
        return self.out

    def _write(self, node: Any) -> None:
        inputs = [one if one is not None and id(one) in self.names else None for one in node._inputs]
        inputs += [None] * (_declared(node) - len(inputs))
        for above in reversed(inputs):
            self.out.append(f"push ${self.names[id(above)]}" if above is not None else "push 0")
        self.out += self._body(node, [_inputs_line(node, len(inputs))])
        if isinstance(node, groups.Group) and node._saves_content and node._original is None:
            self.out += [*_indented(_Writer(node._children).lines()), "end_group"]
        name = f"N{len(self.names) + 1:08x}"
        self.names[id(node)] = name
        self.out.append(f"set {name} [stack 0]")

    def _body(self, node: Any, first: list[str]) -> list[str]:
        original = node._original
        if original is not None and id(original) in self.names:
            own = writing.own_of_clone(node)
            return _node_text(node, [*first, *own], f"clone ${self.names[id(original)]}")
        definitions = not isinstance(node, groups.Gizmo)
        return _node_text(node, [*first, *writing.lines(node, definitions)], quoted(node._class_name()))


def _declared(node: Any) -> int:
    """Return how many inputs a node of an opaque class had in its script: nobody else knows."""
    return sum(node._declared) if node._kind.opaque else 0


def _inputs_line(node: Any, count: int) -> str:
    main, masks = node._declared
    if node._kind.opaque and masks and count == main + masks:
        return f"inputs {main}+{masks}"
    mask = node._kind.mask
    if mask is not None and count == mask + 1:
        return f"inputs {mask}+1"
    return f"inputs {count}"


def _in_order(nodes: list) -> list:
    """Return the nodes so that each comes after what feeds it, and clones after their original."""
    out: list[Any] = []
    done: set[int] = set()
    wanted = {id(node) for node in nodes}
    waiting = [(node, False) for node in reversed(nodes)]
    while waiting:
        node, ready = waiting.pop()
        if id(node) in done or id(node) not in wanted:
            continue
        if ready:
            done.add(id(node))
            out.append(node)
            continue
        waiting.append((node, True))
        above = [one for one in [*node._inputs, node._original] if one is not None and id(one) not in done]
        waiting += [(one, False) for one in reversed(above)]
    return out


def write_file(path: str, text: str) -> None:
    """Write a script; the newlines of this machine do not matter to Nuke, so there is one kind."""
    try:
        Path(path).write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise RuntimeError(f"{path}: {error.strerror}") from None


def read_file(path: str) -> str:
    """Read a script."""
    try:
        return decoded(Path(path).read_bytes())
    except OSError as error:
        raise RuntimeError(f"{path}: {error.strerror}") from None
