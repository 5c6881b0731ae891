"""Nodes from text: scripts, gizmos, the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuke_standin import callbacks, creation, groups, knobs, naming, saving, script, session, words, writing


class LoadError(RuntimeError):
    """What a script had that could not be made; the rest of it is there."""


def load_text(text: str, with_root: bool, where: str = "script") -> list:
    """Make the nodes of a text in the current group; errors are raised together when all else is made."""
    here = session.current()
    try:
        parsed = script.parse(text)
    except words.TclError as error:
        raise LoadError(f"{where}: {error}") from None
    here.load_errors = []
    with here.load():
        _declare(parsed)
        made = _Builder(parsed.records, where).build(None, here.group, with_root)
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
    for layer in parsed.layers:
        here.layers.add(layer[0], layer[1:])
    for name, value in parsed.defaults:
        here.knob_defaults[name] = value


def build(parsed: script.Script, where: str, group: Any) -> None:
    """Make the nodes of a parsed script in a group that is not the current one; errors go to the session."""
    _declare(parsed)
    _Builder(parsed.records, where).build(None, group)


class _Builder:
    """Makes nodes of records."""

    def __init__(self, records: list, where: str, announce: bool = True) -> None:
        self.records, self.where, self.announce = records, where, announce
        self.made: dict[int, Any] = {}
        self.inside: dict[Any, list[int]] = {}
        for index, record in enumerate(records):
            self.inside.setdefault(record.group, []).append(index)

    def build(self, parent: Any, group: Any, with_root: bool = False) -> list:
        """Make the nodes whose records lie in a group's record."""
        out = []
        for index in self.inside.get(parent, ()):
            if self.records[index].cls == "Root":
                if with_root:
                    self._fill(session.current().root, self.records[index])
                continue
            node = self._node(index, group)
            if node is not None:
                out.append(node)
        return out

    def _node(self, index: int, group: Any) -> Any:
        record = self.records[index]
        kind = creation.kind_of(record.cls)
        if kind is None:
            self._fail(record, f"{record.cls}: Unknown command")
            return None
        original = self.made.get(record.clone_of) if record.clone_of is not None else None
        node = creation.make(kind, group, original)
        self.made[index] = node
        for at, above in enumerate(record.inputs):
            if above is not None and above in self.made:
                node._connect(at, self.made[above])
        self._fill(node, record)
        if isinstance(node, groups.Group):
            self.build(index, node)
        if self.announce:
            self._announce(node, record)
        return node

    def _fill(self, node: Any, record: script.Record) -> None:
        for item in record.items:
            self._put(node, record, item)

    def _put(self, node: Any, record: script.Record, item: script.Item) -> None:
        try:
            writing.put(node, item.name, item.word)
        except (writing.KnobError, words.TclError) as error:
            self._fail(record, str(error))
        except Exception as error:  # noqa: BLE001 - a knobChanged of the script or of a plug-in
            self._fail(record, f"{node._full_name()}.{item.name}: {type(error).__name__}: {error}")

    def _announce(self, node: Any, record: script.Record) -> None:
        try:
            callbacks.run("onCreate", node)
        except Exception as error:  # noqa: BLE001 - a plug-in's code
            self._fail(record, f"{node._full_name()}.onCreate: {type(error).__name__}: {error}")

    def _fail(self, record: script.Record, message: str) -> None:
        session.current().load_errors.append(f"{self.where}, line {record.line}: {message}")


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
        builder._fill(node, _without_name(parsed.records[0]))
        builder.build(0, node)
        node._reacting = callbacks_off
    broken, here.load_errors = here.load_errors, errors
    if broken:
        raise LoadError("\n".join(broken))
    for knob in node._knobs.values():
        knob._added = False
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
