# ruff: noqa: N802 - these are Nuke's names
"""The class nuke.Undo."""

from __future__ import annotations

from typing import Any

from nuke_standin import session, threads
from nuke_standin.undo import UndoStack


def _stack() -> UndoStack:
    threads.only_main("nuke.Undo")
    return session.current().undo


class Undo:
    """Groups changes, or keeps them out of the undo stack."""

    def __init__(self, name: str = "") -> None:
        self._name = name

    @staticmethod
    def begin(name: str = "") -> None:
        """Open a group."""
        _stack().begin(name)

    @staticmethod
    def end() -> None:
        """Close a group."""
        _stack().end()

    @staticmethod
    def cancel() -> None:
        """Undo what the open group holds and close it."""
        _stack().end(keep=False)

    @staticmethod
    def name(name: str) -> None:
        """Name the open group."""
        found = _stack()
        if found.open:
            found.open[-1] = (name, found.open[-1][1])

    @staticmethod
    def disable() -> None:
        """Record nothing until enable is called as often."""
        _stack().off += 1

    @staticmethod
    def enable() -> None:
        """Take one disable back."""
        found = _stack()
        found.off = max(0, found.off - 1)

    @staticmethod
    def disabled() -> bool:
        """Tell whether changes are not recorded."""
        return _stack().disabled()

    @staticmethod
    def undo() -> None:
        """Take the newest step back."""
        _stack().undo()

    @staticmethod
    def undoSize() -> int:
        """Return how many steps can be undone."""
        return len(_stack().steps)

    def __enter__(self) -> Any:
        _stack().begin(self._name)
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> bool:
        _stack().end(keep=kind is None)
        return False
