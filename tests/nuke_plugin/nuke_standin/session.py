"""One open script and the program around it: current group, undo, modified flag, views, plug-in path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

from nuke_standin import threads
from nuke_standin.layers import Layers
from nuke_standin.undo import UndoStack

EXECUTING = "I'm already executing something else"
DETACHED = "A PythonObject is not attached to a node"


class Session:
    """The state of the program. Nodes are in `root`; everything that the API's functions need hangs here."""

    def __init__(self, gui: bool, version: tuple) -> None:
        self.gui = gui
        self.version = version
        self.root: Any = None  # set by creation.new_script
        self.preferences: Any = None
        self.group: Any = None
        self.this: list[tuple] = []  # (node, knob) of the callbacks that run now, innermost last
        self.undo = UndoStack()
        self.modified = False
        self.loading = 0
        self.load_errors: list[str] = []
        self.load_notes: list[str] = []  # what of the last script the double keeps as text alone
        self.forgiving = False  # whether a script is read, of which much may be unknown
        self.layers = Layers()
        self.formats: list = []
        self.plugin_path: list[str] = []
        self.gizmos: dict[str, Any] = {}
        self.unknown_kinds: dict[str, Any] = {}  # classes of nodes in scripts that nobody knows
        self.knob_defaults: dict[str, str] = {}
        self.callbacks: dict[str, list] = {}
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.messages: list[tuple[str, str]] = []  # (kind, text) of message, warning, error, ...
        self.answers: list = []  # what a person answers to the next modal panels
        self.clipboard = ""
        self.view = "main"
        self.env: dict[str, Any] = {}
        self.raw_args: list[str] = []
        self.menus: dict[str, Any] = {}
        self.panels: list = []  # what was registered as a dockable panel
        self.this_folder: list[str] = []  # of the init.py or menu.py that runs
        self._executing = 0

    @property
    def executing(self) -> bool:
        """Tell whether a render's callback or a knobChanged runs."""
        return self._executing > 0

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Refuse renders, new nodes and modal panels meanwhile."""
        self._executing += 1
        try:
            yield
        finally:
            self._executing -= 1

    def refuse_when_busy(self) -> None:
        """Raise as Nuke does for a call that it cannot take now."""
        if self._executing:
            raise RuntimeError(EXECUTING)

    @contextmanager
    def inside(self, group: Any) -> Iterator[None]:
        """Make a group the current one."""
        before, self.group = self.group, group
        try:
            yield
        finally:
            self.group = before

    @contextmanager
    def called_for(self, node: Any, knob: Any = None) -> Iterator[None]:
        """Run code for a node: thisNode and thisKnob are these, and the current group is the node's parent."""
        self.this.append((node, knob))
        try:
            with self.inside(node._group if node._group is not None else node):
                yield
        finally:
            self.this.pop()

    @contextmanager
    def load(self, forgiving: bool = False) -> Iterator[None]:
        """Read nodes from text: no undo steps, no panels, not busy."""
        self.loading += 1
        before, self._executing = self._executing, 0
        strictness, self.forgiving = self.forgiving, forgiving
        try:
            yield
        finally:
            self.forgiving = strictness
            self._executing = before
            self.loading -= 1

    def changed(self, undo: Any, name: str) -> None:
        """Note that an artist's script changed; `undo` takes it back.

        Hypothesis from Foundry's own render dialog: what is done with undo disabled leaves the script unmodified.
        """
        if self.loading or self.undo.disabled():
            return
        self.undo.add(undo, name)
        self.modified = True

    def undo_depth(self) -> int:
        """Return how many steps can be undone."""
        return len(self.undo.steps)

    def frame(self) -> float:
        """Return the current frame."""
        return float(self.root._knobs["frame"].at(None))

    def views(self) -> list[str]:
        """Return the names of the views, as the root has them."""
        return self.root._knobs["views"].names()


_current: Optional[Session] = None


def current() -> Session:
    """Return the session; raises when none is installed."""
    if _current is None:
        raise RuntimeError("no session: call nuke_standin.install() first")
    return _current


def start(gui: bool, version: tuple) -> Session:
    """Begin a session on this thread."""
    global _current
    threads.take_over(gui)
    _current = Session(gui, version)
    return _current


def end() -> None:
    """Forget the session."""
    global _current
    _current = None


def undo_depth() -> int:
    """Return how many steps the artist can undo."""
    return current().undo_depth()


def _refusing(problem: Exception) -> Any:
    """Return what stands for a method of a useless object: to name it is no error, to call it is."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise problem

    return refuse


class Guarded:
    """What lives on the main thread, and on a node that is still there; has no attribute but its own."""

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name[0] == "_":
            return found
        try:
            threads.only_main(name)
            object.__getattribute__(self, "_check")()
        except (RuntimeError, ValueError) as problem:
            return _refusing(problem)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_":
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__setattr__(self, name, value)

    def _check(self) -> None:
        """Raise when the object is of no use any more."""
