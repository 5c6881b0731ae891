"""The jobs of all clients as a table: one row each, newest first, changed in place so that a selection lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Union

from Qt import QtCore
from videomama_client.messages import JobState

from videomama_nuke.panel import snapshot

Index = Union[QtCore.QModelIndex, QtCore.QPersistentModelIndex]
JOB, PROGRESS, TIME = range(3)
_HEADERS = ("Job", "Progress", "Time")
_TIPS = (
    "What the job is called, its state and priority",
    "Frames done, and how many of them came from the cache",
    "Since the job was submitted, or what it took",
)
_DISPLAY, _TOOL_TIP, _ACCESSIBLE = (
    int(role)
    for role in (
        QtCore.Qt.ItemDataRole.DisplayRole,
        QtCore.Qt.ItemDataRole.ToolTipRole,
        QtCore.Qt.ItemDataRole.AccessibleTextRole,
    )
)
STATE_ROLE = int(QtCore.Qt.ItemDataRole.UserRole) + 1


class JobsModel(QtCore.QAbstractTableModel):
    """A table of `JobState`; the whole record is under `STATE_ROLE`."""

    def __init__(self, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self._jobs: list[JobState] = []

    def rowCount(self, parent: Optional[Index] = None) -> int:  # noqa: N802
        """Return the number of jobs."""
        return 0 if parent is not None and parent.isValid() else len(self._jobs)

    def columnCount(self, parent: Optional[Index] = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Any, role: int = _DISPLAY) -> Any:  # noqa: N802
        """Return a column's name and tooltip."""
        if orientation != QtCore.Qt.Orientation.Horizontal:
            return None
        return {_DISPLAY: _HEADERS[section], _TOOL_TIP: _TIPS[section]}.get(int(role))

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        """Return words, tooltip or the record itself."""
        if not index.isValid():
            return None
        job = self._jobs[index.row()]
        if role == STATE_ROLE:
            return job
        if role == _DISPLAY:
            return _words(job, index.column())
        if role in (_TOOL_TIP, _ACCESSIBLE):
            return snapshot.job_sentence(job)
        return None

    def job(self, row: int) -> JobState:
        """Return the job of a row."""
        return self._jobs[row]

    def show(self, jobs: Sequence[JobState]) -> None:
        """Take over the newest state of all jobs."""
        self._remove({job.job for job in jobs})
        self._insert(jobs)
        if [job.job for job in self._jobs] != [job.job for job in jobs]:  # never seen; the server keeps its order
            self.beginResetModel()
            self._jobs = list(jobs)
            self.endResetModel()
            return
        changed = [row for row, job in enumerate(jobs) if job != self._jobs[row]]
        self._jobs = list(jobs)
        if changed:
            self.dataChanged.emit(self.index(changed[0], 0), self.index(changed[-1], len(_HEADERS) - 1), [])

    def _remove(self, kept: set[str]) -> None:
        for row in reversed(range(len(self._jobs))):
            if self._jobs[row].job not in kept:
                self.beginRemoveRows(QtCore.QModelIndex(), row, row)
                del self._jobs[row]
                self.endRemoveRows()

    def _insert(self, jobs: Sequence[JobState]) -> None:
        known = {job.job for job in self._jobs}
        for row, job in enumerate(jobs):
            if job.job not in known:
                self.beginInsertRows(QtCore.QModelIndex(), row, row)
                self._jobs.insert(row, job)
                self.endInsertRows()


def _words(job: JobState, column: int) -> str:
    if column == JOB:
        return job.title
    return snapshot.job_progress(job) if column == PROGRESS else snapshot.stopwatch(job.seconds)
