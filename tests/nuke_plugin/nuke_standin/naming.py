"""Names of nodes: looking them up, keeping them apart, and renaming."""

from __future__ import annotations

import re
from typing import Any, Optional

from nuke_standin import session

_NUMBERED = re.compile(r"^(.*?)(\d*)$", re.S)
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def siblings(node: Any) -> list:
    """Return the nodes of the group in which a node is, itself included."""
    return list(node._group._children) if node._group is not None else [node]


def find(path: str, group: Any) -> Optional[Any]:
    """Return the node of a dotted name as seen from a group: root.X is absolute, this and parent are known."""
    here = session.current()
    words = path.split(".")
    if words[0] == "preferences":
        return here.preferences
    if words[0] == "root":
        group, words = here.root, words[1:]
    found = group
    for word in words:
        if word == "this":
            continue
        found = found._group if word == "parent" else getattr(found, "_child", lambda _: None)(word)
        if found is None:
            return None
    return found


def free(wanted: str, group: Any, but: Any = None) -> str:
    """Return the name, or the next number of it that nobody has."""
    taken = {node._name() for node in group._children if node is not but}
    if wanted not in taken:
        return wanted
    stem = _NUMBERED.match(wanted).group(1)
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def first_free(stem: str, group: Any) -> str:
    """Return the name for a new node of a class: the class with the lowest free number."""
    return free(f"{re.sub(r'[^A-Za-z0-9_]', '_', stem)}1", group)


def rename(node: Any, name: str, uncollide: bool, update: bool) -> None:
    """Give a node a name; expressions and links that used the old one follow."""
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValueError(f"Invalid node name: {name!r}")
    taken = any(one._name() == name for one in siblings(node) if one is not node and one._knobs is not node._knobs)
    if taken and not uncollide:
        raise ValueError(f"there is a node {name!r} already")
    old = node._name()
    new = free(name, node._group, node) if taken else name
    if new == old:
        return
    if update:
        _follow(node, old, new)
    node._knobs["name"]._change(new)


def _follow(node: Any, old: str, new: str) -> None:
    word = re.compile(rf"(?<![\w.]){re.escape(old)}(?=\.)")
    for one in [*siblings(node), *([node._group] if node._group is not None else [])]:
        for knob in one._knobs.values():
            knob._rename(word, new)
