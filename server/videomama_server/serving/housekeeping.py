"""Ends what has taken too long or is no longer needed: reads that hang, silent clients, an idle engine or server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil
from videomama_client.errors import BadInput, VideoMaMaError

from videomama_server.config import Config
from videomama_server.serving import lateness
from videomama_server.serving.jobs import Job, JobBook
from videomama_server.serving.questions import QuestionBook
from videomama_server.serving.supervisor import Supervisor

log = logging.getLogger(__name__)

_CHECK_EVERY_S = 1.0


@dataclass(frozen=True)
class Controls:
    """What housekeeping may do with the server.

    Attributes:
        fail: ends a job with an error.
        give_up: does the same, and tells the worker to stop the job.
        retire_engine: ends the engine worker; it starts again on demand.
        end_server: ends the server.
        tell_queue: tells clients what their jobs wait for, where that has changed.
        last_request: returns when the last request came, on the monotonic clock.
    """

    fail: Callable[[Job, VideoMaMaError], None]
    give_up: Callable[[Job, VideoMaMaError], None]
    retire_engine: Callable[[], Awaitable[None]]
    end_server: Callable[[], None]
    tell_queue: Callable[[], None]
    last_request: Callable[[], float]


class Housekeeping:
    """Checks once a second whether something is to be ended.

    Args:
        config: the limits, in seconds.
        book: the jobs there are.
        questions: those that wait for the worker.
        worker: the engine worker.
        controls: what may be done with the server.
    """

    def __init__(
        self, config: Config, book: JobBook, questions: QuestionBook, worker: Supervisor, controls: Controls
    ) -> None:
        self._config = config
        self._book = book
        self._questions = questions
        self._worker = worker
        self._controls = controls
        self._last_work = time.monotonic()

    def note_work(self) -> None:
        """Note that the engine is in use: its idle time, and the server's, is counted from here."""
        self._last_work = time.monotonic()

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            await self.check()

    async def check(self) -> None:
        """Check everything once."""
        self._end_hung_read()
        self._end_unsent()
        self._controls.tell_queue()
        if self._book.running() or self._questions.waiting():
            self._worker.look_after()
            return
        now = time.monotonic()
        await self._end_idle_engine(now)
        if 0 < self._config.server_idle_s < now - max(self._controls.last_request(), self._last_work):
            self._controls.end_server()

    async def _end_idle_engine(self, now: float) -> None:
        """End an engine worker that nobody has needed for long enough."""
        last = max(self._last_work, self._worker.started)  # it may have been started just to look at the cache
        if self._worker.pid is not None and now - last > self._config.engine_idle_s:
            log.info("no job for %.0f s: the engine worker ends", now - last)
            await self._controls.retire_engine()

    def _end_unsent(self) -> None:
        """End a job whose client does not send what it is asked for: it is gone, or hangs."""
        late = lateness.unsent(self._book.jobs(), self._config.supply_limit_s)
        if late is not None:
            job, role, frame = late
            limit = f"{self._config.supply_limit_s:g} s"
            error = BadInput(f"{role} frame {frame} was not sent within {limit}", "Is the client alive?")
            self._controls.give_up(job, error)

    def _end_hung_read(self) -> None:
        """End a worker that is held up by a file: the file's job fails, the others run again in another worker.

        The worker cannot do so itself: OpenImageIO lets no other thread of it run while it opens a file.
        """
        late = lateness.overdue(self._book.jobs(), self._config.read_limit_s, self._worker.started)
        if late is None or self._worker.pid is None:
            return
        job, name = late
        log.error("%s was not read within %g s: the engine worker is ended", name, self._config.read_limit_s)
        error = BadInput(
            f"{name} was not read within {self._config.read_limit_s:g} s",
            "Copy the file to a faster disk, or render it again.",
        )
        job.blame.forget_files()
        self._controls.fail(job, error)
        self._book.ignore_next_death()
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self._worker.pid).kill()
