"""Nodes as text, and knobs from text: the order in which a file has them, and what it leaves out."""

from __future__ import annotations

from typing import Any

from nuke_standin import class_knobs, class_opaque, knobs, knobs_user, naming
from nuke_standin.class_files import FORMAT_KNOBS
from nuke_standin.flags import FLAGS, OTHERS
from nuke_standin.words import Word, split

user_kind = knobs_user.kind_of
_LAST = ("xpos", "ypos")


class KnobError(ValueError):
    """A value in a text that a node cannot take."""


def saved(knob: Any, everything: bool = False) -> bool:
    """Tell whether a file gets a line for the knob's value."""
    if knob._flags & FLAGS["DO_NOT_WRITE"] or not knob._name:
        return False
    if isinstance(knob, (knobs.Tab_Knob, knobs.Help_Knob, knobs.Obsolete_Knob)):
        return False
    return everything or bool(knob._flags & FLAGS["ALWAYS_SAVE"]) or not knob._is_default()


def ordered(node: Any) -> list:
    """Return a node's own knobs in the order of a file: the class's, the node's, then the place."""
    own = [knob for knob in node._knobs.values() if knob._user_kind is None]
    placed = [knob for knob in own if knob._name in _LAST]
    common = [knob for knob in own if knob._name in class_knobs.NAMES and knob not in placed]
    first = [knob for knob in own if knob._name not in class_knobs.NAMES]
    if node._class_name() == "Input":
        return [*common, *placed, *first]
    return [*first, *common, *placed]


def lines(node: Any, definitions: bool, everything: bool = False) -> list[str]:
    """Return the lines of a node's knobs; an instance of a gizmo has values without definitions."""
    out = []
    for knob in ordered(node):
        out += _value_line(knob, saved(knob, everything))
    for knob in node._knobs.values():
        if knob._user_kind is None:
            continue
        if definitions or getattr(knob, "_added", False):
            out.append(knobs_user.written(knob))
            inside = knobs_user.value_in_definition(knob) or isinstance(knob, knobs.Link_Knob)
            out += _value_line(knob, saved(knob, everything) and not inside)
        else:
            out += _value_line(knob, saved(knob, everything))
    return out


def lines_of_group(node: Any) -> list[str]:
    """Return the lines of a gizmo as a Group: also the values that are defaults of the gizmo and not of its class."""
    fresh = {knob._name: knob._state() for knob in node._kind.make_knobs()}
    out = []
    for knob in ordered(node):
        out += _value_line(knob, saved(knob, True) and knob._state() != fresh[knob._name])
    for knob in node._knobs.values():
        if knob._user_kind is not None:
            inside = knobs_user.value_in_definition(knob) or isinstance(knob, knobs.Link_Knob)
            out += [knobs_user.written(knob), *_value_line(knob, saved(knob, True) and not inside)]
    return out


def _value_line(knob: Any, wanted: bool) -> list[str]:
    if not wanted or (knob._name == "name" and not knob._text):
        return []
    name = knob._name if " " not in knob._name else "{" + knob._name + "}"
    return [f"{name} {knob._word() or '{}'}"]


def knob_lines(node: Any, flags: int) -> str:
    """Answer Node.writeKnobs."""
    everything = bool(flags & OTHERS["WRITE_ALL"]) and not flags & OTHERS["WRITE_NON_DEFAULT_ONLY"]
    definitions = bool(flags & OTHERS["WRITE_USER_KNOB_DEFS"])
    found = lines(node, definitions, everything)
    if not flags & OTHERS["TO_SCRIPT"]:
        found = [line for line in found if not line.startswith("name ")]
    return "\n".join(found)


def read_knobs(node: Any, text: str) -> None:
    """Answer Node.readKnobs: pairs of names and values."""
    words = split(text)
    if len(words) % 2:
        raise ValueError("a knob without a value")
    for at in range(0, len(words), 2):
        put(node, words[at].text, words[at + 1])


def put(node: Any, name: str, word: Word) -> None:
    """Give a knob the value of a file; raises KnobError."""
    if name == "addUserKnob":
        define(node, word)
        return
    if name == "name" and node._group is not None:
        # The name until now was made up: what refers to it means another node, which is still to come.
        naming.rename(node, word.text, uncollide=True, update=False)
        return
    knob = node._knobs.get(name)
    if knob is None:
        _absent(node, name, word)
        return
    if isinstance(knob, knobs.Link_Knob):
        _put_through(node, knob, word)
        return
    try:
        before = knob._state()
        knob._load(word.text)
    except (ValueError, TypeError) as error:
        raise KnobError(f"{node._full_name()}.{name}: {error}") from None
    after = knob._state()
    knob._restore(before)
    knob._change(after)


def _put_through(node: Any, link: Any, word: Word) -> None:
    """A value under a link's name goes to the other knob; both nodes hear of it."""
    target = link._linked()
    if target is None:
        raise KnobError(f"{node._full_name()}.{link._name} links to {link._target!r}, which is not there")
    put(target._node, target._name, word)
    node._knob_was_set(link)


def _absent(node: Any, name: str, word: Word) -> None:
    """A file type's knob before the file type is lost, as in Nuke; another is an error, but in an opaque class."""
    if node._kind.opaque:
        knob = class_opaque.Opaque_Knob(name)
        node._take(knob)
        knob._load(word.text)
        return
    if name in FORMAT_KNOBS.get(node._class_name(), ()):
        return
    raise KnobError(f"{node._full_name()}: no knob named {name!r}")


def define(node: Any, word: Word) -> None:
    """Give a node the user knob that a file defines."""
    try:
        knob = knobs_user.parsed(word)
    except ValueError as error:
        raise KnobError(f"{node._full_name()}: {error}") from None
    if knob._name and knob._name in node._knobs:
        return  # the first of a name stays
    knob._added = True
    place(node, knob)


def place(node: Any, knob: Any) -> None:
    """Give a node a knob; dividers share the empty name, so that they are kept under numbers."""
    if knob._name:
        node._take(knob)
        return
    number = 1
    while f"_{number}" in node._knobs:
        number += 1
    knob._node = node
    node._knobs[f"_{number}"] = knob


def referred(node: Any) -> list:
    """Return the nodes beside this one that its expressions name."""
    texts = []
    for knob in node._knobs.values():
        texts += [part.expression for part in getattr(knob, "_parts", ()) if part.expression is not None]
    if node._group is None or not texts:
        return []
    joined = " ".join(texts)
    return [one for one in node._group._children if one is not node and f"{one._name()}." in joined]
