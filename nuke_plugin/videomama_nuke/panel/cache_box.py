"""The cache's section: where it is, how full, and how to make room; clearing asks first, in place, never modally."""

from __future__ import annotations

from typing import Optional

from Qt import QtCore, QtGui, QtWidgets

from videomama_nuke.panel import controls
from videomama_nuke.panel.snapshot import RUNNING, Snapshot, cache_line, entries, size


class CacheBox(QtWidgets.QWidget):
    """Shows the cache; `prune_asked` and `clear_confirmed` say what the person wants."""

    prune_asked = QtCore.Signal()
    clear_confirmed = QtCore.Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._usable = False
        self.folder = controls.label("dim", "Cache folder")
        self.fill = controls.label("", "Cache size")
        self.prune = controls.button(
            "P&rune",
            "Remove the least recently used entries until the rest fits the limit",
            self.prune_asked.emit,
        )
        self.clear = controls.button("C&lear\u2026", "Remove every entry; asks first", self.ask)
        self.question = controls.label("", "Question")
        self.remove = controls.button("Remove &all", "Remove every entry of the cache", self._confirm)
        self.keep = controls.button("&Keep", "Leave the cache as it is (Escape)", self.withdraw)
        self.asking = QtWidgets.QFrame()
        self.asking.setProperty("role", "ask")
        asking = controls.row(self.question, self.remove, self.keep, stretch=0)
        asking.setContentsMargins(6, 4, 6, 4)
        self.asking.setLayout(asking)
        self.asking.hide()
        box = QtWidgets.QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(controls.row(self.fill, self.prune, self.clear, stretch=0))
        box.addWidget(self.folder)
        box.addWidget(self.asking)

    def show_state(self, shot: Snapshot) -> None:
        """Show what is known."""
        cache = shot.cache
        controls.say(self.fill, "Counting\u2026" if cache is None and shot.state == RUNNING else cache_line(cache))
        folder = cache.folder if cache else shot.status.cache_dir if shot.status else ""
        controls.say(self.folder, controls.breakable(folder))
        self.folder.setToolTip(folder)
        self.folder.setVisible(bool(folder))
        self._usable = cache is not None and not any("cache" in words for words in shot.busy)
        if cache is None:
            self.withdraw()
        self.prune.setEnabled(self._usable)
        self.clear.setEnabled(self._usable and self.asking.isHidden())
        if cache is not None:
            many = "the 1 entry" if cache.entries == 1 else f"all {entries(cache.entries)}"
            controls.say(self.question, f"Remove {many}, {size(cache.bytes)}?")

    def ask(self) -> None:
        """Ask whether to clear; the harmless answer has the focus."""
        self.asking.show()
        self.clear.setEnabled(False)
        self.keep.setFocus()

    def withdraw(self) -> None:
        """Take the question back."""
        if self.asking.isHidden():
            return
        focused = self.asking.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
        self.asking.hide()
        self.clear.setEnabled(self._usable)
        if focused:
            self.clear.setFocus()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:  # noqa: N802
        """Escape takes the question back."""
        if event.key() == QtCore.Qt.Key.Key_Escape and not self.asking.isHidden():
            self.withdraw()
            return
        super().keyPressEvent(event)

    def _confirm(self) -> None:
        self.withdraw()
        self.clear_confirmed.emit()
