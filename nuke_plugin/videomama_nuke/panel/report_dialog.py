"""The window that shows the doctor's report; the report is made in a thread, Nuke goes on meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Optional

from Qt import QtCore, QtGui, QtWidgets

from videomama_nuke.panel import controls, report

_LOOK_MS = 250


class ReportDialog(QtWidgets.QDialog):
    """A window beside Nuke's, never in front of it as the only thing that takes input.

    Args:
        connection_file: of the server to look at; None for the usual one.
    """

    def __init__(self, connection_file: Optional[Path], parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("VideoMaMa: doctor's report")
        self.setModal(False)
        self.resize(620, 380)
        self._connection_file = connection_file
        self._found: list[report.ReportLine] = []
        self._thread: Optional[threading.Thread] = None
        self.pane = controls.reading_pane("Doctor's report", "What was looked at, and what to do about it")
        self.copy = controls.button("&Copy", "Copy the report", lambda: controls.copy(self.pane.toPlainText()))
        self.again = controls.button("&Look again", "Make the report again", self.look)
        self.leave = controls.button("Cl&ose", "Close this window (Escape)", self.close)
        box = QtWidgets.QVBoxLayout(self)
        box.addWidget(self.pane, 1)
        buttons = controls.row(self.copy, self.again, self.leave)
        buttons.insertStretch(2, 1)
        box.addLayout(buttons)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._take)

    def look(self) -> None:
        """Begin to make the report; the pane says so until it is there."""
        if self._thread is not None:
            return
        self.pane.setPlainText("Looking\u2026")
        self.copy.setEnabled(False)
        found: list[report.ReportLine] = []
        path = self._connection_file
        self._found = found
        self._thread = threading.Thread(
            target=lambda: found.extend(report.lines(path)), name="videomama-panel-report", daemon=True
        )
        self._thread.start()
        self._timer.start()

    def showEvent(self, event: QtGui.QShowEvent) -> None:  # noqa: N802
        """Begin as soon as there is something to look at."""
        super().showEvent(event)
        if not event.spontaneous():
            self.look()

    def _take(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        self._thread = None
        self._timer.stop()
        self.pane.setPlainText(report.text(self._found))
        self.copy.setEnabled(True)
