"""The table of jobs as the artist sees it: two lines and a progress bar a row, and the Delete key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from Qt import QtCore, QtGui, QtWidgets
from videomama_client.messages import JobState

from videomama_nuke.panel import snapshot
from videomama_nuke.panel.jobs_model import JOB, PROGRESS, STATE_ROLE, TIME, Index, JobsModel
from videomama_nuke.panel.style import Colours

_ROWS_SHOWN = 4
_PAD = 7
_AIR = 4
_BAR = 3
_Align = QtCore.Qt.AlignmentFlag
_Elide = QtCore.Qt.TextElideMode
_LEFT = int(_Align.AlignLeft | _Align.AlignVCenter)
_RIGHT = int(_Align.AlignRight | _Align.AlignVCenter)


class JobDelegate(QtWidgets.QStyledItemDelegate):
    """Paints a whole job in one cell, which reads well at any width: name and time, state and progress, and a bar."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.colours = Colours(parent.palette())

    def sizeHint(self, option: QtWidgets.QStyleOptionViewItem, index: Index) -> QtCore.QSize:  # noqa: N802, ARG002
        """Return room for two lines and the bar."""
        return QtCore.QSize(0, row_height(option.fontMetrics))

    def paint(self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index) -> None:
        """Paint the job of a row."""
        painter.save()
        painter.setFont(option.font)
        chosen = bool(option.state & QtWidgets.QStyle.StateFlag.State_Selected)
        painter.fillRect(option.rect, self.colours.selected if chosen else self.colours.base)
        job = index.data(STATE_ROLE)
        height = option.fontMetrics.height()
        inner = option.rect.adjusted(_PAD, _AIR, -_PAD, -_AIR)
        line = QtCore.QRect(inner.left(), inner.top(), inner.width(), height)
        quiet = self.colours.text if chosen else self.colours.dim
        self._paint_name(painter, job, line, quiet)
        self._paint_state(painter, job, line.translated(0, height), quiet)
        self._paint_bar(painter, job, QtCore.QRect(inner.left(), inner.bottom() - _BAR + 1, inner.width(), _BAR))
        painter.restore()

    def _paint_name(self, painter: QtGui.QPainter, job: JobState, line: QtCore.QRect, quiet: QtGui.QColor) -> None:
        metrics = painter.fontMetrics()
        painter.setPen(quiet)
        room = self._paint_right(painter, snapshot.stopwatch(job.seconds), line)
        painter.setPen(self.colours.text)
        painter.drawText(line, _LEFT, metrics.elidedText(job.title, _Elide.ElideMiddle, room))

    def _paint_state(self, painter: QtGui.QPainter, job: JobState, line: QtCore.QRect, quiet: QtGui.QColor) -> None:
        painter.setPen(quiet)
        room = self._paint_right(painter, snapshot.job_progress(job), line)
        painter.setPen(self.colours.of_job(job) or quiet)
        painter.drawText(line, _LEFT, _fitting(snapshot.job_details(job), painter.fontMetrics(), room))

    def _paint_right(self, painter: QtGui.QPainter, words: str, line: QtCore.QRect) -> int:
        """Paint at the right end of a line, and return the pixels that are left before it."""
        painter.drawText(line, _RIGHT, words)
        return line.width() - painter.fontMetrics().horizontalAdvance(words) - (_PAD if words else 0)

    def _paint_bar(self, painter: QtGui.QPainter, job: JobState, bar: QtCore.QRect) -> None:
        if job.frame_count is None and not snapshot.stoppable(job):
            return  # it ended before it was known how much there was to do
        painter.fillRect(bar, self.colours.line)
        cached, computed = snapshot.shares(job)
        split = round(bar.width() * cached)
        end = round(bar.width() * (cached + computed))
        painter.fillRect(QtCore.QRect(bar.left(), bar.top(), split, _BAR), self.colours.cached)
        fresh = self.colours.accent if snapshot.stoppable(job) else self.colours.ended
        painter.fillRect(QtCore.QRect(bar.left() + split, bar.top(), end - split, _BAR), fresh)


class JobsView(QtWidgets.QTableView):
    """The table, with rows to choose; Delete asks to stop the chosen ones."""

    delete_pressed = QtCore.Signal()
    choice_changed = QtCore.Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.jobs = JobsModel(self)
        self.setModel(self.jobs)
        self.painter = JobDelegate(self)
        self.setItemDelegate(self.painter)
        self.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTabKeyNavigation(False)  # Tab goes on to the next control
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Jobs of all clients")
        self.setToolTip("Jobs of all clients, newest first. Delete stops the chosen ones.")
        self.verticalHeader().hide()
        self._lay_out()
        self.selectionModel().selectionChanged.connect(lambda *_: self.choice_changed.emit())

    def chosen(self) -> list[JobState]:
        """Return the jobs of the chosen rows."""
        return [self.jobs.job(index.row()) for index in sorted(self.selectionModel().selectedRows())]

    def show_jobs(self, jobs: Sequence[JobState]) -> None:
        """Take over the newest state of all jobs."""
        self.jobs.show(jobs)
        self.viewport().update()

    def take_colours(self, colours: Colours) -> None:
        """Paint with these from now on."""
        self.painter.colours = colours
        self._lay_out()
        self.viewport().update()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:  # noqa: N802
        """Delete and Backspace stop the chosen jobs; the rest is the table's own."""
        if event.key() in (QtCore.Qt.Key.Key_Delete, QtCore.Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
            event.accept()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802
        """Say so where there is no job."""
        super().paintEvent(event)
        if not self.jobs.rowCount():
            painter = QtGui.QPainter(self.viewport())
            painter.setPen(self.painter.colours.dim)
            painter.drawText(self.viewport().rect(), _Align.AlignCenter, "No jobs")
            painter.end()

    def _lay_out(self) -> None:
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(JOB, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column in (PROGRESS, TIME):  # painted in the first one; they are there for screen readers
            self.setColumnHidden(column, True)
        height = row_height(self.fontMetrics())
        self.verticalHeader().setMinimumSectionSize(height)
        self.verticalHeader().setDefaultSectionSize(height)
        self.setMinimumHeight(_ROWS_SHOWN * height + 2)


def row_height(metrics: QtGui.QFontMetrics) -> int:
    """Return the height of two lines and a bar with air around them, in pixels."""
    return 2 * metrics.height() + _BAR + 2 * _AIR + 2


def _fitting(choices: Sequence[str], metrics: QtGui.QFontMetrics, width: int) -> str:
    """Return the longest of the choices that fits, else the first one cut: a failure's beginning says most."""
    for choice in choices:
        if metrics.horizontalAdvance(choice) <= width:
            return choice
    return metrics.elidedText(choices[0], _Elide.ElideRight, width)
