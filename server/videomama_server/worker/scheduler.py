"""Decides which job goes next: the most urgent first, one step at a time, and past a job whose client is slow."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from videomama_client import messages
from videomama_client.errors import VideoMaMaError

from videomama_server import heartbeat, pipe
from videomama_server.pipeline.survey import Pause
from videomama_server.worker.error_boundary import result_or_error

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
_POLL_S = 0.05
_LEAVING_S = 1.0  # what a job that is done may take to be gone


@dataclass
class Running:
    """A job that was taken in.

    Attributes:
        job: its id.
        urgency: the lowest goes first; the priority, then the turn.
        number: of those that were taken in; of equal urgency, the lowest goes first.
        steps: the work, one step at a time.
        waits_for: what it cannot go on without; None when it can.
        waits_since: on the monotonic clock.
        over: whether it has said its last word, and is about to go.
    """

    job: str
    urgency: tuple[int, int]
    number: int
    steps: Iterator[Pause]
    waits_for: Pause = None
    waits_since: float = 0.0
    over: bool = False

    @property
    def idle(self) -> bool:
        """Whether it can do nothing yet."""
        return self.waits_for is not None and not self.waits_for.done()

    @property
    def stuck(self) -> bool:
        """Whether it has been idle for so long that a less urgent job may go on: its client is slow."""
        return self.idle and time.monotonic() - self.waits_since > PATIENCE_S


class Scheduler:
    """Holds the jobs and does their steps in one thread. Other threads announce jobs and drop them.

    Args:
        steps: returns the work of a job as steps, given the job and what is set when it is cancelled.
        emit: takes `JobBegun`, and `MatteFailed` of a job whose step raises an error.
        after_step: called after each step that is not a job's last.
        when_idle: called after a job's end when no other is left; what it raises is logged.
        log_location: where a person finds the log.
    """

    def __init__(
        self,
        steps: Callable[[pipe.RunJob, threading.Event], Iterator[Pause]],
        emit: Callable[[Any], None],
        after_step: Callable[[], None],
        when_idle: Callable[[], None],
        log_location: str,
    ) -> None:
        self._steps = steps
        self._emit = emit
        self._after_step = after_step
        self._when_idle = when_idle
        self._log_location = log_location
        self._arrivals: queue.Queue[pipe.RunJob] = queue.Queue()
        self._jobs: dict[str, Running] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._changes: queue.SimpleQueue[pipe.SetPriority] = queue.SimpleQueue()
        self._begun: str | None = None
        self._count = 0
        self._entering = threading.Lock()  # held while a job is taken in, and while jobs are kept out

    @property
    def busy(self) -> bool:
        """Whether there is a job to work on."""
        return bool(self._jobs)

    @property
    def job_at_work(self) -> str | None:
        """The job whose step is being done, or was the last one; None where that job is over."""
        return self._begun

    def announce(self, run: pipe.RunJob) -> None:
        """Queue a job; one that is known already is passed over: the server thought this process dead."""
        if run.job not in self._cancelled:
            self._cancelled[run.job] = threading.Event()
            self._arrivals.put(run)

    def drop(self, dropped: pipe.DropJob) -> None:
        """Cancel a job, at its next step at the latest."""
        cancelled = self._cancelled.get(dropped.job)
        if cancelled is not None:
            cancelled.set()

    def set_priority(self, change: pipe.SetPriority) -> None:
        """Give a job another priority, from its next step on."""
        self._changes.put(change)

    def note_last_word(self, job: str) -> None:
        """Note that a job is over: its client has its result, or its error."""
        if job in self._jobs:
            self._jobs[job].over = True

    @contextmanager
    def keep_jobs_out(self) -> Iterator[bool]:
        """Let no job in meanwhile, and yield whether there is none.

        A job that has said its last word is waited for: the client that heard it may ask at once.
        """
        until = time.monotonic() + _LEAVING_S
        while self._jobs and time.monotonic() < until and all(running.over for running in list(self._jobs.values())):
            time.sleep(_POLL_S)
        with self._entering:
            yield not self._jobs

    def run(self) -> None:
        """Work for ever."""
        while True:
            self.run_next()

    def run_next(self) -> None:
        """Take in the jobs that arrived, waiting for one if there is none, and do one step of the most urgent."""
        self._take_in()
        self._reorder()
        going = [running for running in self._jobs.values() if not running.stuck]
        most_urgent = min(going, key=lambda running: (running.urgency, running.number), default=None)
        if most_urgent is None or most_urgent.idle:
            waits = [running.waits_for for running in self._jobs.values() if running.idle]
            futures.wait([wait for wait in waits if wait], _POLL_S, futures.FIRST_COMPLETED)
        else:
            self._step(most_urgent)

    def _take_in(self) -> None:
        while not self._jobs or not self._arrivals.empty():
            self._enter(self._arrivals.get())

    def _reorder(self) -> None:
        while not self._changes.empty():
            change = self._changes.get()
            running = self._jobs.get(change.job)
            if running is not None:  # it was announced before, and is taken in by now
                running.urgency = pipe.urgency(change.priority, change.turn)

    def _enter(self, run: pipe.RunJob) -> None:
        self._count += 1
        urgency = pipe.urgency(run.submit.priority, run.turn)
        running = Running(run.job, urgency, self._count, self._steps(run, self._cancelled[run.job]))
        with self._entering:
            self._jobs[run.job] = running

    def _step(self, running: Running) -> None:
        """Do one step of a job; whatever goes wrong is told as one typed error."""
        if self._begun != running.job:
            self._begun = running.job
            self._emit(pipe.JobBegun(running.job))
        goes_on = result_or_error(lambda: self._advance(running), f"job {running.job}", self._log_location)
        if goes_on is True:
            return
        if isinstance(goes_on, VideoMaMaError):
            self._emit(messages.MatteFailed.by(running.job, goes_on))
        del self._jobs[running.job], self._cancelled[running.job]
        self._begun = None
        if not self._jobs:
            self._rest()

    def _rest(self) -> None:
        """Do what is to be done once no job is left; what goes wrong there ends no process, as no job is at fault."""
        trouble = result_or_error(self._when_idle, "what follows the last job", self._log_location)
        if isinstance(trouble, VideoMaMaError):
            log.warning("after the last job: %s", trouble)

    def _advance(self, running: Running) -> bool:
        """Do one step of a job; return whether there are more."""
        heartbeat.beat()
        try:
            running.waits_for, running.waits_since = next(running.steps), time.monotonic()
        except StopIteration:
            return False
        self._after_step()
        return True
