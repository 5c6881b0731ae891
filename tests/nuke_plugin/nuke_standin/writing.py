"""Nodes as text, and knobs from text: the order in which a file has them, and what it leaves out."""

from __future__ import annotations

from typing import Any

from nuke_standin import class_knobs, class_opaque, knobs, knobs_user, naming, session
from nuke_standin.class_files import FORMAT_KNOBS
from nuke_standin.flags import FLAGS, OTHERS
from nuke_standin.node_core import OWN_OF_CLONES
from nuke_standin.words import Word, quoted, split

user_kind = knobs_user.kind_of
_LAST = ("xpos", "ypos")


class KnobError(ValueError):
    """A value in a text that a node cannot take."""


class LinkError(KnobError):
    """A value for a link whose other end is not there, or not yet."""


def saved(knob: Any, everything: bool = False) -> bool:
    """Tell whether a file gets a line for the knob's value."""
    if not knob._name or _as_it_was(knob):
        return bool(knob._name)
    if knob._flags & FLAGS["DO_NOT_WRITE"]:
        return False
    if isinstance(knob, (knobs.Tab_Knob, knobs.Help_Knob, knobs.Obsolete_Knob)):
        return False
    return everything or bool(knob._flags & FLAGS["ALWAYS_SAVE"]) or not knob._is_default()


def _as_it_was(knob: Any) -> bool:
    """Tell whether a script gave the knob the value that it has: that is saved as the script had it."""
    return knob._source is not None and knob._source[0] == knob._value_state()


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
            out.append(knobs_user.definition(knob, _as_it_was(knob)))
            out += _value_line(knob, saved(knob, everything) and not _defined(knob))
        else:
            out += _value_line(knob, saved(knob, everything))
    return out


def own_of_clone(node: Any) -> list[str]:
    """Return the lines of a clone: what it does not share with its original."""
    own = [node._knobs[name] for name in OWN_OF_CLONES]
    return [line for knob in own for line in _value_line(knob, knob._name in _LAST or saved(knob))]


def lines_of_group(node: Any) -> list[str]:
    """Return the lines of a gizmo as a Group: also the values that are defaults of the gizmo and not of its class."""
    fresh = {knob._name: knob._state() for knob in node._kind.make_knobs()}
    out = []
    for knob in ordered(node):
        out += _value_line(knob, saved(knob, True) and knob._state() != fresh[knob._name])
    for knob in node._knobs.values():
        if knob._user_kind is not None:
            out += [
                knobs_user.definition(knob, _as_it_was(knob)),
                *_value_line(knob, saved(knob, True) and not _defined(knob)),
            ]
    return out


def _defined(knob: Any) -> bool:
    """Tell whether the definition, or the node that a link leads to, has the value."""
    inside = knobs_user.value_in_definition(knob) or isinstance(knob, knobs.Link_Knob)
    return inside and not _as_it_was(knob)


def _value_line(knob: Any, wanted: bool) -> list[str]:
    if not wanted or (knob._name == "name" and not knob._text):
        return []
    name = knob._name if " " not in knob._name else "{" + knob._name + "}"
    return [f"{name} {_value(knob) or '{}'}"]


def _value(knob: Any) -> str:
    """Return the word of a knob's value: where nothing has changed, the script's own."""
    if not _as_it_was(knob):
        return knob._word()
    word = knob._source[1]
    return "{" + word.text + "}" if word.kind == "brace" else quoted(word.text)


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
        _name(node, word)
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
    if session.current().loading:
        knob._source = (after, word)
    knob._change(after)


def _name(node: Any, word: Word) -> None:
    try:
        naming.rename(node, word.text, uncollide=True, update=False)
    except ValueError as error:
        raise KnobError(str(error)) from None


def keep(node: Any, name: str, word: Word) -> None:
    """Keep what the double cannot read as the text that it is: a value, or the definition of a user knob."""
    if name == "addUserKnob":
        _keep_definition(node, word)
        return
    if name == "name":
        node._knobs["name"]._text = naming.free(word.text, node._group, node)
        return
    knob = class_opaque.knob_in_place_of(node._knobs.get(name), name)
    knob._node = node
    node._knobs[name] = knob
    knob._text, knob._source = word.text, (word.text, word)


def _keep_definition(node: Any, word: Word) -> None:
    words = split(word.text, word.line)
    knob = class_opaque.Opaque_Knob(words[1].text if len(words) > 1 else "")
    knob._user_kind, knob._added = 0, True
    knob._definition = ("", word.text)
    if knob._name not in node._knobs:
        place(node, knob)


def _put_through(node: Any, link: Any, word: Word) -> None:
    """A value under a link's name goes to the other knob; both nodes hear of it."""
    target = _end_of(link)
    if target is None:
        raise LinkError(f"{node._full_name()}.{link._name} links to {link._target!r}, which is not there")
    put(target._node, target._name, word)
    if session.current().loading:
        link._source = (link._value_state(), word)
    node._knob_was_set(link)


def _end_of(link: Any) -> Any:
    try:
        return link._linked()
    except ValueError as error:  # in a circle
        raise LinkError(f"{link._node._full_name()}.{error}") from None


def _absent(node: Any, name: str, word: Word) -> None:
    """A file type's knob before the file type is lost, as in Nuke; another is an error, but in an opaque class."""
    if node._kind.keeps(name):
        keep(node, name, word)
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
    if word.kind == "brace":
        knob._definition = (knobs_user.written(knob), word.text)
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
    texts = [text for knob in node._knobs.values() for text in knob._expressions()]
    if node._group is None or not texts:
        return []
    joined = " ".join(texts)
    return [one for one in node._group._children if one is not node and f"{one._name()}." in joined]
