"""The server process: one handler per request, and the engine worker under its eyes.

It imports no torch and opens no picture, so that it answers at once whatever the engine is doing.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import zmq
import zmq.asyncio
from videomama_client import __version__, messages
from videomama_client.client import MAX_BULK_BYTES, proof
from videomama_client.errors import (
    BadInput,
    Cancelled,
    NotPermitted,
    ProtocolError,
    ServerUnreachable,
    VideoMaMaError,
)
from videomama_client.wording import counted
from zmq.auth.asyncio import AsyncioAuthenticator

from videomama_server import pipe
from videomama_server.cache import spool
from videomama_server.config import Config, as_texts
from videomama_server.files.access import open_plain, permit
from videomama_server.serving import listener
from videomama_server.serving.housekeeping import Controls, Housekeeping
from videomama_server.serving.jobs import Job, JobBook, run_message
from videomama_server.serving.questions import QuestionBook
from videomama_server.serving.router import Answer, Handler, Incoming, Router
from videomama_server.serving.supervisor import Supervisor

log = logging.getLogger(__name__)


def serve(config: Config) -> None:
    """Run until asked to end.

    Raises:
        AlreadyRunning: another server holds the connection file.
        NotPermitted: the connection file cannot be written.
        ServerUnreachable: the address cannot be bound.
    """
    lock = listener.hold(config.connection_file)
    os.chdir(config.connection_file.parent)  # the caller's folder may be one that is to be unmounted or removed
    loop = asyncio.SelectorEventLoop()  # ZeroMQ needs this kind, also on Windows
    try:
        loop.run_until_complete(Server(config).run())
    finally:
        loop.close()
        lock.release()


class Server:
    """Answers requests. Events of jobs go to the client that submitted them.

    Args:
        config: where to listen and what may be opened.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._book = JobBook()
        self._questions = QuestionBook(self._reply)
        self._worker = Supervisor(config, self._on_worker, self._on_worker_death)
        self._started = time.monotonic()
        self._held = pipe.EngineHolds()
        self._values = [messages.ConfigValue(name, value) for name, value in as_texts(config).items()]
        self._ending = asyncio.Event()
        controls = Controls(
            fail=self._fail,
            give_up=self._give_up,
            retire_engine=self._retire_engine,
            end_server=self._ending.set,
            last_request=lambda: self._router.heard,
        )
        self._housekeeping = Housekeeping(config, self._book, self._questions, self._worker, controls)
        self._handlers: dict[type, Handler] = {
            messages.Hello: self._hello,
            messages.ReportStatus: self._report_status,
            messages.ReportJobs: self._report_jobs,
            messages.ProveFile: self._prove_file,
            messages.SubmitMatte: self._submit,
            messages.CancelJob: self._cancel,
            messages.SupplyFrame: self._supply,
            messages.FetchAlpha: self._fetch,
            messages.UnloadEngine: self._unload,
            messages.StopServer: self._stop,
            **dict.fromkeys(pipe.QUESTIONS, self._pass_on),
        }
        self._worker_handlers: dict[type, Callable[[Any], None]] = {
            pipe.JobBegun: self._note_begun,
            pipe.FilesRead: self._note_files,
            pipe.EngineHolds: self._note_usage,
            **dict.fromkeys(pipe.ANSWERS, self._questions.settle),
            **dict.fromkeys(messages.JOB_EVENTS, self._note_event),
        }

    async def run(self) -> None:
        """Bind, write the connection file, answer until asked to end, and clean up."""
        context = zmq.asyncio.Context()
        authenticator = AsyncioAuthenticator(context)
        socket = context.socket(zmq.ROUTER)
        self._router = Router(socket, self._handlers, self._config.log_location)
        try:
            endpoint = listener.open_up(socket, authenticator, self._config)
            log.info("server %s listens at %s", __version__, endpoint)
            self._end_on_signals()
            self._worker.start()
            await self._loop()
        finally:
            with suppress(OSError):
                self._config.connection_file.unlink(missing_ok=True)
            self._worker.stop()
            for folder in self._book.spools():  # again: the worker makes one for a job that it just took in
                spool.remove(folder)
            authenticator.stop()
            context.destroy(linger=200)
            log.info("server ended")

    def _end_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            if sys.platform == "win32":
                signal.signal(name, lambda *_: loop.call_soon_threadsafe(self._ending.set))
            else:
                loop.add_signal_handler(name, self._ending.set)

    async def _loop(self) -> None:
        """Answer and watch until asked to end; where one of the two fails, the server ends too, and says why."""
        works = (self._ending.wait(), self._router.run(), self._housekeeping.run())
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(work) for work in works]
        ended, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        error = ServerUnreachable("the server was ended", "Run again: what was finished is in the cache.")
        for job in self._book.running():
            self._fail(job, error)
        self._questions.refuse_all(error)
        for task in ended:
            task.result()

    async def _hello(self, incoming: Incoming[messages.Hello]) -> Answer:
        hello = incoming.ask
        if hello.protocol != messages.PROTOCOL_VERSION:
            client_is_older = hello.protocol < messages.PROTOCOL_VERSION
            raise ProtocolError(
                f"the client ({hello.client}) speaks protocol {hello.protocol}, "
                f"the server ({__version__}) {messages.PROTOCOL_VERSION}",
                "Update the client; in Nuke that is the plug-in."
                if client_is_older
                else "Update the server, and end the old one that still runs: videomama stop.",
            )
        return messages.Greeted(hello.request, messages.PROTOCOL_VERSION, __version__, os.getpid()), None

    async def _report_status(self, incoming: Incoming[messages.ReportStatus]) -> Answer:
        running = self._book.running()
        status = messages.StatusReported(
            request=incoming.ask.request,
            server=__version__,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started,
            cache_dir=str(self._config.cache_dir),
            log_file=str(self._config.log_file),
            worker_pid=self._worker.pid,
            worker_memory_bytes=_memory(self._worker.pid),
            engine=running[0].planned.engine if running and running[0].planned else None,
            jobs_running=len(running),
            jobs_finished=self._book.finished,
            worker_restarts=self._worker.restarts,
            device=self._held.device,
            dtype=self._held.dtype,
            resident_bytes=self._held.resident_bytes,
            peak_bytes=self._held.peak_bytes,
            jobs=[job.describe() for job in running[:50]],
            config=self._values,
        )
        return status, None

    async def _report_jobs(self, incoming: Incoming[messages.ReportJobs]) -> Answer:
        return messages.JobsReported(incoming.ask.request, self._book.report()), None

    async def _pass_on(self, incoming: Incoming[pipe.Question]) -> None:
        """Ask the worker; what it answers is passed on to the client when it comes."""
        if isinstance(incoming.ask, messages.PlanFrames):
            self._housekeeping.note_work()  # a job will follow: the engine stays for it
        self._worker.send(self._questions.add(incoming.client, incoming.ask))

    def _reply(self, client: bytes, answer: pipe.Answer) -> None:
        self._router.send(client, answer)

    async def _prove_file(self, incoming: Incoming[messages.ProveFile]) -> Answer:
        path = permit(Path(incoming.ask.path), self._config.roots)
        try:
            digest = await asyncio.to_thread(_prove, path, incoming.ask.nonce)
        except OSError:
            digest = ""
        return messages.FileProved(incoming.ask.request, digest), None

    async def _submit(self, incoming: Incoming[messages.SubmitMatte]) -> Answer | None:
        request = incoming.ask
        folder = spool.make(self._config.cache_dir) if request.inline else ""
        job = self._book.add(incoming.client, request)
        job.spool = folder
        await self._router.send(incoming.client, messages.JobAccepted(request.request, job.id))
        self._worker.send(run_message(job))
        return None

    async def _cancel(self, incoming: Incoming[messages.CancelJob]) -> Answer | None:
        """Stop a job, whoever submitted it; one that waits ends without waiting for its turn."""
        job = self._find(incoming.ask.job)
        if job.state == messages.WAITING:
            self._give_up(job, Cancelled("the job was cancelled"))
        elif not job.ended:
            job.cancelled = True
            self._worker.send(pipe.DropJob(job.id))
        return None

    async def _supply(self, incoming: Incoming[messages.SupplyFrame]) -> Answer | None:
        frame, bulk = incoming.ask, incoming.bulk
        job = self._find(frame.job)
        if job.ended:
            return None  # stopped while this frame was on its way
        digest = job.announced(frame.role, frame.frame)
        if not job.spool or bulk is None or job.client != incoming.client or digest is None:
            raise ProtocolError("a frame that nobody asked for", "Update the client.")
        source = job.request.plate if frame.role == messages.PLATE else job.request.mask
        files = spool.pattern(Path(job.spool), frame.role, source)
        try:
            await asyncio.to_thread(spool.keep, files.path(frame.frame), bulk, digest)
        except OSError as error:
            self._give_up(job, NotPermitted(f"cannot keep the frames of this job: {error}", "Free some space."))
        except BadInput as error:
            self._give_up(job, error)
        else:
            job.supply.note_arrived(frame.role, frame.frame)
            self._worker.send(pipe.FrameSupplied(frame.job, frame.role, frame.frame))
        return None

    def _give_up(self, job: Job, error: VideoMaMaError) -> None:
        """End a job from this side: its client is told, and what the worker still says of it is not heard."""
        self._worker.send(pipe.DropJob(job.id))
        self._fail(job, error)

    async def _fetch(self, incoming: Incoming[messages.FetchAlpha]) -> Answer:
        ask = incoming.ask
        job = self._find(ask.job)
        path = job.done.get(ask.frame)
        if path is None:
            raise BadInput(f"frame {ask.frame} of this job is not done", "Wait for its FrameDone.")
        try:
            content = await asyncio.to_thread(self._read_alpha, job, Path(path))
        except OSError as error:
            reason = f"the alpha of frame {ask.frame} cannot be read: {error.strerror}"
            raise BadInput(reason, "Run the job again.") from error
        return messages.AlphaFetched(ask.request, ask.job, ask.frame), content

    def _read_alpha(self, job: Job, path: Path) -> bytes:
        """Read what was delivered; whoever can write there may have put something else in its place since."""
        by_path = job.request.out and not job.request.inline
        with open_plain(permit(path, self._config.roots) if by_path else path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BULK_BYTES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            return file.read(size)

    async def _unload(self, incoming: Incoming[messages.UnloadEngine]) -> Answer:
        running = len(self._book.running())
        if running:
            raise BadInput(
                f"{counted(running, 'job')} still {'needs' if running == 1 else 'need'} the engine",
                "Wait for them, or cancel them first.",
            )
        waiting = self._questions.waiting()
        await self._retire_engine()
        unanswered = self._questions.waiting()
        for question in waiting:
            if question in unanswered:
                self._worker.send(question)
        return messages.EngineUnloaded(incoming.ask.request), None

    async def _retire_engine(self) -> None:
        """End the worker, which also frees what a device's driver keeps for each process that uses it."""
        self._held = pipe.EngineHolds()
        await self._worker.retire()

    async def _stop(self, incoming: Incoming[messages.StopServer]) -> Answer | None:
        await self._router.send(incoming.client, messages.ServerStopping(incoming.ask.request))
        self._ending.set()
        return None

    def _find(self, job: str) -> Job:
        found = self._book.find(job)
        if found is None:
            raise BadInput(f"no job is called {job[:80]}", "The server may have been started again: submit anew.")
        return found

    def _on_worker(self, message: Any) -> None:
        """Take a message of the worker; one of a kind that has no handler asks for nothing."""
        handle = self._worker_handlers.get(type(message))
        if handle is not None:
            handle(message)

    def _note_begun(self, begun: pipe.JobBegun) -> None:
        self._book.note_begun(begun.job)

    def _note_files(self, read: pipe.FilesRead) -> None:
        self._book.note_files(read.job, read.files)

    def _note_usage(self, holds: pipe.EngineHolds) -> None:
        self._held = holds

    def _note_event(self, event: messages.JobEvent) -> None:
        news = self._book.note(event)
        if news is not None:
            self._tell(news)

    def _fail(self, job: Job, error: VideoMaMaError) -> None:
        """End a job with an error, as if the worker had said so."""
        self._note_event(messages.MatteFailed.by(job.id, error))

    def _tell(self, event: messages.JobEvent) -> None:
        """Send an event to the client of its job, in the order in which events came."""
        job = self._find(event.job)
        self._housekeeping.note_work()
        if job.ended:
            spool.remove(job.spool)
        self._router.send(job.client, event)

    def _on_worker_death(self, code: int) -> None:  # noqa: ARG002  (logged where it was seen)
        self._held = pipe.EngineHolds()
        again, failed = self._book.after_death()
        for event in failed:
            self._tell(event)
        for job in again:
            self._worker.send(run_message(job))
        for question in self._questions.after_death():
            self._worker.send(question)


def _prove(path: Path, nonce: str) -> str:
    with open_plain(path) as file:
        return proof(file, nonce)


def _memory(pid: int | None) -> int | None:
    try:
        return None if pid is None else int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
