"""Nodes from text: scripts, gizmos, the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuke_standin import callbacks, creation, formats, groups, knobs, naming, saving, script, session, words, writing


class LoadError(RuntimeError):
    """What a script had that could not be made; the rest of it is there."""


def load_text(text: str, with_root: bool, where: str = "script") -> list:
    """Make the nodes of a text in the current group; errors are raised together when all else is made.

    What the double does not know (classes, knobs, values) is kept as text and noted; a real Nuke reports a class or a
    knob that it does not know as an error and leaves it out.
    """
    here = session.current()
    try:
        parsed = script.parse(text)
    except words.TclError as error:
        raise LoadError(f"{where}: {error}") from None
    here.load_errors, here.load_notes = [], []
    with here.load(forgiving=True):
        _declare(parsed)
        builder = _Builder(parsed.records, where, forgiving=True)
        made = builder.build(None, here.group, with_root)
        builder.settle()
    if not with_root:
        here.changed(lambda: creation.forget(made), "paste")
    if here.load_errors:
        raise LoadError("\n".join(here.load_errors))
    return made


def check(text: str, where: str) -> None:
    """Raise LoadError for text that is no script, before anything is given up for it."""
    try:
        script.parse(text)
    except words.TclError as error:
        raise LoadError(f"{where}: {error}") from None


def _declare(parsed: script.Script) -> None:
    here = session.current()
    for text in parsed.formats:
        _add_format(text)
    for layer in parsed.layers:
        here.layers.add(layer[0], layer[1:])
    for name, value in parsed.defaults:
        here.knob_defaults[name] = value


def build(parsed: script.Script, where: str, group: Any) -> None:
    """Make the nodes of a parsed script in a group that is not the current one; errors go to the session."""
    _declare(parsed)
    builder = _Builder(parsed.records, where, forgiving=True)
    builder.build(None, group)
    builder.settle()


def _add_format(text: str) -> None:
    here = session.current()
    try:
        here.formats.append(formats.parsed(text))
    except ValueError as error:
        here.load_notes.append(f"add_format: {error}")


class _Builder:
    """Makes nodes of records. A forgiving one keeps what it cannot read as text; another fails."""

    def __init__(self, records: list, where: str, forgiving: bool = False) -> None:
        self.records, self.where, self.forgiving = records, where, forgiving
        self.made: dict[int, Any] = {}
        self.inside: dict[Any, list[int]] = {}
        self.waiting: list[tuple] = []  # (node, record, item) of links whose other end is still to come
        for index, record in enumerate(records):
            self.inside.setdefault(record.group, []).append(index)

    def build(self, parent: Any, group: Any, with_root: bool = False) -> list:
        """Make the nodes whose records lie in a group's record."""
        out = []
        for index in self.inside.get(parent, ()):
            if self.records[index].cls == "Root":
                if with_root:
                    self.fill(session.current().root, self.records[index])
                continue
            node = self._node(index, group)
            if node is not None:
                out.append(node)
        return out

    def settle(self, node: Any = None) -> None:
        """Put the values of links that waited for what they lead to: a node's, or all."""
        ready = [one for one in self.waiting if node is None or one[0] is node]
        self.waiting = [one for one in self.waiting if one not in ready]
        for owner, record, item in ready:
            self._put(owner, record, item, waits=False)

    def _node(self, index: int, group: Any) -> Any:
        record = self.records[index]
        kind = self._kind(record)
        if kind is None:
            self._fail(record, f"{record.cls}: Unknown command")
            return None
        original = self.made.get(record.clone_of) if record.clone_of is not None else None
        node = creation.make(kind, group, original)
        node._declared = (record.main_inputs, len(record.inputs) - record.main_inputs)
        self.made[index] = node
        for at, above in enumerate(record.inputs):
            if above is not None and above in self.made:
                node._connect(at, self.made[above])
        self.fill(node, record)
        if isinstance(node, groups.Group):
            self.build(index, node)
            self.settle(node)
        self._announce(node, record)
        return node

    def _kind(self, record: script.Record) -> Any:
        kind = creation.kind_of(record.cls)
        if kind is None and self.forgiving:
            self._note(record, f"{record.cls}: Unknown command")
            return creation.unknown_kind(record.cls)
        return kind

    def fill(self, node: Any, record: script.Record) -> None:
        """Give a node the knobs of its record."""
        for item in record.items:
            self._put(node, record, item)

    def _put(self, node: Any, record: script.Record, item: script.Item, waits: bool = True) -> None:
        try:
            writing.put(node, item.name, item.word)
        except writing.LinkError as error:
            if waits:
                self.waiting.append((node, record, item))
            else:
                self._unread(node, record, item, error)
        except (writing.KnobError, words.TclError) as error:
            self._unread(node, record, item, error)
        except Exception as error:  # noqa: BLE001 - a knobChanged of the script or of a plug-in
            self._fail(record, f"{node._full_name()}.{item.name}: {type(error).__name__}: {error}")

    def _unread(self, node: Any, record: script.Record, item: script.Item, error: Exception) -> None:
        if not self.forgiving:
            self._fail(record, str(error))
            return
        self._note(record, str(error))
        writing.keep(node, item.name, item.word)

    def _announce(self, node: Any, record: script.Record) -> None:
        try:
            callbacks.run("onCreate", node)
        except Exception as error:  # noqa: BLE001 - a plug-in's code
            self._fail(record, f"{node._full_name()}.onCreate: {type(error).__name__}: {error}")

    def _fail(self, record: script.Record, message: str) -> None:
        session.current().load_errors.append(f"{self.where}, line {record.line}: {message}")

    def _note(self, record: script.Record, message: str) -> None:
        session.current().load_notes.append(f"{self.where}, line {record.line}: {message}")


def announce(node: Any) -> None:
    """Run onCreate for a new node; what a gizmo holds had its turn when the gizmo was filled."""
    callbacks.run("onCreate", node)


def fill_gizmo(node: Any) -> None:
    """Give a new gizmo its knobs and its inner nodes."""
    path = Path(node._kind.file)
    try:
        parsed = script.parse(words.decoded(path.read_bytes()))
    except (OSError, words.TclError) as error:
        raise LoadError(f"{path}: {error}") from None
    if not parsed.records or parsed.records[0].cls not in ("Gizmo", "Group"):
        raise LoadError(f"{path}: holds no gizmo")
    here = session.current()
    errors, here.load_errors = here.load_errors, []
    with here.load():
        _declare(parsed)
        builder = _Builder(parsed.records, path.name)
        callbacks_off, node._reacting = node._reacting, True
        builder.fill(node, _without_name(parsed.records[0]))
        builder.build(0, node)
        builder.settle()
        node._reacting = callbacks_off
    broken, here.load_errors = here.load_errors, errors
    if broken:
        raise LoadError("\n".join(broken))
    for knob in node._knobs.values():
        knob._added, knob._source, knob._definition = False, None, None
        if knob._name != "name":
            knob._freeze()


def _without_name(record: script.Record) -> script.Record:
    return record._replace(items=[item for item in record.items if item.name not in ("name", "xpos", "ypos")])


def take_arguments(node: Any, given: Any) -> None:
    """Apply `knob value knob value` text or a dictionary to a new node."""
    if isinstance(given, str):
        writing.read_knobs(node, given)
        return
    inputs = given.pop("inputs", [])
    for index, above in enumerate(inputs):
        node.setInput(index, above)
    if "file_type" in given:
        given = {"file_type": given["file_type"], **given}
    for name, value in given.items():
        if name == "name":
            node.setName(value)
        else:
            _set(node[name], value)


def _set(knob: Any, value: Any) -> None:
    if isinstance(value, str) and isinstance(knob, knobs.Array_Knob) and not isinstance(knob, knobs.Enumeration_Knob):
        knob.fromScript(value)
    else:
        knob.setValue(value)


def group_from_gizmo(node: Any) -> Any:
    """Return a Group with the same content and values beside a gizmo."""
    here = session.current()
    here.refuse_when_busy()
    text = saving.as_group(node)
    with here.inside(node._group):
        made = load_text(text, with_root=False, where=node._name())
    for index, above in enumerate(node._inputs):
        made[0]._connect(index, above)
    made[0]._knobs["name"]._text = naming.free(node._name(), node._group, made[0])
    return made[0]
