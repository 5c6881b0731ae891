"""The undo stack and nuke.Undo."""

from __future__ import annotations

from collections.abc import Callable


class UndoStack:
    """Steps that can be taken back, each a list of callables; nested groups are one step."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, list[Callable]]] = []
        self.open: list[tuple[str, list[Callable]]] = []
        self.off = 0

    def disabled(self) -> bool:
        """Tell whether changes are not recorded now."""
        return self.off > 0

    def add(self, take_back: Callable, name: str) -> None:
        """Record one change."""
        if self.open:
            self.open[-1][1].append(take_back)
        else:
            self.steps.append((name, [take_back]))

    def begin(self, name: str) -> None:
        """Open a group."""
        self.open.append((name, []))

    def end(self, keep: bool = True) -> None:
        """Close the innermost group; what it holds becomes one step, or is undone."""
        if not self.open:
            return
        name, changes = self.open.pop()
        if not keep:
            self._take_back(changes)
        elif self.open:
            self.open[-1][1].extend(changes)
        elif changes:
            self.steps.append((name, changes))

    def undo(self) -> None:
        """Take the newest step back."""
        if self.steps:
            self._take_back(self.steps.pop()[1])

    def _take_back(self, changes: list[Callable]) -> None:
        self.off += 1
        try:
            for change in reversed(changes):
                change()
        finally:
            self.off -= 1
