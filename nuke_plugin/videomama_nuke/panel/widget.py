"""The panel itself: puts on the screen what the watcher knows, and tells it what the buttons ask for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

from Qt import QtCore, QtGui, QtWidgets
from videomama_client.messages import FAILED
from videomama_client.wording import counted

from videomama_nuke.panel import controls, snapshot
from videomama_nuke.panel.cache_box import CacheBox
from videomama_nuke.panel.jobs_view import JobsView
from videomama_nuke.panel.report_dialog import ReportDialog
from videomama_nuke.panel.snapshot import RUNNING, UNREACHABLE, Snapshot
from videomama_nuke.panel.style import Colours
from videomama_nuke.panel.watcher import Watcher

REFRESH_MS = 250
_LOG_LINES_SHOWN = 6


class Panel(QtWidgets.QWidget):
    """The dockable panel. It asks the server nothing while it is hidden, and never waits for it.

    Args:
        connection_file: of the server to watch; None for this user's on this machine.
    """

    def __init__(self, connection_file: Optional[Path] = None, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("videomama_panel")
        self.setWindowTitle("VideoMaMa")
        self.watcher = watcher = Watcher(connection_file)
        self._shown: Optional[Snapshot] = None
        self._sheet = ""
        self._report: Optional[ReportDialog] = None
        self._make_controls()
        self._lay_out()
        self._take_palette()
        self.timer = QtCore.QTimer(self)
        self.timer.setInterval(REFRESH_MS)
        self.timer.timeout.connect(self.refresh)
        self.destroyed.connect(lambda *_: watcher.close(0.0))  # holds the watcher alone: the widget is gone by then
        self.refresh()

    def refresh(self) -> None:
        """Show the newest snapshot; costs next to nothing when there is no news."""
        shot = self.watcher.snapshot()
        now = time.time()
        controls.say(self.state, snapshot.server_line(shot, now))
        self._colour_dot(shot.seen(now))
        self._show_message(shot, now)
        if shot is self._shown:
            return
        before, self._shown = self._shown, shot
        self._show_server(shot)
        if before is None or shot.jobs != before.jobs:
            self.jobs.show_jobs(shot.jobs)
            controls.say(self.jobs_count, snapshot.jobs_line(shot.jobs))
        self._show_choice()
        self.cache.show_state(shot)
        if before is None or shot.log != before.log or shot.log_file != before.log_file:
            self._show_log(shot)

    def showEvent(self, event: QtGui.QShowEvent) -> None:  # noqa: N802
        """Begin to watch, also again after the panel was closed."""
        super().showEvent(event)
        self.watcher.open()
        self.watcher.watch(True)
        self.timer.start()
        self.refresh()

    def hideEvent(self, event: QtGui.QHideEvent) -> None:  # noqa: N802
        """Ask the server nothing while nobody looks."""
        super().hideEvent(event)
        self.timer.stop()
        self.watcher.watch(False)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:  # noqa: N802
        """End the threads; nobody waits for them here."""
        super().closeEvent(event)
        self.timer.stop()
        self.watcher.close(0.0)

    def changeEvent(self, event: QtCore.QEvent) -> None:  # noqa: N802
        """Follow the palette of the program that the panel is docked in."""
        super().changeEvent(event)
        if event.type() in (QtCore.QEvent.Type.PaletteChange, QtCore.QEvent.Type.ApplicationPaletteChange):
            self._take_palette()

    def _make_controls(self) -> None:
        self.dot = QtWidgets.QLabel("\u25cf")
        self.state = controls.label("heading", "Server state")
        self.detail = controls.label("dim", "Server details")
        self.start = controls.button("&Start server", "Start a server on this machine", self.watcher.start_server)
        self.stop = controls.button("S&top server", "Stop the server; its jobs end too", self.watcher.stop_server)
        self.engine = controls.label("", "Engine, device and number format")
        self.memory = controls.label("", "Memory of the engine")
        self.unload = controls.button(
            "&Unload", "Free the memory that the engine holds; the next job loads it again", self.watcher.unload_engine
        )
        self.jobs_count = controls.label("dim", "Number of jobs")
        self.jobs = JobsView()
        self.jobs.delete_pressed.connect(self.cancel_chosen)
        self.jobs.choice_changed.connect(self._show_choice)
        self.choice = controls.label("dim", "Chosen jobs")
        self.cancel = controls.button(
            "&Cancel job", "Stop the chosen jobs, whoever submitted them (Delete)", self.cancel_chosen
        )
        self.cache = CacheBox()
        self.cache.prune_asked.connect(lambda: self.watcher.prune_cache())
        self.cache.clear_confirmed.connect(lambda: self.watcher.clear_cache())
        self.log_file = controls.label("dim", "Log file")
        self.log = controls.reading_pane("Log", "The last lines of the server's log")
        self.log.setMinimumHeight(_LOG_LINES_SHOWN * QtGui.QFontMetrics(self.log.font()).lineSpacing())
        self.copy = controls.button("Cop&y", "Copy the log's last lines", lambda: controls.copy(self.log.toPlainText()))
        self.message = controls.label("dim", "Message")
        self.doctor = controls.button(
            "&Doctor's report", "Look at everything the plug-in needs, and say what to do", self.open_report
        )

    def _lay_out(self) -> None:
        content = QtWidgets.QWidget()
        box = QtWidgets.QVBoxLayout(content)
        box.setContentsMargins(8, 8, 8, 8)
        box.setSpacing(4)
        box.addLayout(controls.row(self.dot, self.state, self.start, self.stop, stretch=1))
        box.addWidget(self.detail)
        box.addLayout(self._engine_grid())
        box.addWidget(controls.heading("Jobs", self.jobs_count))
        box.addWidget(self.jobs, 3)
        box.addLayout(controls.row(self.choice, self.cancel, stretch=0))
        box.addWidget(controls.heading("Cache"))
        box.addWidget(self.cache)
        box.addWidget(controls.heading("Log", self.log_file, self.copy))
        box.addWidget(self.log, 2)
        box.addLayout(controls.row(self.message, self.doctor, stretch=0))
        self.area = QtWidgets.QScrollArea()
        self.area.setWidget(content)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        outer = QtWidgets.QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.area)
        self._order_tabs()

    def _engine_grid(self) -> QtWidgets.QGridLayout:
        grid = QtWidgets.QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for place, (name, value) in enumerate((("Engine", self.engine), ("Memory", self.memory))):
            title = QtWidgets.QLabel(name)
            title.setProperty("role", "dim")
            grid.addWidget(title, place, 0, QtCore.Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, place, 1)
        grid.addWidget(self.unload, 0, 2, 2, 1)
        return grid

    def _order_tabs(self) -> None:
        cache = self.cache
        first = (self.start, self.stop, self.unload, self.jobs, self.cancel)
        order = (*first, cache.prune, cache.clear, cache.remove, cache.keep, self.copy, self.log, self.doctor)
        for one, other in zip(order, order[1:]):
            QtWidgets.QWidget.setTabOrder(one, other)

    def _take_palette(self) -> None:
        colours = Colours(self.palette())
        sheet = colours.sheet()
        if sheet != self._sheet:  # setting it is itself a change of palette
            self._sheet = sheet
            self._colours = colours
            self.setStyleSheet(sheet)
            self.jobs.take_colours(colours)
            self._dot_state = ""

    def _colour_dot(self, state: str) -> None:
        if state != self._dot_state:
            self._dot_state = state
            self.dot.setStyleSheet(f"color: {self._colours.of_server(state).name()}")

    def _show_server(self, shot: Snapshot) -> None:
        controls.say(self.detail, controls.breakable(snapshot.server_detail(shot)))
        self.detail.setVisible(bool(self.detail.text()))
        controls.say(self.engine, snapshot.engine_line(shot.status))
        controls.say(self.memory, snapshot.memory_line(shot.status))
        runs = shot.state == RUNNING
        self.start.setVisible(not runs)
        self.stop.setVisible(runs)
        self.start.setEnabled(shot.state == UNREACHABLE and not shot.busy)
        self.stop.setEnabled(runs and not shot.busy)
        self.unload.setEnabled(runs and shot.status is not None and shot.status.worker_pid is not None)

    def _show_choice(self) -> None:
        chosen = self.jobs.chosen()
        self.cancel.setEnabled(any(map(snapshot.stoppable, chosen)))
        words = f"{counted(len(chosen), 'job')} chosen" if len(chosen) > 1 else ""
        if len(chosen) == 1:
            words = snapshot.failure(chosen[0]) if chosen[0].state == FAILED else chosen[0].plate
        controls.say(self.choice, controls.breakable(words))

    def _show_log(self, shot: Snapshot) -> None:
        controls.say(
            self.log_file, controls.breakable(Path(shot.log_file).name if shot.log_file else "not readable here")
        )
        self.log_file.setToolTip(shot.log_file)
        bar = self.log.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 1
        kept = bar.value()
        self.log.setPlainText("\n".join(shot.log))
        bar.setValue(bar.maximum() if at_end else kept)
        self.copy.setEnabled(bool(shot.log))

    def _show_message(self, shot: Snapshot, now: float) -> None:
        bad = not shot.busy and shot.notice is not None and shot.notice.bad
        controls.say(self.message, snapshot.notice_line(shot, now), "bad" if bad else "dim")

    def cancel_chosen(self) -> None:
        """Stop the chosen jobs that still run or wait."""
        jobs = [job.job for job in self.jobs.chosen() if snapshot.stoppable(job)]
        if jobs:
            self.watcher.cancel(jobs)

    def open_report(self) -> None:
        """Open the doctor's report, or make it again where it is open."""
        if self._report is None:
            self._report = ReportDialog(self.watcher.connection_file, self)
        self._report.show()
        self._report.raise_()
        self._report.activateWindow()
