"""Answers the clients' requests, one method each."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
from videomama_client import __version__, messages
from videomama_client.channel import MAX_BULK_BYTES
from videomama_client.digests import proof
from videomama_client.errors import BadInput, Cancelled, NotPermitted, ProtocolError
from videomama_client.wording import counted

from videomama_server import pipe
from videomama_server.cache import spool
from videomama_server.config import Config, as_texts
from videomama_server.files.access import open_plain, permit
from videomama_server.serving import job_log
from videomama_server.serving.announced import digest_of, key_mask_of
from videomama_server.serving.dispatch import Dispatch
from videomama_server.serving.history_requests import HistoryRequests
from videomama_server.serving.job_state import state_of
from videomama_server.serving.jobs import Job, named_role
from videomama_server.serving.router import Answer, Handler, Incoming

_IN_STATUS = 50  # jobs that a status tells of


class Requests:
    """What answers each kind of request.

    Args:
        config: what may be opened, and what a status tells.
        dispatch: the jobs and the worker.
        send: sends a message to a client; what it returns is done when ZeroMQ has it.
        end_server: asks the server to end.

    Attributes:
        handlers: by kind of request, what answers it; see `Router`.
    """

    def __init__(
        self,
        config: Config,
        dispatch: Dispatch,
        send: Callable[[bytes, messages.Message], Awaitable[object]],
        end_server: Callable[[], None],
    ) -> None:
        self._config = config
        self._dispatch = dispatch
        self._send = send
        self._end_server = end_server
        self._started = time.monotonic()
        self._values = [messages.ConfigValue(name, value) for name, value in as_texts(config).items()]
        self.handlers: dict[type, Handler] = {
            messages.Hello: self._hello,
            messages.ReportStatus: self._report_status,
            messages.ReportJobs: self._report_jobs,
            messages.SetPriority: self._set_priority,
            **HistoryRequests(dispatch).handlers,
            messages.ProveFile: self._prove_file,
            messages.SubmitMatte: self._submit,
            messages.CancelJob: self._cancel,
            messages.SupplyFrame: self._supply,
            messages.FetchAlpha: self._fetch,
            messages.UnloadEngine: self._unload,
            messages.StopServer: self._stop,
            **dict.fromkeys(pipe.QUESTIONS, self._pass_on),
        }

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
        brief, queue = incoming.ask.brief, self._dispatch.book.queue()
        running = [job for job in queue if job.state == messages.RUNNING]
        status = messages.StatusReported(
            request=incoming.ask.request,
            server=__version__,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started,
            cache_dir=str(self._config.cache_dir),
            log_file=str(self._config.log_file),
            worker_pid=self._dispatch.worker.pid,
            worker_memory_bytes=_memory(self._dispatch.worker.pid),
            engine=running[0].planned.engine if running and running[0].planned else None,
            jobs_running=len(running),
            jobs_finished=self._dispatch.book.finished,
            worker_restarts=self._dispatch.worker.restarts,
            loaded=[] if brief else self._dispatch.loaded,
            jobs=[] if brief else [state_of(job, before) for before, job in enumerate(queue[:_IN_STATUS])],
            config=[] if brief else self._values,
            jobs_waiting=len(queue) - len(running),
        )
        return status, None

    async def _report_jobs(self, incoming: Incoming[messages.ReportJobs]) -> Answer:
        return messages.JobsReported(incoming.ask.request, self._dispatch.book.report()), None

    async def _set_priority(self, incoming: Incoming[messages.SetPriority]) -> Answer:
        ask = incoming.ask
        if ask.priority not in messages.PRIORITIES:
            raise BadInput(f"unknown priority {ask.priority[:80]!r}", f"There are: {', '.join(messages.PRIORITIES)}.")
        job = self._dispatch.find(ask.job)
        if job.ended:
            raise BadInput(f"job {job.id[:8]} has ended: {job.state}", "Only jobs that wait or run have a priority.")
        self._dispatch.set_priority(job, ask.priority)
        return messages.PrioritySet(ask.request), None

    async def _pass_on(self, incoming: Incoming[pipe.Question]) -> None:
        self._dispatch.ask(incoming.client, incoming.ask)

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
        try:
            job = self._dispatch.book.add(incoming.client, request)
        except BadInput:
            spool.remove(folder)
            raise
        job.spool = folder
        await self._send(incoming.client, messages.JobAccepted(request.request, job.id))
        self._dispatch.enter(job)
        return None

    async def _cancel(self, incoming: Incoming[messages.CancelJob]) -> Answer | None:
        """Stop a job, whoever submitted it."""
        job = self._dispatch.find(incoming.ask.job)
        if not job.ended:
            self._dispatch.note(job, job_log.line(job, "it is asked to stop"))
        self._dispatch.cancel(job, Cancelled("the job was cancelled"))
        return None

    async def _supply(self, incoming: Incoming[messages.SupplyFrame]) -> Answer | None:
        frame, bulk = incoming.ask, incoming.bulk
        job = self._dispatch.find(frame.job)
        if job.ended:
            return None  # stopped while this frame was on its way
        digest = digest_of(job.request, frame.role, frame.frame, frame.object)
        if not job.spool or bulk is None or job.client != incoming.client or digest is None:
            raise ProtocolError("a frame that nobody asked for", "Update the client.")
        painted = key_mask_of(job.request, frame.role, frame.frame)
        if painted is not None:
            files = spool.key_mask(Path(job.spool), frame.role, painted.file)
        else:
            masks = {"": job.request.mask, **{one.name: one.mask for one in job.request.objects}}
            source = job.request.plate if frame.role == messages.PLATE else masks[frame.object]
            files = spool.pattern(Path(job.spool), frame.role, source, frame.object)
        try:
            await asyncio.to_thread(spool.keep, files.path(frame.frame), bulk, digest)
        except OSError as error:
            self._dispatch.give_up(
                job, NotPermitted(f"cannot keep the frames of this job: {error}", "Free some space.")
            )
        except BadInput as error:
            self._dispatch.give_up(job, error)
        else:
            job.supply.note_arrived(named_role(frame.role, frame.object), frame.frame)
            self._dispatch.worker.send(pipe.FrameSupplied(frame.job, frame.role, frame.frame, frame.object))
        _tidy(job)
        return None

    async def _fetch(self, incoming: Incoming[messages.FetchAlpha]) -> Answer:
        ask = incoming.ask
        job = self._dispatch.find(ask.job)
        path = (
            job.sides.path((ask.side_kind, ask.object), ask.frame)
            if ask.side_kind
            else job.done.get(ask.frame, {}).get(ask.object)
        )
        if path is None:
            event = "SideFrameDone" if ask.side_kind else "FrameDone"
            raise BadInput(f"frame {ask.frame} of this job is not done", f"Wait for its {event}.")
        try:
            content = await asyncio.to_thread(self._read_result, job, ask.side_kind, Path(path))
        except OSError as error:
            reason = f"the {ask.side_kind or 'alpha'} of frame {ask.frame} cannot be read: {error.strerror}"
            raise BadInput(reason, "Run the job again.") from error
        return messages.AlphaFetched(ask.request, ask.job, ask.frame), content

    def _read_result(self, job: Job, kind: str, path: Path) -> bytes:
        """Read what was delivered; whoever can write there may have put something else in its place since."""
        by_path = not job.request.inline and (kind or job.request.out)
        with open_plain(permit(path, self._config.roots) if by_path else path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BULK_BYTES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            return file.read(size)

    async def _unload(self, incoming: Incoming[messages.UnloadEngine]) -> Answer:
        running = len(self._dispatch.book.running())
        if running:
            raise BadInput(
                f"{counted(running, 'job')} still {'needs' if running == 1 else 'need'} the engine",
                "Wait for them, or cancel them first.",
            )
        await self._dispatch.unload_engine()
        return messages.EngineUnloaded(incoming.ask.request), None

    async def _stop(self, incoming: Incoming[messages.StopServer]) -> Answer | None:
        await self._send(incoming.client, messages.ServerStopping(incoming.ask.request))
        self._end_server()
        return None


def _prove(path: Path, nonce: str) -> str:
    with open_plain(path) as file:
        return proof(file, nonce)


def _tidy(job: Job) -> None:
    """Remove the folder of a job that ended meanwhile: it cannot be removed whole while a frame is being written."""
    if job.ended:
        spool.remove(job.spool)


def _memory(pid: int | None) -> int | None:
    try:
        return None if pid is None else int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
