"""Keeps the history in a thread of its own, so that a slow or full disk holds up neither clients nor engine."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from videomama_client.errors import VideoMaMaError
from videomama_client.job_records import JobState, LogLine
from videomama_client.messages import MatteDone, SubmitMatte
from videomama_client.wording import counted

from videomama_server.serving.history import file
from videomama_server.serving.history.rows import Rows

log = logging.getLogger(__name__)

Found = TypeVar("Found")
_Write = Callable[[Rows], object]
_MOST_PENDING = 20_000  # writes that wait for a disk that takes none; older ones are lost
_PRUNE_EVERY = 500  # writes
_END_S = 10.0


@dataclass(frozen=True)
class _Question:
    """What is asked of the history; `otherwise` is the answer where it cannot be used."""

    call: Callable[[Rows], Any]
    otherwise: Any
    answer: Future[Any] = field(default_factory=Future)


class Keeper:
    """The history of one server. Every method may be called from any thread and returns at once, except `close`.

    The thread starts with the first use, and notes first which jobs an earlier server has left.

    Args:
        path: of the history's file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inbox: queue.SimpleQueue[_Write | _Question | None] = queue.SimpleQueue()
        self._pending: deque[_Write] = deque(maxlen=_MOST_PENDING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._writes = 0
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why jobs are not kept at the moment; empty where they are."""
        return self._trouble

    def put(self, state: JobState, request: SubmitMatte | None = None, result: MatteDone | None = None) -> None:
        """Enter a job, or what has changed of it; a request or result that was entered stays."""
        self._send(lambda rows: rows.put(state, request, result))

    def note(self, job: str, line: LogLine) -> None:
        """Enter a line of a job's log; the job was entered before."""
        self._send(lambda rows: rows.note(job, line))

    def ask(self, call: Callable[[Rows], Found], otherwise: Found) -> Future[Found]:
        """Ask the history, after all that was entered so far.

        Args:
            call: asks.
            otherwise: the answer where the history cannot be used.
        """
        question = _Question(call, otherwise)
        self._send(question)
        return question.answer

    def close(self) -> None:
        """Write what is left, and end the thread."""
        if self._thread is not None:
            self._inbox.put(None)
            self._thread.join(_END_S)

    def _send(self, task: _Write | _Question) -> None:
        self._inbox.put(task)
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="history", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        self._pending.append(_interrupt)
        going = True
        while going:
            tasks = self._taken()
            going = None not in tasks
            self._pending.extend(task for task in tasks if task is not None and not isinstance(task, _Question))
            rows = self._written()
            for task in tasks:
                if isinstance(task, _Question):
                    self._answer(task, rows)
        if self._connection is not None:
            self._connection.close()

    def _taken(self) -> list[_Write | _Question | None]:
        """Wait for something to do, and take all that there is: one commit for many writes."""
        tasks = [self._inbox.get()]
        while not self._inbox.empty():
            tasks.append(self._inbox.get())
        return tasks

    def _written(self) -> Rows | None:
        """Write what is pending; return the rows, or None where the history cannot be used. What failed stays."""
        try:
            if self._connection is None:
                self._connection = file.opened(self._path)
            rows = Rows(self._connection)
            self._write(self._connection, rows)
        except (sqlite3.Error, OSError) as error:
            self._tell(f"the history of jobs {self._path} cannot be written: {error}")
            return Rows(self._connection) if self._connection is not None else None
        self._tell("")
        return rows

    def _write(self, connection: sqlite3.Connection, rows: Rows) -> None:
        if not self._pending:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for write in self._pending:
                write(rows)
            self._writes += len(self._pending)
            if self._writes >= _PRUNE_EVERY:
                rows.prune()
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._writes %= _PRUNE_EVERY
        self._pending.clear()

    def _answer(self, question: _Question, rows: Rows | None) -> None:
        """Answer a question; an error of it is the asker's, and one of the file is told as the history's trouble."""
        try:
            question.answer.set_result(question.otherwise if rows is None else question.call(rows))
        except sqlite3.Error as error:
            self._tell(f"the history of jobs {self._path} cannot be read: {error}")
            question.answer.set_result(question.otherwise)
        except (VideoMaMaError, ValueError) as error:  # raised where it was asked
            question.answer.set_exception(error)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble


def _interrupt(rows: Rows) -> None:
    """Note what an earlier server has left, in the log too."""
    count = rows.interrupt()
    if count:
        log.info("an earlier server left %s; to queue them again: videomama jobs --resume", counted(count, "job"))
