"""Precomp: a group whose content is a script of its own, of which the script around it saves no more than the path.

Hypotheses, where the documents are silent: project settings are those of the script around it; nodes inside run their
onCreate and can be changed, which lasts until the script is read again.
"""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin import reads, script, session
from nuke_standin.groups import Group
from nuke_standin.knobs import here_and_now
from nuke_standin.planning import Made, Plan, form_words, in_project, value
from nuke_standin.words import TclError


class Precomp(Group):
    """A Precomp; `_problem` says why its script could not be read."""

    _saves_content = False

    def __init__(self, kind: Any, group: Any, original: Any = None) -> None:
        self._problem = ""
        super().__init__(kind, group, original)

    def reload(self) -> None:
        load(self)

    def _end(self) -> Any:
        """Return the node that it shows: the named one, else its Output, else a Write."""
        if self._problem:
            raise RuntimeError(f"{self._full_name()}: {self._problem}")
        if self._knobs["useOutput"].at(None):
            found = self._child(self._knobs["output"]._text)
        else:
            found = self.output() or self._child(self._knobs["output"]._text)
        if found is None:
            raise RuntimeError(f"{self._full_name()}: there is no Output and no Write")
        return found


def load(node: Any) -> None:
    """Give a Precomp the nodes of its script. A script that cannot be read leaves it empty; its picture is an error."""
    from nuke_standin import loading, saving  # they read nodes of every class, this one too

    for inner in node._descendants():
        inner._deleted = True
    node._children.clear()
    here = session.current()
    before, here.load_errors, node._problem = here.load_errors, [], ""
    try:
        path = in_project(node._knobs["file"].at(None), here_and_now())
        if path in _around(node):
            raise RuntimeError(f"{path} holds itself")
        if path:
            parsed = script.parse(saving.read_file(path))
            with here.load(forgiving=True):
                loading.build(parsed, path, node)
    except (RuntimeError, TclError) as error:
        here.load_errors.append(str(error))
    node._problem, here.load_errors = "; ".join(here.load_errors), before
    _choose_write(node)


def _around(node: Any) -> list[str]:
    """Return the scripts of the Precomps around a node."""
    found = []
    while node._group is not None:
        node = node._group
        found += [in_project(node._knobs["file"].at(None), here_and_now())] if isinstance(node, Precomp) else []
    return found


def _choose_write(node: Any) -> None:
    """Name a Write where there is no Output, as Nuke does."""
    writes = [one for one in node._children if one._class_name() == "Write"]
    if node.output() is None and writes and not node._knobs["output"]._text:
        node._knobs["output"]._text = writes[0]._name()


def picture(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The picture of its script, or the files that the script's Write has rendered."""
    end = node._end()
    if not value(node, "reading", context):
        return plan.of(end, context)
    write = end if end._class_name() == "Write" else end._input(0)
    if write is None or write._class_name() != "Write":
        raise RuntimeError(f"{node._full_name()}: there is no Write whose files could be read")
    return read_back(plan, write, value(node, "on_error", context), context)


def read_back(plan: Plan, write: Any, on_error: str, context: Any) -> Made:
    """What a Write has rendered, over its own range where that is limited, else over the project's."""
    if on_error not in ("error", "black"):
        raise RuntimeError(f"{write._full_name()}: the stand-in knows no missing frames {on_error!r}")
    root = session.current().root
    step = {
        "op": "read",
        "inputs": [],
        "node": write._full_name(),
        "path": in_project(str(value(write, "file", context)), context),
        "version": 0,
        "view": context.view,
        "format": form_words(value(root, "format", context), context),
        "scale": 1.0,
        "colorspace": reads.colorspace(write, context),
        **reads.DEFAULTS,
        "raw": value(write, "raw", context),
        "premultiplied": value(write, "premultiplied", context),
        "on_error": on_error,
    }
    limited = value(write, "use_limit", context)
    ends = (write, "first", "last") if limited else (root, "first_frame", "last_frame")
    first, last = (int(value(ends[0], name, context)) for name in ends[1:])
    return plan.add(step, first, last)
