"""The engine process: takes jobs from the server over a pipe and does them, the most urgent first.

It is a child of the server because a fault inside an engine cannot be recovered there: the server starts another.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Hashable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from blake3 import blake3
from videomama_client import messages, private, wire
from videomama_client.errors import BadInput, Cancelled, VideoMaMaError
from videomama_client.settings import MatteSettings

from videomama_server import config, engines, heartbeat, logs, pipe
from videomama_server.cache import spool
from videomama_server.cache.entries import FOLDERS, Cache, CacheReport
from videomama_server.cache.memo import Memo
from videomama_server.engines.base import Engine, EngineConfig, EngineUsage
from videomama_server.files.access import permit, refuse_inside
from videomama_server.media import frames, sequences
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline import sources
from videomama_server.pipeline.reader import Reader, wanted_of
from videomama_server.pipeline.run import Matte, Services
from videomama_server.pipeline.sources import DiskSource, Source, SpoolSource
from videomama_server.pipeline.survey import Order, Pause
from videomama_server.worker.answers import Answers, Desk
from videomama_server.worker.error_boundary import attempt
from videomama_server.worker.reads import Reads

log = logging.getLogger(__name__)

EXIT_DEAF = 4
PATIENCE_S = 0.5
_POLL_S = 0.05
_PULSE_S = 0.5
_LEAVING_S = 1.0  # what a job that is done may take to be gone
_URGENCY = {messages.INTERACTIVE: 0, messages.BATCH: 1}


@dataclass
class Running:
    """A job that the worker has taken in."""

    job: str
    urgency: tuple[int, int, int]
    steps: Iterator[Pause]
    cancelled: threading.Event
    spooled: dict[str, SpoolSource] = field(default_factory=dict)
    waits_for: Pause = None
    waits_since: float = 0.0
    over: bool = False  # it has said its last word, and is about to go

    @property
    def idle(self) -> bool:
        """Whether it can do nothing yet."""
        return self.waits_for is not None and not self.waits_for.done()

    @property
    def stuck(self) -> bool:
        """Whether it has been idle for so long that a less urgent job may go on: its client is slow."""
        return self.idle and time.monotonic() - self.waits_since > PATIENCE_S


class Worker:
    """Takes messages from the server's pipe and works on jobs, one step of the most urgent at a time.

    Args:
        settings: the server's config.
        inbox, outbox: the two directions of the pipe.
    """

    def __init__(self, settings: config.Config, inbox: BinaryIO, outbox: BinaryIO) -> None:
        self._config = settings
        self._inbox = inbox
        self._outbox = outbox
        self._sending = threading.Lock()
        self._arrivals: queue.Queue[pipe.RunJob] = queue.Queue()
        self._jobs: dict[str, Running] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._engines: dict[str, tuple[Hashable, Engine]] = {}
        self._usage: EngineUsage | None = None
        self._begun: str | None = None
        self._count = 0
        self._reads = Reads(lambda job, files: self._emit(pipe.FilesRead(job, files)))
        cache = Cache(settings.cache_dir)
        self._services = Services(
            cache=cache,
            memo=Memo(cache.write_root / "memo"),
            readers=ThreadPoolExecutor(settings.threads, "reader"),
            writers=ThreadPoolExecutor(settings.threads, "writer"),
            threads=settings.threads,
        )
        self._clearing = threading.Lock()  # held while jobs are taken in, and while the cache is cleared
        desk = Desk(cache, settings.cache_limit_gb, settings.log_place, self._place, self._clear_cache)
        self._answers = Answers(desk, self._emit)

    def run(self) -> None:
        """Work until the pipe closes."""
        threading.Thread(target=self._listen, name="pipe", daemon=True).start()
        self._emit(pipe.WorkerReady(os.getpid()))
        threading.Thread(target=self._pulsate, name="pulse", daemon=True).start()
        while True:
            self._take_in()
            going = [running for running in self._jobs.values() if not running.stuck]
            most_urgent = min(going, key=lambda running: running.urgency, default=None)
            if most_urgent is None or most_urgent.idle:
                waits = [running.waits_for for running in self._jobs.values() if running.idle]
                futures.wait([wait for wait in waits if wait], _POLL_S, futures.FIRST_COMPLETED)
            else:
                self._step(most_urgent)

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
        if isinstance(message, pipe.RunJob):
            self._announce(message)
        elif isinstance(message, pipe.DropJob):
            self._drop(message.job)
        elif isinstance(message, pipe.FrameSupplied):
            self._supply(message)
        elif isinstance(message, pipe.QUESTIONS):
            self._answers.take(message)

    def _pulsate(self) -> None:
        """Let the server see that this process lives and gets on."""
        with suppress(OSError):  # the server is gone, and so is this process in a moment
            while True:
                self._emit(pipe.Pulse(heartbeat.beats(), bool(self._jobs)))
                time.sleep(_PULSE_S)

    def _announce(self, run: pipe.RunJob) -> None:
        if run.job not in self._cancelled:  # else the server, which thought us dead, tells it twice
            self._cancelled[run.job] = threading.Event()
            self._arrivals.put(run)

    def _drop(self, job: str) -> None:
        cancelled = self._cancelled.get(job)
        if cancelled is not None:
            cancelled.set()

    def _supply(self, supplied: pipe.FrameSupplied) -> None:
        """Pass on that a frame arrived; one that nobody waits for yet is asked for again."""
        running = self._jobs.get(supplied.job)
        source = running and running.spooled.get(supplied.role)
        if source:
            source.supplied(supplied.frame)

    def _take_in(self) -> None:
        """Take in new jobs; with none at hand, wait for one."""
        while not self._jobs or not self._arrivals.empty():
            self._begin(self._arrivals.get())

    def _begin(self, run: pipe.RunJob) -> None:
        self._count += 1
        urgency = (_URGENCY.get(run.submit.priority, 1), run.turn, self._count)
        running = Running(run.job, urgency, iter(()), self._cancelled[run.job])
        running.steps = self._steps(run, running)
        with self._clearing:
            self._jobs[run.job] = running

    def _clear_cache(self) -> CacheReport:
        """Clear the cache; a job that comes meanwhile waits. Raises `BadInput` while there is one.

        A job that has said its last word is waited for: the client that heard it may ask at once.
        """
        until = time.monotonic() + _LEAVING_S
        while self._jobs and time.monotonic() < until and all(running.over for running in list(self._jobs.values())):
            time.sleep(_POLL_S)
        with self._clearing:
            if self._jobs:
                raise BadInput("a job is using the cache", "Wait for it, or cancel it first.")
            return self._services.cache.clear()

    def _steps(self, run: pipe.RunJob, running: Running) -> Iterator[Pause]:
        if running.cancelled.is_set():
            raise Cancelled("the job was cancelled")  # before an engine is loaded for it
        order = self._order(run, running)
        yield None
        with self._readers(run) as readers:
            try:
                yield from Matte(order, replace(self._services, readers=readers), self._emit, running.cancelled).run()
            finally:
                running.cancelled.set()  # lets go of readers that wait for a client's frame
        self._services.cache.keep_within(int(self._config.cache_limit_gb * 1e9))

    @contextmanager
    def _readers(self, run: pipe.RunJob) -> Iterator[ThreadPoolExecutor]:
        """Yield the threads that read a job's frames; an inline job, whose client may be slow, has its own."""
        if not run.submit.inline:
            yield self._services.readers
            return
        with ThreadPoolExecutor(self._services.threads, "inline reader") as readers:
            yield readers

    def _step(self, running: Running) -> None:
        """Do one step of a job; whatever goes wrong is told as one typed error."""
        if self._begun != running.job:
            self._begun = running.job
            self._emit(pipe.JobBegun(running.job))
        goes_on = attempt(lambda: self._advance(running), f"job {running.job}", self._config.log_place)
        if goes_on is True:
            return
        if isinstance(goes_on, VideoMaMaError):
            self._emit(messages.MatteFailed.by(running.job, goes_on))
        del self._jobs[running.job], self._cancelled[running.job]
        self._begun = None

    def _advance(self, running: Running) -> bool:
        """Do one step of a job; return whether there are more."""
        heartbeat.beat()
        try:
            running.waits_for, running.waits_since = next(running.steps), time.monotonic()
        except StopIteration:
            return False
        self._tell_usage()
        return True

    def _order(self, run: pipe.RunJob, running: Running) -> Order:
        """Find out what a request stands for on this machine."""
        request = run.submit
        request.settings.check()
        if request.priority not in _URGENCY:
            raise BadInput(f"no priority is called {request.priority!r}", f"There are: {', '.join(_URGENCY)}.")
        place = self._place(request.settings)
        name = engines.resolve(request.settings.engine, place)
        plate, mask = self._sources(run, running)
        noted = partial(self._reads.noted, run.job)
        reader = Reader(plate, mask, self._services.memo, wanted_of(request.settings), request.rehash, noted)
        delivery = self._delivery(request)
        if request.out and not request.inline:
            _refuse_overwriting(delivery.pattern, plate, mask)
        delivery.check()
        return Order(run.job, request, name, self._engine(name, place), reader, delivery)

    def _place(self, settings: MatteSettings) -> EngineConfig:
        """Return what engines are told of this machine; a job may name weights of its own."""
        own = self._config
        if settings.weights:
            permit(Path(settings.weights), own.roots)
        weights = Path(settings.weights) if settings.weights else own.weights
        return replace(
            EngineConfig.of(own), weights=weights, folded_dir=self._services.cache.write_root / config.FOLDED
        )

    def _engine(self, name: str, place: EngineConfig) -> Engine:
        """Return an engine. It stays loaded until a job names other weights: two models may not fit on one device."""
        identity = engines.identity(name, place)
        known = self._engines.get(name)
        if known is not None and known[0] == identity:
            return known[1]
        if known is not None:
            known[1].release()
        engine = engines.load(name, place)
        self._engines[name] = (identity, engine)
        return engine

    def _tell_usage(self) -> None:
        """Tell the server what the loaded engines hold, when that has changed."""
        usage = next((usage for _, engine in self._engines.values() if (usage := engine.usage())), None)
        if usage is not None and usage != self._usage:
            self._usage = usage
            self._emit(pipe.EngineHolds(usage.device, usage.dtype, usage.resident_bytes, usage.peak_bytes))

    def _sources(self, run: pipe.RunJob, running: Running) -> tuple[Source, Source]:
        request, roots = run.submit, self._config.roots
        if not request.inline:
            plate = DiskSource(messages.PLATE, request.plate, roots)
            return plate, DiskSource(messages.MASK, request.mask, roots)

        def want(role: str, frame: int) -> None:
            self._emit(messages.FrameWanted(run.job, role, frame))

        private.make_folder(Path(run.spool))  # a cache that was just cleared took it along
        named = (
            (messages.PLATE, request.plate, request.plate_digests),
            (messages.MASK, request.mask, request.mask_digests),
        )
        for role, pattern, digests in named:
            files = spool.pattern(Path(run.spool), role, pattern)
            by_frame = sources.by_frame(request.inline_frames, digests)
            running.spooled[role] = SpoolSource(role, files, by_frame, want, running.cancelled)
        return running.spooled[messages.PLATE], running.spooled[messages.MASK]

    def _delivery(self, request: messages.SubmitMatte) -> Delivery:
        """Return where alphas go: what the client named, or a numbered sequence in the cache folder."""
        named = sequences.parse(request.out or "alpha.####.exr")
        link, root = self._config.delivery == "link", self._services.cache.write_root
        if request.out and not request.inline:
            permit(named.folder, self._config.roots)
            cache = self._services.cache
            kept = [root / name for root in (cache.folder, cache.write_root) for name in FOLDERS]
            refuse_inside(named.folder, kept, f"the server's cache {cache.folder}")
            return Delivery(named, request.layer, request.dtype, link, root)
        digest = blake3(wire.encode(request.settings))
        digest.update("\0".join((request.plate, request.mask, request.layer, request.dtype)).encode(errors="replace"))
        if request.inline:  # only read here, to be sent: never a file that a person uses
            digest.update(b"\0inline")
        inside = replace(named, folder=root / "sequences" / digest.hexdigest(length=16))
        published = self._services.cache.published
        return Delivery(inside, request.layer, request.dtype, link or request.inline, root, published)

    def _emit(self, message: Any) -> None:
        if isinstance(message, (messages.MatteDone, messages.MatteFailed)) and message.job in self._jobs:
            self._jobs[message.job].over = True
        with self._sending:
            pipe.send(self._outbox, message)


def _refuse_overwriting(out: sequences.Pattern, *read: Source) -> None:
    """Raise when an alpha would take the place of a file that is read, under whatever name either goes."""
    folder = out.folder.resolve()
    written = {folder / out.path(frame).name for source in read for frame in source.frames()}
    for source in read:
        for frame in source.frames():
            named = source.identify(frame)
            file = named.folder.resolve() / named.name
            if not written.isdisjoint((source.path(frame), file)) or _one_name(folder / out.path(frame).name, file):
                raise BadInput(f"the output {out.text} would overwrite the {source.role}", "Choose another name.")


def _one_name(target: Path, file: Path) -> bool:
    """Whether two paths are one entry of one folder: mounted twice, or on a disk that takes A for a."""
    if target.name.casefold() != file.name.casefold():
        return False
    try:
        here, there = target.lstat(), file.lstat()
    except OSError:
        return False
    return os.path.samestat(here, there) and here.st_nlink == 1


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
    settings = config.load(json.loads(sys.argv[1]), {})
    frames.use_threads(settings.threads)
    Worker(settings, inbox, outbox).run()
