"""The stack rules of scripts and gizmos: from commands to a flat list of node records; knows no node class."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from nuke_standin.words import TclError, Word, commands, split

GROUPS = ("Group", "Gizmo", "VariableGroup")  # LiveGroup: see _closing_live_groups
_HEADER = ("version", "define_window_layout_xml", "define_window_layout", "load", "python", "add_view")


class Item(NamedTuple):
    """A knob's name and its value as a word, or the definition of a user knob (name `addUserKnob`)."""

    name: str
    word: Word


class Record(NamedTuple):
    """One node as the file has it. Inputs and group are indices into the list of records."""

    cls: str
    inputs: list  # of int, or None for an unconnected input
    items: list  # of Item, in the file's order
    group: object  # int or None
    clone_of: object  # int or None
    line: int
    main_inputs: int

    def value(self, name: str) -> object:
        """Return the last value of a knob as text, or None."""
        found = [item.word.text for item in self.items if item.name == name]
        return found[-1] if found else None


class Script(NamedTuple):
    """What a file holds."""

    records: list
    layers: list  # of lists of words: the layer's name, then its channels
    defaults: list  # of (Class.knob, value)
    formats: list  # of texts
    version: str


def parse(text: str) -> Script:
    """Read the text of a script, gizmo or clipboard; raises TclError."""
    every = [list(words) for words in _commands(text)]
    machine = _Machine(_closing_live_groups(every))
    for words in every:
        machine.run(words)
    return machine.finish()


@lru_cache(32)  # a gizmo is read for each node of its class
def _commands(text: str) -> tuple[list[Word], ...]:
    return tuple(commands(text))


def _closing_live_groups(every: list[list[Word]]) -> bool:
    """Tell whether LiveGroups carry their content: they do when the file has an end_group for each of them."""
    named = [words[0].text for words in every]
    sure = sum(name in GROUPS for name in named)
    return named.count("end_group") >= sure + named.count("LiveGroup")


class _Machine:
    """The stack and the variables while a file is read."""

    def __init__(self, live_groups_open: bool) -> None:
        self.opening = (*GROUPS, "LiveGroup") if live_groups_open else GROUPS
        self.records: list[Record] = []
        self.layers: list[list[str]] = []
        self.defaults: list[tuple[str, str]] = []
        self.formats: list[str] = []
        self.version = ""
        self.stack: list[object] = []
        self.outer: list[tuple[list[object], object, int]] = []
        self.group: object = None
        self.variables: dict[str, object] = {}
        self.clones: dict[str, int] = {}
        self.known: dict[str, Callable[[list[Word]], None]] = {
            "set": self._set, "push": self._push, "pop": self._pop, "dup": self._dup, "exch": self._exch,
            "roll": self._roll, "stack": self._nothing, "clone": self._clone, "end_group": self._end_group,
            "add_layer": self._add_layer, "knob_default": self._knob_default, "Root": self._root,
            "add_format": self._add_format,
        }  # fmt: skip

    def run(self, words: list[Word]) -> None:
        name = words[0].text
        if name in self.known:
            self.known[name](words)
        elif name in _HEADER:
            if name == "version":
                self.version = " ".join(word.text for word in words[1:])
        else:
            self._node(words)

    def finish(self) -> Script:
        if self.outer:
            raise TclError("the group that begins here has no end_group", self.outer[-1][2])
        return Script(self.records, self.layers, self.defaults, self.formats, self.version)

    def _nothing(self, words: list[Word]) -> None:
        """Accept a command that changes nothing."""

    def _set(self, words: list[Word]) -> None:
        _expect(words, 3)
        self.variables[words[1].text] = self._reference(words[2])

    def _push(self, words: list[Word]) -> None:
        _expect(words, 2)
        self.stack.append(self._reference(words[1]))

    def _pop(self, words: list[Word]) -> None:
        for _ in range(_number(words[1]) if len(words) > 1 else 1):
            self._popped()

    def _dup(self, words: list[Word]) -> None:
        self.stack.append(self._peek(0))

    def _exch(self, words: list[Word]) -> None:
        top, below = self._popped(), self._popped()
        self.stack += [top, below]

    def _roll(self, words: list[Word]) -> None:
        _expect(words, 3)
        count, by = _number(words[1]), _number(words[2])
        if not 0 < count <= len(self.stack):
            return
        moved = self.stack[-count:]
        by %= count
        self.stack[-count:] = moved[count - by :] + moved[: count - by]

    def _end_group(self, words: list[Word]) -> None:
        if not self.outer:
            raise TclError("end_group without a group", words[0].line)
        opened = self.group
        self.stack, self.group, _ = self.outer.pop()
        self.stack.append(opened)

    def _add_layer(self, words: list[Word]) -> None:
        _expect(words, 2)
        named = [word.text for word in split(words[1].text, words[1].line)]
        if not named:
            raise TclError("add_layer names no layer", words[0].line)
        self.layers.append(named)

    def _knob_default(self, words: list[Word]) -> None:
        _expect(words, 3)
        self.defaults.append((words[1].text, words[2].text))

    def _add_format(self, words: list[Word]) -> None:
        _expect(words, 2)
        self.formats.append(words[1].text)

    def _root(self, words: list[Word]) -> None:
        items, _ = _items(words)
        self.records.append(Record("Root", [], items, self.group, None, words[0].line, 0))

    def _clone(self, words: list[Word]) -> None:
        if len(words) == 4:  # clone node1234|Blur|123 Blur {...}: the first of its name is the node itself
            known = self.clones.get(words[1].text)
            index = self._node(words[2:], known)
            self.clones.setdefault(words[1].text, index)
            return
        _expect(words, 3)
        found = self.clones.get(words[1].text)
        found = self._reference(words[1]) if found is None else found
        if found is None:
            raise TclError("clone of no node", words[0].line)
        self._node([Word(self.records[found].cls, "bare", words[0].line), words[2]], found)

    def _node(self, words: list[Word], clone_of: object = None) -> int:
        items, counts = _items(words)
        inputs = [self._popped() for _ in range(sum(counts))]
        name, line = words[0].text, words[0].line
        self.records.append(Record(name, inputs, items, self.group, clone_of, line, counts[0]))
        index = len(self.records) - 1
        if name in self.opening and clone_of is None:
            self.outer.append((self.stack, self.group, line))
            self.stack, self.group = [], index
        else:
            self.stack.append(index)
        return index

    def _reference(self, word: Word) -> object:
        text = word.text.strip()
        if text.startswith("[") and text.endswith("]"):
            return self._stack_item(text[1:-1].split(), word.line)
        if text.startswith("$"):
            return self._variable(text[1:], word.line)
        if text == "0":
            return None
        raise TclError(f"neither a node nor 0: {text!r}", word.line)

    def _stack_item(self, called: list[str], line: int) -> object:
        if len(called) != 2 or called[0] != "stack" or not called[1].isdigit():
            raise TclError(f"unknown command [{' '.join(called)}]", line)
        return self._peek(int(called[1]))

    def _variable(self, name: str, line: int) -> object:
        name = name.strip("{}")
        if name not in self.variables and name != "cut_paste_input":  # a paste with nothing selected
            raise TclError(f"no variable {name!r}", line)
        return self.variables.get(name)

    def _peek(self, depth: int) -> object:
        return self.stack[-1 - depth] if depth < len(self.stack) else None

    def _popped(self) -> object:
        return self.stack.pop() if self.stack else None


def _expect(words: list[Word], count: int) -> None:
    if len(words) != count:
        raise TclError(f"{words[0].text} takes {count - 1} words, not {len(words) - 1}", words[0].line)


def _number(word: Word) -> int:
    try:
        return int(word.text)
    except ValueError:
        raise TclError(f"no number: {word.text!r}", word.line) from None


def _items(words: list[Word]) -> tuple[list[Item], tuple[int, int]]:
    """Return a node's knobs in order and how many main and mask inputs it declares."""
    if len(words) > 2 or (len(words) == 2 and words[1].kind == "bare"):
        raise TclError(f"unknown command {words[0].text!r}", words[0].line)
    flat = split(words[1].text, words[1].line) if len(words) == 2 else []
    if len(flat) % 2:
        raise TclError(f"{words[0].text} has a knob without a value: {flat[-1].text!r}", flat[-1].line)
    items, counts = [], (1, 0)
    for name, value in ((flat[at], flat[at + 1]) for at in range(0, len(flat), 2)):
        if name.text == "inputs":
            counts = _input_counts(value)
        else:
            items.append(Item(name.text, value))
    return items, counts


def _input_counts(word: Word) -> tuple[int, int]:
    main, _, mask = word.text.strip().partition("+")
    if not main.isdigit() or (mask and not mask.isdigit()):
        raise TclError(f"no number of inputs: {word.text!r}", word.line)
    return int(main), int(mask or 0)
