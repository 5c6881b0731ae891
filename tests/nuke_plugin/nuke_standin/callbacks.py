"""Callbacks: registering them, and running them in Nuke's order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from nuke_standin import session

# kind -> (knob with the node's own code, class that add... takes when none is named)
KINDS: dict[str, tuple[str, str]] = {
    "onUserCreate": ("", "*"), "onCreate": ("onCreate", "*"), "onScriptLoad": ("onScriptLoad", "Root"),
    "onScriptSave": ("onScriptSave", "Root"), "onScriptClose": ("onScriptClose", "Root"),
    "onDestroy": ("onDestroy", "*"), "knobChanged": ("knobChanged", "*"), "updateUI": ("updateUI", "*"),
    "autolabel": ("autolabel", "*"), "beforeRender": ("beforeRender", "Write"),
    "beforeFrameRender": ("beforeFrameRender", "Write"), "afterFrameRender": ("afterFrameRender", "Write"),
    "afterRender": ("afterRender", "Write"), "renderProgress": ("renderProgress", "Write"),
    "filenameFilter": ("", "*"), "beforeBackgroundRender": ("", "*"), "afterBackgroundFrameRender": ("", "*"),
    "afterBackgroundRender": ("", "*"), "validateFilename": ("", "*"),
}  # fmt: skip
_NEWEST_FIRST = ("autolabel", "filenameFilter")
_OCCUPYING = (
    "beforeRender", "beforeFrameRender", "afterFrameRender", "afterRender", "renderProgress", "knobChanged", "updateUI",
)  # fmt: skip


def add(
    kind: str, call: Callable, args: Any = (), kwargs: Any = None, node_class: Any = None, node: Any = None
) -> None:
    """Register a callback; the same one twice is one."""
    entry = _entry(kind, call, args, kwargs, node_class, node)
    known = session.current().callbacks.setdefault(kind, [])
    if entry not in known:
        known.append(entry)


def remove(
    kind: str, call: Callable, args: Any = (), kwargs: Any = None, node_class: Any = None, node: Any = None
) -> None:
    """Take a callback away; one that is not there is no error."""
    entry = _entry(kind, call, args, kwargs, node_class, node)
    known = session.current().callbacks.get(kind, [])
    if entry in known:
        known.remove(entry)


def _entry(kind: str, call: Callable, args: Any, kwargs: Any, node_class: Any, node: Any) -> tuple:
    if not callable(call):
        raise ValueError("call must be a callable")
    given = args if isinstance(args, tuple) else (args,)
    return (node_class or KINDS[kind][1], call, given, dict(kwargs or {}), node)


def registered(kind: str, node: Any) -> list[tuple]:
    """Return a node's callbacks in the order in which they run: its class's, then those of every class."""
    known = session.current().callbacks.get(kind, [])
    if kind in _NEWEST_FIRST:
        known = known[::-1]
    fitting = [entry for entry in known if entry[4] is None or entry[4] is node]
    own = node._class_name() if node is not None else ""
    return [e for e in fitting if e[0] == own] + [e for e in fitting if e[0] == "*"]


def wanted(kind: str, node: Any) -> bool:
    """Tell whether anything would run."""
    return bool(_script(kind, node) or registered(kind, node))


def run(kind: str, node: Any, knob: Any = None) -> list:
    """Run a node's own code, then what is registered. The first exception ends it and goes to the caller."""
    here = session.current()
    results: list = []
    with here.called_for(node, knob):
        if kind in _OCCUPYING:
            with here.occupied():
                _run_all(kind, node, results)
        else:
            _run_all(kind, node, results)
    return results


def _run_all(kind: str, node: Any, results: list) -> None:
    script = _script(kind, node)
    if script and kind != "autolabel":  # that is an expression: see label
        _run_script(script, node, kind)
    for _, call, args, kwargs, _ in registered(kind, node):
        results.append(call(*args, **kwargs))


def _run_script(script: str, node: Any, kind: str) -> None:
    """Run a node's own code. While a script is read, what it raises is noted, as Nuke prints it; not in our gizmo."""
    here, where = session.current(), f"{node._full_name()}.{kind}"
    try:
        _execute(script, where)
    except Exception as error:
        if not here.forgiving or node._kind.file:
            raise
        here.load_notes.append(f"{where}: {type(error).__name__}: {error}")


def _script(kind: str, node: Any) -> str:
    knob = node._knobs.get(KINDS[kind][0]) if node is not None else None
    return knob._text if knob is not None else ""


def run_script(text: str, node: Any, knob: Any, what: str) -> None:
    """Run a button's code: thisNode and thisKnob are its own, and Nuke is not busy."""
    with session.current().called_for(node, knob):
        _execute(text, what)


def _execute(text: str, what: str) -> None:
    namespace = session.current().namespace
    namespace.setdefault("nuke", sys.modules.get("nuke"))
    exec(compile(text, f"<{what}>", "exec"), namespace)  # noqa: S102 - that is what a knob's script is for


def idle() -> None:
    """Do what the main loop does when nothing else happens: updateUI for every node. For tests."""
    here = session.current()
    for node in here.root._descendants():
        if wanted("updateUI", node):
            run("updateUI", node)


def label(node: Any) -> str:
    """Return what the node graph writes on a node: its autolabel, else the first callback's answer, else its name."""
    here = session.current()
    script = _script("autolabel", node)
    if script:
        namespace = {**here.namespace, "nuke": sys.modules.get("nuke")}
        with here.called_for(node):
            return str(eval(script, namespace))  # noqa: S307 - that is what a knob's script is for
    for text in run("autolabel", node):
        if text is not None:
            return str(text)
    return node._name()


def filtered_filename(path: str, node: Any) -> str:
    """Pass a path through the filename filters."""
    known = session.current().callbacks.get("filenameFilter", [])
    if not known:
        return path
    for _, call, args, kwargs, _ in registered("filenameFilter", node):
        changed = call(path, *args, **kwargs)
        path = path if changed is None else changed
    return path
