"""The engine process: takes jobs from the server over a pipe and does them.

It is a child of the server because a fault inside an engine cannot be recovered there: the server starts another.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from videomama_client import messages
from videomama_client.errors import BadInput, Cancelled

from videomama_server import config, heartbeat, logs, pipe
from videomama_server.cache.entries import Cache
from videomama_server.cache.layout import MEMO
from videomama_server.cache.memo import Memo
from videomama_server.cache.upkeep import CacheReport
from videomama_server.media import frames
from videomama_server.media.movies import index_store
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.survey import Pause
from videomama_server.worker.answers import Answers, WorkerFacts
from videomama_server.worker.intake import Intake
from videomama_server.worker.phases import Phases
from videomama_server.worker.reads import Reads
from videomama_server.worker.scheduler import Scheduler
from videomama_server.worker.shelf import EngineShelf

EXIT_DEAF = 4
_PULSE_S = 0.5


class Worker:
    """Takes messages from the server's pipe and hands each to the part that it is for.

    Args:
        server_config: the server's config.
        inbox, outbox: the two directions of the pipe.
    """

    def __init__(self, server_config: config.Config, inbox: BinaryIO, outbox: BinaryIO) -> None:
        self._config = server_config
        self._inbox = inbox
        self._outbox = outbox
        self._sending = threading.Lock()
        cache = Cache(server_config.cache_dir)
        index_store.keep_in(cache.write_root / MEMO)
        self._services = Services(
            cache=cache,
            memo=Memo(cache.write_root / MEMO),
            readers=ThreadPoolExecutor(server_config.threads, "reader"),
            writers=ThreadPoolExecutor(server_config.threads, "writer"),
            threads=server_config.threads,
        )
        self._phases = Phases(self._emit)
        folded = cache.write_root / config.FOLDED
        self._shelf = shelf = EngineShelf(server_config, folded, self._emit, self._tell_loading)
        reads = Reads(lambda job, files: self._emit(pipe.FilesRead(job, files)))
        self._intake = Intake(server_config, self._services, shelf, reads, self._emit)
        self._scheduler = Scheduler(
            self._steps, self._emit, shelf.report_usage, shelf.give_back_memory, server_config.log_location
        )
        facts = WorkerFacts(
            cache, server_config.cache_limit_gb, server_config.log_location, shelf.engine_config, self._clear_cache
        )
        self._handlers: dict[type, Callable[[Any], None]] = {
            pipe.RunJob: self._scheduler.announce,
            pipe.DropJob: self._scheduler.drop,
            pipe.SetPriority: self._scheduler.set_priority,
            pipe.FrameSupplied: self._intake.supplied,
            **dict.fromkeys(pipe.QUESTIONS, Answers(facts, self._emit).take),
        }

    def run(self) -> None:
        """Work until the pipe closes."""
        threading.Thread(target=self._listen, name="pipe", daemon=True).start()
        self._emit(pipe.WorkerReady(os.getpid()))
        threading.Thread(target=self._pulsate, name="pulse", daemon=True).start()
        self._scheduler.run()

    def _listen(self) -> None:
        """Take messages as they come, so that a cancel is seen in the middle of a window."""
        code = EXIT_DEAF  # unless it ends well: without this thread the worker would never hear anything again
        try:
            while (message := pipe.receive(self._inbox)) is not None:
                self._take(message)
            self._services.cache.close()
            code = 0  # the server is gone, or wants us gone: nothing of a window half done is worth waiting for
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)

    def _take(self, message: Any) -> None:
        """Take a message of the server; one of a kind that has no handler asks for nothing."""
        handle = self._handlers.get(type(message))
        if handle is not None:
            handle(message)

    def _pulsate(self) -> None:
        """Let the server see that this process lives and gets on."""
        with suppress(OSError):  # the server is gone, and so is this process in a moment
            while True:
                self._emit(pipe.Pulse(heartbeat.beats(), self._scheduler.busy))
                time.sleep(_PULSE_S)

    def _clear_cache(self) -> CacheReport:
        """Clear the cache; a job that comes meanwhile waits. Raises `BadInput` while there is one."""
        with self._scheduler.keep_jobs_out() as unused:
            if not unused:
                raise BadInput("a job is using the cache", "Wait for it, or cancel it first.")
            return self._services.cache.clear()

    def _steps(self, run: pipe.RunJob, cancelled: threading.Event) -> Iterator[Pause]:
        """Do a job, yielding where a more urgent one may go first."""
        if cancelled.is_set():
            raise Cancelled("the job was cancelled")  # before an engine is loaded for it
        with self._intake.taken(run, cancelled) as order:
            yield None
            with self._readers(run) as readers:
                try:
                    order = replace(order, tell=partial(self._phases.tell, run.job))
                    yield from Matte(order, replace(self._services, readers=readers), self._emit, cancelled).run()
                finally:
                    cancelled.set()  # lets go of readers that wait for a client's frame
        self._services.cache.keep_within(int(self._config.cache_limit_gb * 1e9))

    @contextmanager
    def _readers(self, run: pipe.RunJob) -> Iterator[ThreadPoolExecutor]:
        """Yield the threads that read a job's frames; an inline job, whose client may be slow, has its own."""
        if not run.submit.inline:
            yield self._services.readers
            return
        with ThreadPoolExecutor(self._services.threads, "inline reader") as readers:
            yield readers

    def _tell_loading(self, phase: messages.Phase) -> None:
        """Tell the client of the job at work: engines are loaded in its steps alone."""
        job = self._scheduler.job_at_work
        if job is not None:
            self._phases.tell(job, phase)

    def _emit(self, message: Any) -> None:
        if isinstance(message, (messages.MatteDone, messages.MatteFailed)):
            self._shelf.report_usage()  # before its client may ask
            self._scheduler.note_last_word(message.job)
            self._phases.forget(message.job)
        with self._sending:
            pipe.send(self._outbox, message)


def _own_the_pipe() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipe's two ends and point stdout at the log, so that no library's print gets between messages."""
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, outbox


def main() -> None:
    """Run as `python -m videomama_server.worker CONFIG`, a child of the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the server's to handle
    logs.set_up("worker")
    inbox, outbox = _own_the_pipe()
    server_config = config.load(json.loads(sys.argv[1]), {})
    frames.use_threads(server_config.threads)
    Worker(server_config, inbox, outbox).run()
